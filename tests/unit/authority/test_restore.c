/* SPDX-License-Identifier: Apache-2.0 */
/* A restore that stopped half way is done again; one of a database that went on is refused. */
#include "authority/restore.h"

#include "at_office.h"

static enum err restore(int64_t made_at, struct restore_report *ret_report)
{
	const struct ended_record nothing = { .since = made_at };
	const struct restore wish = { .ended = &nothing,
				      .is_everybodys = true,
				      .made_at = made_at };

	return restore_apply(world_task(&office.world), &office.authority, &wish, ret_report);
}

static int64_t now(void)
{
	return world_task(&office.world)->now;
}

/* Keys that were replaced after the rest was committed are newer than the copy, too. */
static void it_is_done_again_however_late(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct restore_report report = { 0 };
	int64_t made_at = now();
	struct token_wish wish;

	(void)state;
	office_wait(&office, HOUR_MS);
	CHECK_ERR(restore(made_at, &report), OK);
	CHECK(report.is_complete && report.paused == 1);
	CHECK(office_events(&office, "keys.rotated") > 0);
	office_wait(&office, HOUR_MS);
	CHECK_ERR(restore(made_at, &report), OK);
	CHECK(report.is_complete && report.paused == 1);
	CHECK(office_events(&office, "database.restored") == 2);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_PAUSED);
}

static void a_database_that_went_on_is_not_believed(void **state)
{
	struct restore_report report = { 0 };
	int64_t made_at = now();

	(void)state;
	office_wait(&office, HOUR_MS);
	(void)office_tokens(&office, "agent", "mail.read");
	CHECK_ERR(restore(made_at, &report), ERR_CONFIG);
	CHECK(office_events(&office, "database.restored") == 0);
	/* also once it was restored, and served after that */
	CHECK_ERR(restore(now(), &report), OK);
	office_wait(&office, HOUR_MS);
	(void)office_tokens(&office, "service", "mail.read");
	CHECK_ERR(restore(made_at, &report), ERR_CONFIG);
	CHECK(office_events(&office, "database.restored") == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	return RUN(TEST(it_is_done_again_however_late),
		   TEST(a_database_that_went_on_is_not_believed));
}

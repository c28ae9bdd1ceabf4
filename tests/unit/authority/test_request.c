/* SPDX-License-Identifier: Apache-2.0 */
/* Which authorization requests are remembered, and how many of them. */
#include "at_office.h"

#define ALLOWED 300 /* a minute (authority/throttle.h) */

static enum err ask(struct str user_id, const char *source, int64_t *ret_retry_after)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");
	struct authorize_refusal refusal;
	struct auth_request request;
	enum err err;

	params.user_id = user_id;
	params.source = str_from_c(source);
	err = office_ask(&office, &params, &request, &refusal);
	*ret_retry_after = refusal.retry_after;
	return err;
}

static void use_up(struct str user_id, const char *source)
{
	int64_t retry_after;

	for (int i = 0; i < ALLOWED; i++)
		CHECK_ERR(ask(user_id, source, &retry_after), OK);
	CHECK_ERR(ask(user_id, source, &retry_after), ERR_THROTTLED);
	CHECK(retry_after > 0);
}

static void who_is_signed_in_is_throttled_too_from_wherever_they_ask(void **state)
{
	int64_t retry_after;

	(void)state;
	use_up(office.alice.id, "192.0.2.1");
	CHECK_ERR(ask(office.alice.id, "192.0.2.2", &retry_after), ERR_THROTTLED);
	CHECK_ERR(ask(STR_NONE, "192.0.2.1", &retry_after), OK);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(ask(office.alice.id, "192.0.2.1", &retry_after), OK);
}

static void strangers_at_an_address_do_not_keep_out_who_is_signed_in_there(void **state)
{
	int64_t retry_after;

	(void)state;
	use_up(STR_NONE, "192.0.2.1");
	CHECK_ERR(ask(office.alice.id, "192.0.2.1", &retry_after), OK);
	/* another address of the same network is no other stranger */
	CHECK_ERR(ask(STR_NONE, "192.0.2.200", &retry_after), ERR_THROTTLED);
	CHECK_ERR(ask(STR_NONE, "192.0.3.1", &retry_after), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(who_is_signed_in_is_throttled_too_from_wherever_they_ask),
		TEST(strangers_at_an_address_do_not_keep_out_who_is_signed_in_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

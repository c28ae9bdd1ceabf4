/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing keys over their life: published, signing, retiring, gone; in turn, at once, or exposed.
 */
#include "at_office.h"

#include "authority/signing.h"
#include "store/key_rows.h"

#define LEAD DAY_MS /* signing_key_lead */

static enum err rotate(const char *purpose, enum rotation_kind kind)
{
	struct signing_wish wish = { .purpose = str_from_c(purpose),
				     .kind = kind,
				     .actor = { .kind = STR("operator") } };

	office_wait(&office, 1); /* keys of the same millisecond have no order */
	return signing_rotate(world_task(&office.world), &office.authority, &wish);
}

/* "signing", "signing retiring", …: of all keys of that purpose, oldest first. */
static struct str states(const char *purpose)
{
	struct task *task = world_task(&office.world);
	struct key_record *records = NULL;
	struct str text = STR("");
	size_t count = 0;

	CHECK_ERR(key_row_list(task, world_reader(&office.world), &records, &count), OK);
	for (size_t i = 0; i < count; i++) {
		enum signing_state state = signing_state_at(records, count, &records[i], task->now);

		if (str_equals(records[i].purpose, str_from_c(purpose)))
			text = STR_JOIN(&task->arena, text, text.len > 0 ? STR(" ") : STR(""),
					signing_state_name(state));
	}
	return text;
}

/* How many keys everybody is shown. */
static size_t published(void)
{
	CLEANUP(json_unref) json_t *jwks = NULL;
	struct task *task = world_task(&office.world);
	struct str text;

	CHECK_ERR(keys_jwks(task, office.keys, STR("access"), &text), OK);
	CHECK_ERR(json_parse(task, text, 65536, &jwks), OK);
	return json_array_size(json_object_get(jwks, "keys"));
}

static void a_key_is_published_before_it_signs_and_kept_until_its_last_token_is_dead(void **state)
{
	struct token_answer before = office_tokens(&office, "agent", "mail.read"), after;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(rotate("access", SIGNING_NORMAL), OK);
	CHECK_STR(states("access"), STR("signing published"));
	CHECK_STR(states("id"), STR("signing"));
	CHECK(published() == 2);
	office_wait(&office, LEAD);
	CHECK_STR(states("access"), STR("retiring signing"));
	CHECK_ERR(office_refresh_with(&office, before.refresh_token, &wish), OK);
	after = wish.answer;
	office_wait(&office, 4 * MINUTE_MS);
	CHECK_ERR(office_access(&office, after.access_token), OK);
	CHECK(published() == 2);
	office_wait(&office, SIGNING_OVERLAP_MS - 4 * MINUTE_MS);
	CHECK_STR(states("access"), STR("retired signing"));
	CHECK(published() == 1);
	CHECK(office_events(&office, "keys.rotated") == 1);
}

static void the_next_key_is_not_made_while_one_waits_but_may_be_told_to_sign_at_once(void **state)
{
	(void)state;
	CHECK_ERR(rotate("access", SIGNING_NORMAL), OK);
	CHECK_ERR(rotate("access", SIGNING_NORMAL), ERR_CONFLICT);
	CHECK_ERR(rotate(NULL, SIGNING_NORMAL), ERR_CONFLICT);
	CHECK_STR(states("id"), STR("signing")); /* all or none */
	CHECK_ERR(rotate("access", SIGNING_AT_ONCE), OK);
	CHECK_STR(states("access"), STR("signing published"));
	office_wait(&office, 5 * SECOND_MS);
	CHECK_STR(states("access"), STR("retiring signing"));
	CHECK_ERR(rotate("access", SIGNING_AT_ONCE), OK);
	office_wait(&office, 5 * SECOND_MS);
	CHECK_STR(states("access"), STR("retiring retiring signing"));
	CHECK_ERR(rotate("resource:nobody", SIGNING_NORMAL), ERR_NOT_FOUND);
}

static void what_an_exposed_key_signed_is_refused_at_once(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	CHECK_ERR(office_access(&office, tokens.access_token), OK); /* remembered for a second */
	CHECK_ERR(rotate("access", SIGNING_NORMAL), OK);
	CHECK_ERR(rotate("access", SIGNING_COMPROMISED), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_TOKEN);
	CHECK_STR(states("access"), STR("retired retired signing"));
	CHECK(published() == 1);
	CHECK_ERR(office_refresh_with(&office, tokens.refresh_token, &wish), OK);
	CHECK_ERR(office_access(&office, wish.answer.access_token), OK);
	CHECK(office_events(&office, "keys.compromised") == 1);
}

static void a_key_is_replaced_by_its_age_once_and_a_dead_one_loses_its_private_part(void **state)
{
	struct task *task = world_task(&office.world);
	struct key_record *records = NULL;
	size_t count = 0;

	(void)state;
	CHECK_ERR(signing_tend(task, &office.authority), OK);
	office_wait(&office, 89 * DAY_MS - 1);
	CHECK_ERR(signing_tend(world_task(&office.world), &office.authority), OK);
	CHECK_STR(states("access"), STR("signing"));
	office_wait(&office, 1);
	for (int i = 0; i < 2; i++)
		CHECK_ERR(signing_tend(world_task(&office.world), &office.authority), OK);
	CHECK_STR(states("access"), STR("signing published"));
	CHECK_STR(states("id"), STR("signing published"));
	CHECK(office_events(&office, "keys.rotated") == 2);
	office_wait(&office, LEAD + SIGNING_OVERLAP_MS);
	task = world_task(&office.world);
	CHECK_ERR(signing_tend(task, &office.authority), OK);
	CHECK_ERR(key_row_list(task, world_reader(&office.world), &records, &count), OK);
	CHECK(count == 4 && records[0].sealed.len == 0 && records[1].sealed.len == 0);
	CHECK(records[2].sealed.len > 0 && records[3].sealed.len > 0);
	CHECK(records[0].public_jwk.len > 0);
	CHECK_ERR(signing_load(task, &office.authority), OK);
}

/* Another node: the same database, a key holder of its own. */
static void what_another_node_ends_is_ended_here_when_the_mark_is_seen(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct task *task = world_task(&office.world);
	struct str root = STR_JOIN(&task->arena, office.world.dir, STR("/root.key"));
	struct authority other = office.authority;
	struct signing_wish wish = { .kind = SIGNING_COMPROMISED,
				     .actor = { .kind = STR("operator") } };

	(void)state;
	CHECK_ERR(signing_load(task, &office.authority), OK);
	CHECK_ERR(keys_open(task, root, STR("https://grantd.test"), &other.keys), OK);
	other.signing = signing_new();
	CHECK_ERR(signing_load(task, &other), OK);
	CHECK_ERR(signing_rotate(task, &other, &wish), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), OK);
	CHECK_ERR(signing_follow(world_task(&office.world), &office.authority), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_TOKEN);
	signing_free(&other.signing);
	keys_free(&other.keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	return RUN(TEST(a_key_is_published_before_it_signs_and_kept_until_its_last_token_is_dead),
		   TEST(the_next_key_is_not_made_while_one_waits_but_may_be_told_to_sign_at_once),
		   TEST(what_an_exposed_key_signed_is_refused_at_once),
		   TEST(a_key_is_replaced_by_its_age_once_and_a_dead_one_loses_its_private_part),
		   TEST(what_another_node_ends_is_ended_here_when_the_mark_is_seen));
}

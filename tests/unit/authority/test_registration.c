/* SPDX-License-Identifier: Apache-2.0 */
/* Agents that register themselves: how many may, for how long, and what is left of them. */
#include <stdio.h>

#include "applicant.h"
#include "authority/client_auth.h"
#include "authority/register_tokens.h"
#include "authority/stop.h"
#include "crypto/digest.h"
#include "store/clients.h"
#include "store/grants.h"
#include "store/outbox.h"
#include "store/register_tokens.h"
#include "store/registrations.h"
#include "store/retention.h"
#include "store/sql.h"

static void one_source_registers_so_many_a_minute_and_others_go_on(void **state)
{
	struct registering registering = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++)
		CHECK_ERR(register_from("192.0.2.1", &registering), OK);
	CHECK_ERR(register_from("192.0.2.1", &registering), ERR_THROTTLED);
	CHECK(registering.retry_after > 0 && clients() == 60);
	/* all that one subscriber has is one source */
	CHECK_ERR(register_from("192.0.2.200", &registering), ERR_THROTTLED);
	CHECK_ERR(register_from("192.0.3.1", &registering), OK);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(register_from("192.0.2.1", &registering), OK);
}

static void all_of_a_node_register_so_many_a_minute(void **state)
{
	struct registering registering = { 0 };
	char source[32];

	(void)state;
	for (int i = 0; i < 600; i++) {
		snprintf(source, sizeof(source), "10.0.%d.1", i / 60);
		CHECK_ERR(register_from(source, &registering), OK);
	}
	CHECK_ERR(register_from("192.0.2.1", &registering), ERR_THROTTLED);
	CHECK(registering.retry_after > 0 && clients() == 600);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(register_from("192.0.2.1", &registering), OK);
}

static void a_refused_registration_counts_for_nothing(void **state)
{
	struct registering registering = { .source = STR("192.0.2.1"), .body = STR("{}") };

	(void)state;
	for (int i = 0; i < 100; i++) {
		now();
		CHECK_ERR(world_run(&office.world.home, open_step, &registering), ERR_REDIRECT_URI);
	}
	CHECK_ERR(register_from("192.0.2.1", &registering), OK);
}

static void so_many_may_be_unused_and_then_the_oldest_gives_way(void **state)
{
	struct registering first, second, third = { 0 };

	(void)state;
	configure("issuer = https://grantd.test\nregistrations_max = 2\n");
	first = registered();
	office_wait(&office, SECOND_MS);
	second = registered();
	/* those that may be in a person's hands stay */
	CHECK_ERR(register_from("192.0.2.3", &third), ERR_THROTTLED);
	CHECK(is_there(first.client_id) && is_there(second.client_id));
	office_wait(&office, HOUR_MS - 2 * SECOND_MS);
	CHECK_ERR(register_from("192.0.2.3", &third), ERR_THROTTLED);
	office_wait(&office, 2 * SECOND_MS);
	CHECK_ERR(register_from("192.0.2.3", &third), OK);
	CHECK(!is_there(first.client_id) && is_there(second.client_id) && clients() == 2);
	CHECK(office_events(&office, "client.registered") == 2);
}

static void one_that_somebody_uses_takes_no_place_and_does_not_expire(void **state)
{
	struct registering used, other = { 0 };

	(void)state;
	configure("issuer = https://grantd.test\nregistrations_max = 1\n");
	used = registered();
	office_tokens(&office, used.client_id.at, "mail.read");
	CHECK_ERR(register_from("192.0.2.3", &other), OK);
	office_wait(&office, 31 * DAY_MS);
	expire();
	CHECK(is_there(used.client_id) && !is_there(other.client.id));
	CHECK(office_events(&office, "client.registered") == 1);
}

static void one_that_nobody_uses_is_removed_after_a_month_and_not_sooner(void **state)
{
	struct registering one = registered();

	(void)state;
	office_wait(&office, 30 * DAY_MS);
	expire();
	CHECK(is_there(one.client_id));
	office_wait(&office, SECOND_MS);
	expire();
	CHECK(!is_there(one.client_id));
	CHECK(office_events(&office, "client.registered") == 0);
}

static enum err delete_grants(struct task *task, struct db *db, void *arg)
{
	struct retention_slice *slice = arg;

	slice->after = STR("");
	slice->before = task->now;
	slice->limit = 1000;
	TRY(retention_families(task, db, slice));
	slice->after = STR("");
	return retention_grants(task, db, slice);
}

static void one_whose_last_grant_is_deleted_is_unused_again(void **state)
{
	struct registering one = registered();
	struct retention_slice slice = { 0 };

	(void)state;
	office_tokens(&office, one.client_id.at, "mail.read");
	office_wait(&office, 400 * DAY_MS);
	CHECK_ERR(world_write(&office.world, delete_grants, &slice), OK);
	CHECK(slice.deleted == 1);
	expire();
	CHECK(is_there(one.client_id));
	office_wait(&office, 31 * DAY_MS);
	expire();
	CHECK(!is_there(one.client_id));
	CHECK(office_events(&office, "client.registered") == 1);
}

/* The jobs' part. */
static enum err write_spread(struct task *task, struct db *db, void *arg)
{
	struct outbox_item *item = arg;

	TRY(outbox_take(task, db, task->now, task->now + HOUR_MS, item));
	return stop_spread(task, db, &office.authority, item);
}

static void a_deleted_one_ends_with_what_people_allowed_it(void **state)
{
	struct registering one = registered();
	struct token_answer tokens = office_tokens(&office, one.client_id.at, "mail.read");
	struct outbox_item item = { 0 };
	struct grant grant = office_grant(&office, one.client_id.at);

	(void)state;
	CHECK_ERR(office_access(&office, tokens.access_token), OK);
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_TOKEN);
	CHECK_ERR(world_write(&office.world, write_spread, &item), OK);
	CHECK(stop_is_to_spread(&item));
	CHECK_ERR(grant_find(now(), world_reader(&office.world), grant.id, &grant), OK);
	CHECK(grant.revoked_at != 0 && office_events(&office, "grant.revoked") == 1);
	CHECK(office_events(&office, "client.deleted") == 1);
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), ERR_TOKEN);
	/* it stays as long as the grant is remembered, so that nothing takes its place */
	office_wait(&office, 31 * DAY_MS);
	expire();
	CHECK(is_there(one.client_id));
}

static struct register_token make_token(int64_t uses, int64_t life_ms, struct str *ret_secret)
{
	struct register_token_wish wish = { STR("desk"), uses, life_ms };
	struct register_token token;

	CHECK_ERR(register_token_create(now(), &office.authority, &wish, &token, ret_secret), OK);
	return token;
}

static enum err revoke_all(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return register_token_revoke_all(task, db, task->now);
}

static void rg_015_a_token_to_register_with_runs_out(void **state)
{
	struct registering registering = { 0 };

	(void)state;
	configure("issuer = https://grantd.test\nregistration = token\n");
	CHECK_ERR(register_from("192.0.2.1", &registering), ERR_TOKEN);
	make_token(5, HOUR_MS, &registering.token);
	CHECK_ERR(register_from("192.0.2.1", &registering), OK);
	office_wait(&office, HOUR_MS);
	CHECK_ERR(register_from("192.0.2.1", &registering), ERR_TOKEN);
	CHECK(clients() == 1);
}

static void tokens_that_are_none_keep_nobody_out_who_has_one(void **state)
{
	struct registering bad = { .token = STR("grn_x") }, good = { 0 };

	(void)state;
	configure("issuer = https://grantd.test\nregistration = token\n");
	make_token(5, HOUR_MS, &good.token);
	for (int i = 0; i < 601; i++) {
		char source[32];

		snprintf(source, sizeof(source), "10.0.%d.1", i / 60);
		CHECK_ERR(register_from(source, &bad), ERR_TOKEN);
	}
	CHECK_ERR(register_from("192.0.2.1", &good), OK);
}

/* A copy of the database knows neither which were revoked since, nor how often they were used. */
static void after_a_restore_no_token_to_register_with_is_good(void **state)
{
	struct registering registering = { 0 };

	(void)state;
	configure("issuer = https://grantd.test\nregistration = token\n");
	make_token(5, HOUR_MS, &registering.token);
	CHECK_ERR(world_write(&office.world, revoke_all, NULL), OK);
	CHECK_ERR(register_from("192.0.2.1", &registering), ERR_TOKEN);
}

static enum err insert_expiring(struct task *task, struct db *db, void *arg)
{
	return client_insert(task, db, arg);
}

static void ca_008_a_secret_past_its_end_is_refused(void **state)
{
	struct client client = { .id = STR("short"),
				 .name = STR("Short"),
				 .kind = STR("registered"),
				 .auth = CLIENT_AUTH_POST,
				 .grant_types = GRANT_AUTHORIZATION_CODE,
				 .created_at = now()->now,
				 .secret_expires_at = now()->now + HOUR_MS };
	struct client_credentials credentials = { .method = CREDENTIAL_POST,
						  .client_id = client.id,
						  .secret = STR(OFFICE_SECRET) };

	(void)state;
	client.secret_hash = sha256_str(&now()->arena, STR(OFFICE_SECRET));
	CHECK_ERR(world_write(&office.world, insert_expiring, &client), OK);
	CHECK_ERR(client_authenticate(now(), &office.authority, &credentials, &client), OK);
	office_wait(&office, HOUR_MS);
	CHECK_ERR(client_authenticate(now(), &office.authority, &credentials, &client), ERR_CLIENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_source_registers_so_many_a_minute_and_others_go_on),
		TEST(all_of_a_node_register_so_many_a_minute),
		TEST(a_refused_registration_counts_for_nothing),
		TEST(so_many_may_be_unused_and_then_the_oldest_gives_way),
		TEST(one_that_somebody_uses_takes_no_place_and_does_not_expire),
		TEST(one_that_nobody_uses_is_removed_after_a_month_and_not_sooner),
		TEST(one_whose_last_grant_is_deleted_is_unused_again),
		TEST(a_deleted_one_ends_with_what_people_allowed_it),
		TEST(rg_015_a_token_to_register_with_runs_out),
		TEST(tokens_that_are_none_keep_nobody_out_who_has_one),
		TEST(after_a_restore_no_token_to_register_with_is_good),
		TEST(ca_008_a_secret_past_its_end_is_refused),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Agents that register themselves: how many may, for how long, and what is left of them. */
#include "authority/registration.h"

#include "at_office.h"
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

#define LAPTOP                                                                                     \
	"{\"redirect_uris\":[\"http://127.0.0.1/callback\"],\"client_name\":\"Laptop\","           \
	"\"grant_types\":[\"authorization_code\",\"refresh_token\"],"                              \
	"\"token_endpoint_auth_method\":\"none\"}"

static STATEMENT CLIENT_COUNT = { "SELECT count(*) FROM clients WHERE kind = 'registered'" };

static struct task *now(void)
{
	return world_task(&office.world);
}

static enum err finished(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

static enum err open_step(struct task *task, void *arg)
{
	return registration_open(task, &office.authority, arg, finished);
}

static enum err change_step(struct task *task, void *arg)
{
	return registration_change(task, &office.authority, arg, finished);
}

static enum err delete_step(struct task *task, void *arg)
{
	return registration_delete(task, &office.authority, arg, finished);
}

static enum err register_from(const char *source, struct registering *registering)
{
	*registering = (struct registering){ .body = STR(LAPTOP),
					     .source = str_from_c(source),
					     .token = registering->token };
	now();
	return world_run(&office.world.home, open_step, registering);
}

static struct registering registered(void)
{
	struct registering registering = { 0 };

	CHECK_ERR(register_from("192.0.2.1", &registering), OK);
	registering.client_id = registering.client.id;
	registering.token = registering.access_token;
	return registering;
}

static int64_t clients(void)
{
	int64_t count = 0;

	CHECK_ERR(sql_one_int(now(), world_reader(&office.world), &CLIENT_COUNT, NO_ARGS, &count),
		  OK);
	return count;
}

static bool is_there(struct str id)
{
	struct client client;
	enum err err = client_find(now(), world_reader(&office.world), id, &client);

	CHECK(err == OK || err == ERR_NOT_FOUND);
	return err == OK;
}

/* What the operator writes instead of what there is. */
static void configure(const char *text)
{
	struct config_source source = { .dir = office.world.dir };
	const struct config *config = NULL;

	office_write(&office, "grantd.conf", text);
	CHECK_ERR(config_load(now(), &source, &config), OK);
	config_live_swap(office.live, config);
}

static enum err write_expiry(struct task *task, struct db *db, void *arg)
{
	return registration_expire(task, db, &office.authority, 100, arg);
}

static void expire(void)
{
	int64_t removed = 0;

	CHECK_ERR(world_write(&office.world, write_expiry, &removed), OK);
}

static void one_source_registers_so_many_a_minute_and_others_go_on(void **state)
{
	struct registering registering = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++)
		CHECK_ERR(register_from("192.0.2.1", &registering), OK);
	CHECK_ERR(register_from("192.0.2.1", &registering), ERR_THROTTLED);
	CHECK(registering.retry_after > 0 && clients() == 60);
	CHECK_ERR(register_from("192.0.2.2", &registering), OK);
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
	office_wait(&office, 2 * HOUR_MS);
	CHECK_ERR(register_from("192.0.2.3", &third), OK);
	CHECK(!is_there(first.client_id) && is_there(second.client_id) && clients() == 2);
	CHECK(office_events(&office, "client.expired") == 1);
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
	CHECK(office_events(&office, "client.expired") == 1);
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
	expire();
	CHECK(office_events(&office, "client.expired") == 1);
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
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), ERR_TOKEN);
	/* it stays as long as the grant is remembered, so that nothing takes its place */
	office_wait(&office, 31 * DAY_MS);
	expire();
	CHECK(is_there(one.client_id));
}

static enum err update(struct registering *one)
{
	enum err err;

	one->body = STR_JOIN(&now()->arena, STR("{\"client_id\":\""), one->client_id,
			     STR("\",\"redirect_uris\":[\"https://app.example/cb\"]}"));
	err = world_run(&office.world.home, change_step, one);
	if (err == OK)
		one->token = one->access_token;
	return err;
}

static void an_update_counts_for_its_client_not_for_the_address(void **state)
{
	struct registering one = registered(), other = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++)
		CHECK_ERR(update(&one), OK);
	CHECK_ERR(update(&one), ERR_THROTTLED);
	CHECK_ERR(register_from("192.0.2.1", &other), OK);
}

static void so_many_updates_of_all_together_keep_nobody_from_registering(void **state)
{
	struct registering list[11], other = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(list); i++)
		list[i] = registered();
	for (size_t i = 0; i < 600; i++)
		CHECK_ERR(update(&list[i % 10]), OK);
	CHECK_ERR(update(&list[10]), ERR_THROTTLED);
	CHECK_ERR(register_from("192.0.2.1", &other), OK);
}

static void a_deletion_counts_for_the_address_it_comes_from(void **state)
{
	struct registering one = registered(), other = { 0 };

	(void)state;
	for (int i = 0; i < 59; i++)
		CHECK_ERR(register_from("192.0.2.1", &other), OK);
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), ERR_THROTTLED);
	CHECK(one.retry_after > 0 && is_there(one.client_id));
	one.source = STR("198.51.100.1");
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), OK);
	CHECK(!is_there(one.client_id));
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
		TEST(a_refused_registration_counts_for_nothing),
		TEST(so_many_may_be_unused_and_then_the_oldest_gives_way),
		TEST(one_that_somebody_uses_takes_no_place_and_does_not_expire),
		TEST(one_that_nobody_uses_is_removed_after_a_month_and_not_sooner),
		TEST(one_whose_last_grant_is_deleted_is_unused_again),
		TEST(a_deleted_one_ends_with_what_people_allowed_it),
		TEST(an_update_counts_for_its_client_not_for_the_address),
		TEST(so_many_updates_of_all_together_keep_nobody_from_registering),
		TEST(a_deletion_counts_for_the_address_it_comes_from),
		TEST(rg_015_a_token_to_register_with_runs_out),
		TEST(after_a_restore_no_token_to_register_with_is_good),
		TEST(ca_008_a_secret_past_its_end_is_refused),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

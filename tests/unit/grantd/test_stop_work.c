/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a resource be told, how often it is tried, and when it is given up. */
#include "grantd/stop_work.h"

#include "../authority/at_office.h"
#include "authority/account.h"
#include "authority/clients.h"
#include "config/file.h"
#include "script.h"
#include "store/grants.h"
#include "store/outbox.h"
#include "store/resource_rows.h"
#include "store/sql.h"
#include "store/users.h"

#define MANY 230
/* of an id, before its last two letters */
#define ALIKE "aaaaaaaaaaaaaaaaaaaaaaaa"

static STATEMENT WAITING = { "SELECT count(*) FROM outbox" };
static STATEMENT NEXT_DUE = { "SELECT min(due_at) FROM outbox" };

static struct task *now(void)
{
	return world_task(&office.world);
}

static int64_t number_of(const struct sql *sql)
{
	int64_t number = 0;

	CHECK_ERR(sql_one_int(now(), world_reader(&office.world), sql, NO_ARGS, &number), OK);
	return number;
}

static int64_t waiting(void)
{
	return number_of(&WAITING);
}

/* mail's on_stop from now on: that script with {username} and {client}. */
static void tell_by(const char *script)
{
	struct task *task = now();
	struct str path = script_write(task, office.world.dir, "on_stop", script);
	struct str text = str_printf(
		&task->arena,
		"{\"name\":\"mail\",\"uri\":\"" OFFICE_RESOURCE "\",\"title\":\"Mail\","
		"\"on_stop\":[\"%.*s\",\"{username}\",\"{client}\"],"
		"\"scopes\":[{\"name\":\"mail.read\",\"title\":\"Read\",\"can\":[\"read\"]}]}",
		STR_FMT(path));
	struct config_source source = { .dir = office.world.dir };
	const struct config *config = NULL;

	CHECK_ERR(file_replace(task, file_path(task, office.world.dir, STR("resources/mail.json")),
			       text, 0600),
		  OK);
	CHECK_ERR(config_load(task, &source, &config), OK);
	config_live_swap(office.live, config);
}

static struct str told(void)
{
	return script_left(now(), office.world.dir, "told");
}

#define WRITES_DOWN "echo \"$@\" >> %s/told"

static enum err run_here(struct task *task, void *context, const struct stop_names *names)
{
	const struct config *config = authority_config(&office.authority);

	(void)context;
	return stop_command_run(task, config_find_resource_named(config, names->resource), names);
}

static bool work(void)
{
	const struct stop_worker worker = { &office.authority, run_here, NULL };
	bool worked = false;

	CHECK_ERR(stop_work(now(), &worker, &worked), OK);
	return worked;
}

static struct actor person(void)
{
	return (struct actor){ .kind = STR("user"), .user_id = office.alice.id };
}

static void revoke_grant(void)
{
	struct actor actor = person();

	CHECK_ERR(
		account_revoke(now(), &office.authority, &actor, office_grant(&office, "agent").id),
		OK);
}

static void a_revoked_grant_is_told_once(void **state)
{
	(void)state;
	tell_by(WRITES_DOWN);
	office_tokens(&office, "agent", "mail.read");
	CHECK(waiting() == 0 && !work());
	revoke_grant();
	CHECK(work());
	CHECK_STR(told(), STR("alice agent\n"));
	CHECK(!work() && waiting() == 0);
	CHECK(office_events(&office, "stop.done") == 1);
}

static void what_fails_is_tried_ever_later_and_given_up_after_a_day(void **state)
{
	static const int64_t waits[] = { 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600 };

	(void)state;
	tell_by("exit 75");
	office_tokens(&office, "agent", "mail.read");
	revoke_grant();
	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		int64_t before = office.world.clock.now;

		CHECK(work());
		CHECK(number_of(&NEXT_DUE) == before + waits[i] * SECOND_MS);
		office_wait(&office, waits[i] * SECOND_MS - 1);
		CHECK(!work());
		office_wait(&office, 1);
	}
	CHECK(office_events(&office, "stop.failed") == 0);
	office_wait(&office, DAY_MS);
	CHECK(work());
	CHECK(waiting() == 0);
	CHECK(office_events(&office, "stop.failed") == 1);
	CHECK(office_events(&office, "stop.done") == 0);
}

static void nobody_there_to_be_stopped_is_no_failure(void **state)
{
	(void)state;
	tell_by("exit 68");
	office_tokens(&office, "agent", "mail.read");
	revoke_grant();
	CHECK(work());
	CHECK(waiting() == 0 && office_events(&office, "stop.done") == 1);
}

static enum err write_take(struct task *task, struct db *db, void *arg)
{
	return outbox_take(task, db, task->now, task->now + MINUTE_MS, arg);
}

static void who_took_it_and_died_does_not_lose_it(void **state)
{
	struct outbox_item taken = { 0 };

	(void)state;
	tell_by(WRITES_DOWN);
	office_tokens(&office, "agent", "mail.read");
	revoke_grant();
	CHECK_ERR(world_write(&office.world, write_take, &taken), OK);
	CHECK(!work());
	office_wait(&office, MINUTE_MS);
	CHECK(work());
	CHECK_STR(told(), STR("alice agent\n"));
}

static enum err write_item(struct task *task, struct db *db, void *arg)
{
	const struct outbox_item item = { .id = STR("out_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
					  .kind = STR("on_stop"),
					  .user_id = office.alice.id,
					  .payload = str_from_c(arg),
					  .due_at = task->now,
					  .created_at = task->now };

	return outbox_insert(task, db, &item);
}

static void queue_for(const char *payload)
{
	CHECK_ERR(world_write(&office.world, write_item, (void *)(uintptr_t)payload), OK);
}

static void a_name_is_one_argument_whatever_it_holds(void **state)
{
	(void)state;
	tell_by("echo \"$#:$1\" >> %s/told");
	queue_for("{\"resource\":\"mail\",\"username\":\"a b; touch x $(id) {client}\","
		  "\"client\":\"agent\",\"grant\":\"gra_x\"}");
	CHECK(work());
	CHECK_STR(told(), STR("2:a b; touch x $(id) {client}\n"));
}

static void a_name_is_never_an_option(void **state)
{
	(void)state;
	tell_by(WRITES_DOWN);
	queue_for("{\"resource\":\"mail\",\"username\":\"--all\",\"client\":\"agent\","
		  "\"grant\":\"gra_x\"}");
	CHECK(work());
	CHECK_STR(told(), STR(""));
	CHECK(waiting() == 1);
}

static void a_resource_that_went_away_is_told_nothing(void **state)
{
	(void)state;
	queue_for("{\"resource\":\"gone\",\"username\":\"alice\",\"client\":\"agent\","
		  "\"grant\":\"gra_x\"}");
	CHECK(work());
	CHECK(waiting() == 0);
}

static enum err write_newer_file(struct task *task, struct db *db, void *arg)
{
	const struct resource_row row = { .name = STR("gone"),
					  .uri = STR("https://grantd.test/r/gone"),
					  .file_hash = STR("of another node's file") };
	bool changed;

	(void)arg;
	return resource_row_put(task, db, &row, &changed);
}

static void a_resource_that_only_another_node_knows_is_left_to_that_node(void **state)
{
	(void)state;
	queue_for("{\"resource\":\"gone\",\"username\":\"alice\",\"client\":\"agent\","
		  "\"grant\":\"gra_x\"}");
	CHECK_ERR(world_write(&office.world, write_newer_file, NULL), OK);
	CHECK(work());
	CHECK(waiting() == 1 && office_events(&office, "stop.done") == 0);
}

static void expire_from(int64_t from)
{
	CHECK_ERR(stop_expired(now(), &office.authority, from), OK);
}

static struct token_answer tokens_for(const char *duration)
{
	struct str code = office_code(&office, "agent", "mail.read", duration);
	struct token_wish wish = office_wish(&office, "agent");

	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	return wish.answer;
}

static void a_grant_that_ran_out_is_told_once_also_after_a_restart(void **state)
{
	int64_t from = office.world.clock.now;

	(void)state;
	tokens_for("1h");
	office_wait(&office, HOUR_MS - 5 * SECOND_MS);
	expire_from(from);
	CHECK(waiting() == 0);
	office_wait(&office, 10 * SECOND_MS);
	expire_from(from);
	expire_from(from);
	CHECK(waiting() == 1);
	CHECK(office_events(&office, "grant.expired") == 1);
	CHECK_STR(
		grant_status_name(grant_status_at(
			&(struct grant){ .expires_at = office_grant(&office, "agent").expires_at },
			office.world.clock.now)),
		STR("expired"));
}

static void a_grant_that_was_allowed_anew_ends_a_second_time(void **state)
{
	int64_t from = office.world.clock.now;

	(void)state;
	tokens_for("1h");
	office_wait(&office, HOUR_MS + SECOND_MS);
	expire_from(from);
	tokens_for("1h");
	expire_from(from);
	CHECK(office_events(&office, "grant.expired") == 1);
	office_wait(&office, HOUR_MS + SECOND_MS);
	expire_from(from);
	CHECK(office_events(&office, "grant.expired") == 2);
	CHECK(waiting() == 2);
}

static void a_revoked_grant_does_not_expire(void **state)
{
	int64_t from = office.world.clock.now;

	(void)state;
	tokens_for("1h");
	revoke_grant();
	office_wait(&office, 2 * HOUR_MS);
	expire_from(from);
	CHECK(waiting() == 1);
	CHECK(office_events(&office, "grant.expired") == 0);
}

static enum err write_people(struct task *task, struct db *db, void *arg)
{
	static const struct permission permissions[] = { { .scope = STR_INIT("mail.read"),
							   .expires_at = NEVER } };
	struct str id;

	(void)arg;
	for (int i = 0; i < MANY; i++) {
		const char letters[] = { (char)('a' + i / 26), (char)('a' + i % 26), '\0' };
		struct user user = { .id = str_printf(&task->arena, "usr_" ALIKE "%s", letters),
				     .username = str_printf(&task->arena, "person-%d", i),
				     .wrapped_key = STR("key"),
				     .version = 1,
				     .created_at = task->now };
		struct grant grant = { .id = str_printf(&task->arena, "gra_" ALIKE "%s", letters),
				       .user_id = user.id,
				       .client_id = STR("agent"),
				       .resource = STR(OFFICE_RESOURCE),
				       .basis = STR("consent"),
				       .created_at = task->now,
				       .updated_at = task->now,
				       .expires_at = NEVER,
				       .permissions = permissions,
				       .permission_count = 1 };

		TRY(user_insert(task, db, &user));
		TRY(grant_put(task, db, &grant, &id));
	}
	return OK;
}

static void every_grant_of_a_disabled_agent_is_told_in_batches(void **state)
{
	struct actor operator_ = { .kind = STR("operator") };
	int told_to = 0;

	(void)state;
	CHECK_ERR(world_write(&office.world, write_people, NULL), OK);
	office_tokens(&office, "agent-2", "mail.read");
	CHECK_ERR(account_pause(now(), &office.authority, &operator_, STR("gra_" ALIKE "ah")), OK);
	CHECK(work() && waiting() == 0);
	CHECK_ERR(client_disable(now(), &office.authority, STR("agent")), OK);
	CHECK(waiting() == 1);
	CHECK(work());
	/* a hundred less the one that is paused, and one that goes on */
	CHECK(waiting() == 100);
	tell_by("echo >> %s/told");
	while (work())
		told_to++;
	CHECK(waiting() == 0);
	CHECK(told().len == MANY - 1);
	CHECK(told_to == MANY - 1 + 2);
	CHECK_ERR(client_enable(now(), &office.authority, STR("agent")), OK);
	CHECK(waiting() == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	return RUN(TEST(a_revoked_grant_is_told_once),
		   TEST(what_fails_is_tried_ever_later_and_given_up_after_a_day),
		   TEST(nobody_there_to_be_stopped_is_no_failure),
		   TEST(who_took_it_and_died_does_not_lose_it),
		   TEST(a_name_is_one_argument_whatever_it_holds), TEST(a_name_is_never_an_option),
		   TEST(a_resource_that_went_away_is_told_nothing),
		   TEST(a_resource_that_only_another_node_knows_is_left_to_that_node),
		   TEST(a_grant_that_ran_out_is_told_once_also_after_a_restart),
		   TEST(a_grant_that_was_allowed_anew_ends_a_second_time),
		   TEST(a_revoked_grant_does_not_expire),
		   TEST(every_grant_of_a_disabled_agent_is_told_in_batches));
}

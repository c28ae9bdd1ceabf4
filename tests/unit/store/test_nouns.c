/* SPDX-License-Identifier: Apache-2.0 */
/* People, agents, sessions, requests, keys, facts, counters and the outbox, on both databases. */
#include "both.h"
#include "nouns.h"
#include "store/counters.h"
#include "store/key_rows.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/resource_rows.h"
#include "store/sessions.h"

static enum err add_user(struct task *task, struct db *db, void *arg)
{
	return user_insert(task, db, arg);
}

static enum err add_client(struct task *task, struct db *db, void *arg)
{
	return client_insert(task, db, arg);
}

static void a_person_is_found_as_kept(void **state)
{
	struct world *world = *state;
	struct user user = { 0 };

	nouns_insert(world);
	CHECK_ERR(user_find(world_task(world), world_reader(world), alice.id, &user), OK);
	CHECK_STR(user.username, alice.username);
	CHECK_STR(user.sealed_profile, alice.sealed_profile);
	CHECK_STR(user.wrapped_key, alice.wrapped_key);
	CHECK(user.version == 1 && user.created_at == CHECK_NOW && user.disabled_at == 0);
	CHECK(user.status == USER_ACTIVE);
	CHECK_ERR(user_find_by_name(world_task(world), world_reader(world), STR("bob"), &user), OK);
	CHECK_STR(user.id, bob.id);
	CHECK(user.sealed_profile.at == NULL);
	CHECK_ERR(user_find_by_name(world_task(world), world_reader(world), STR("Bob"), &user),
		  ERR_NOT_FOUND);
}

static void a_name_is_given_once(void **state)
{
	struct world *world = *state;
	struct user twin = alice;
	struct user user = { 0 };
	int64_t count = 0;

	nouns_insert(world);
	twin.id = STR("usr_cccccccccccccccccccccccccc");
	CHECK_ERR(world_write(world, add_user, &twin), ERR_CONFLICT);
	CHECK_ERR(user_find(world_task(world), world_reader(world), twin.id, &user), ERR_NOT_FOUND);
	CHECK_ERR(user_count(world_task(world), world_reader(world), &count), OK);
	CHECK(count == 2);
}

static void people_are_listed_in_byte_order(void **state)
{
	static const char *const names[] = { "a-b", "a.b", "a_b", "aab", "ab", "b", "z9" };
	struct world *world = *state;
	struct user *users = NULL;
	size_t count = 0;

	for (size_t i = COUNT_OF(names); i-- > 0;) {
		struct user user = bob;

		user.id = str_printf(&world->home.task.arena, "usr_%zu", i);
		user.username = str_from_c(names[i]);
		CHECK_ERR(world_write(world, add_user, &user), OK);
	}
	CHECK_ERR(user_list(world_task(world), world_reader(world), STR_NONE, 5, &users, &count),
		  OK);
	CHECK(count == 5);
	for (size_t i = 0; i < count; i++)
		CHECK_STR(users[i].username, str_from_c(names[i]));
	CHECK_ERR(user_list(world_task(world), world_reader(world), STR("ab"), 5, &users, &count),
		  OK);
	CHECK(count == 2);
	CHECK_STR(users[0].username, STR("b"));
}

static enum err disable_alice(struct task *task, struct db *db, void *arg)
{
	return user_set_disabled(task, db, alice.id, *(int64_t *)arg);
}

static enum err disable_nobody(struct task *task, struct db *db, void *arg)
{
	return user_set_disabled(task, db, STR("usr_nobody"), *(int64_t *)arg);
}

static void a_person_is_disabled_and_enabled(void **state)
{
	struct world *world = *state;
	struct user user = { 0 };
	int64_t at = CHECK_NOW + 5;

	nouns_insert(world);
	CHECK_ERR(world_write(world, disable_alice, &at), OK);
	CHECK_ERR(user_find(world_task(world), world_reader(world), alice.id, &user), OK);
	CHECK(user.status == USER_DISABLED && user.disabled_at == at);
	at = 0;
	CHECK_ERR(world_write(world, disable_alice, &at), OK);
	CHECK_ERR(user_find(world_task(world), world_reader(world), alice.id, &user), OK);
	CHECK(user.status == USER_ACTIVE);
	CHECK_ERR(world_write(world, disable_nobody, &at), ERR_NOT_FOUND);
}

static enum err put_password(struct task *task, struct db *db, void *arg)
{
	return authenticator_put(task, db, arg);
}

static void a_password_is_replaced_only_by_the_next_version(void **state)
{
	struct world *world = *state;
	struct authenticator password = { .user_id = alice.id,
					  .kind = STR("password"),
					  .sealed = STR("first"),
					  .version = 1,
					  .created_at = CHECK_NOW,
					  .changed_at = CHECK_NOW };
	struct authenticator found = { 0 };

	nouns_insert(world);
	CHECK_ERR(world_write(world, put_password, &password), OK);
	password.sealed = STR("stale");
	CHECK_ERR(world_write(world, put_password, &password), ERR_CONFLICT);
	password.version = 2;
	password.sealed = STR("second");
	CHECK_ERR(world_write(world, put_password, &password), OK);
	CHECK_ERR(authenticator_find(world_task(world), world_reader(world), alice.id,
				     STR("password"), &found),
		  OK);
	CHECK_STR(found.sealed, STR("second"));
	CHECK(found.version == 2);
	CHECK_ERR(authenticator_find(world_task(world), world_reader(world), bob.id,
				     STR("password"), &found),
		  ERR_NOT_FOUND);
}

static void an_agent_is_found_as_kept(void **state)
{
	struct world *world = *state;
	struct client client = { 0 };
	struct client twin = mail_agent;

	nouns_insert(world);
	CHECK_ERR(client_find(world_task(world), world_reader(world), mail_agent.id, &client), OK);
	CHECK_STR(client.name, mail_agent.name);
	CHECK_STR(client.secret_hash, mail_agent.secret_hash);
	CHECK(client.auth == CLIENT_AUTH_BASIC && client.grant_types == mail_agent.grant_types);
	CHECK(client.redirect_count == 2);
	CHECK_STR(client.redirect_uris[0], mail_agent.redirect_uris[0]);
	CHECK_STR(client.redirect_uris[1], mail_agent.redirect_uris[1]);
	CHECK(client.scope.count == 2 && scope_has(client.scope, STR("mail.send")));
	CHECK(client.secret_expires_at == 0 && client.not_before == 0);
	CHECK_ERR(world_write(world, add_client, &twin), ERR_CONFLICT);
}

static void an_agent_without_secret_or_redirects_is_kept_so(void **state)
{
	struct world *world = *state;
	struct client robot = { .id = STR("robot"),
				.name = STR("Robot"),
				.kind = STR("operator"),
				.auth = CLIENT_AUTH_NONE,
				.grant_types = GRANT_CLIENT_CREDENTIALS,
				.created_at = CHECK_NOW };
	struct client client = { 0 };

	CHECK_ERR(world_write(world, add_client, &robot), OK);
	CHECK_ERR(client_find(world_task(world), world_reader(world), robot.id, &client), OK);
	CHECK(client.secret_hash.at == NULL && client.resource.at == NULL);
	CHECK(client.redirect_count == 0 && client.scope.count == 0);
}

static enum err disable_client(struct task *task, struct db *db, void *arg)
{
	const int64_t *times = arg;

	return client_set_disabled(task, db, mail_agent.id, times[0], times[1]);
}

static void not_before_never_goes_back(void **state)
{
	struct world *world = *state;
	int64_t times[2] = { CHECK_NOW, CHECK_NOW };
	struct client client = { 0 };

	nouns_insert(world);
	CHECK_ERR(world_write(world, disable_client, times), OK);
	times[0] = times[1] = 0;
	CHECK_ERR(world_write(world, disable_client, times), OK);
	CHECK_ERR(client_find(world_task(world), world_reader(world), mail_agent.id, &client), OK);
	CHECK(client.status == CLIENT_ACTIVE && client.not_before == CHECK_NOW);
}

static enum err change_client(struct task *task, struct db *db, void *arg)
{
	return client_update(task, db, arg);
}

static void an_agent_is_changed_and_listed(void **state)
{
	struct world *world = *state;
	struct client changed = mail_agent;
	struct client *clients = NULL;
	size_t count = 0;

	nouns_insert(world);
	changed.name = STR("Renamed");
	changed.redirect_count = 1;
	CHECK_ERR(world_write(world, change_client, &changed), OK);
	CHECK_ERR(
		client_list(world_task(world), world_reader(world), STR_NONE, 10, &clients, &count),
		OK);
	CHECK(count == 1 && clients[0].redirect_count == 1);
	CHECK_STR(clients[0].name, STR("Renamed"));
	CHECK_STR(clients[0].secret_hash, mail_agent.secret_hash);
	changed.id = STR("nobody");
	CHECK_ERR(world_write(world, change_client, &changed), ERR_NOT_FOUND);
}

static enum err add_key(struct task *task, struct db *db, void *arg)
{
	return key_row_insert(task, db, arg);
}

static enum err set_fact(struct task *task, struct db *db, void *arg)
{
	return fact_set(task, db, STR("issuer"), *(struct str *)arg);
}

static void keys_come_back_oldest_first(void **state)
{
	struct world *world = *state;
	struct key_record record = { .id = STR("kid-2"),
				     .purpose = STR("access"),
				     .alg = ALG_ES256,
				     .public_jwk = STR("{}"),
				     .sealed = STR("\0sealed"),
				     .created_at = CHECK_NOW,
				     .not_before = CHECK_NOW };
	struct key_record *records = NULL;
	size_t count = 0;

	CHECK_ERR(world_write(world, add_key, &record), OK);
	record.id = STR("kid-1");
	record.alg = ALG_RS256;
	record.created_at--;
	CHECK_ERR(world_write(world, add_key, &record), OK);
	CHECK_ERR(key_row_list(world_task(world), world_reader(world), &records, &count), OK);
	CHECK(count == 2 && records[0].alg == ALG_RS256 && records[1].alg == ALG_ES256);
	CHECK_STR(records[0].id, STR("kid-1"));
	CHECK_STR(records[1].sealed, STR("\0sealed"));
	CHECK(records[1].retire_at == 0);
}

static void a_fact_is_set_once(void **state)
{
	struct world *world = *state;
	struct str value = STR("https://one.example");
	struct str other = STR("https://two.example");
	struct str found = STR_NONE;

	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("issuer"), &found),
		  ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, set_fact, &value), OK);
	CHECK_ERR(world_write(world, set_fact, &value), OK);
	CHECK_ERR(world_write(world, set_fact, &other), ERR_CONFLICT);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("issuer"), &found), OK);
	CHECK_STR(found, value);
}

static enum err raise_mark(struct task *task, struct db *db, void *arg)
{
	return mark_raise(task, db, STR("clock"), *(int64_t *)arg);
}

static int64_t mark_of(struct world *world, struct str name)
{
	int64_t at = -1;

	CHECK_ERR(mark_find(world_task(world), world_reader(world), name, &at), OK);
	return at;
}

static void a_mark_only_goes_forward(void **state)
{
	struct world *world = *state;
	int64_t later = CHECK_NOW, earlier = CHECK_NOW - HOUR_MS, latest = CHECK_NOW + 1;

	CHECK(mark_of(world, STR("clock")) == 0);
	CHECK_ERR(world_write(world, raise_mark, &later), OK);
	CHECK_ERR(world_write(world, raise_mark, &earlier), OK);
	CHECK(mark_of(world, STR("clock")) == later);
	CHECK_ERR(world_write(world, raise_mark, &latest), OK);
	CHECK(mark_of(world, STR("clock")) == latest);
	CHECK(mark_of(world, STR("ends")) == 0);
}

struct putting {
	struct resource_row row;
	bool is_gone;
	bool changed;
};

static enum err put_or_delete(struct task *task, struct db *db, void *arg)
{
	struct putting *putting = arg;

	if (putting->is_gone)
		return resource_row_delete(task, db, putting->row.name, &putting->changed);
	return resource_row_put(task, db, &putting->row, &putting->changed);
}

/* Of two nodes that take up the same file only one may say so. */
static void a_resource_is_another_only_by_its_file(void **state)
{
	struct world *world = *state;
	struct putting putting = { .row = { STR("mail"), STR("https://a.example"), STR("11") } };
	static const struct {
		const char *hash; /* NULL: gone */
		bool changed;
	} steps[] = { { "11", true }, { "11", false }, { "22", true },
		      { NULL, true }, { NULL, false }, { "22", true } };
	struct resource_row *rows = NULL;
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		putting.is_gone = steps[i].hash == NULL;
		putting.row.file_hash = str_from_c(steps[i].hash);
		CHECK_ERR(world_write(world, put_or_delete, &putting), OK);
		CHECK(putting.changed == steps[i].changed);
	}
	CHECK_ERR(resource_row_list(world_task(world), world_reader(world), &rows, &count), OK);
	CHECK(count == 1);
	CHECK_STR(rows[0].file_hash, STR("22"));
}

static enum err queue_three(struct task *task, struct db *db, void *arg)
{
	static const int64_t made[] = { 300, 100, 200 };

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(made); i++)
		TRY(outbox_insert(
			task, db,
			&(struct outbox_item){ .id = str_printf(&task->arena, "out_%zu", i),
					       .kind = STR("on_stop"),
					       .user_id = STR("usr_a"),
					       .payload = STR("{}"),
					       .due_at = 1000,
					       .created_at = made[i] }));
	return OK;
}

static enum err delete_oldest(struct task *task, struct db *db, void *arg)
{
	const struct outbox_item oldest = { .id = STR("out_1") };
	bool *is_gone = arg;

	return outbox_delete(task, db, &oldest, is_gone);
}

static void the_backlog_is_what_waits_and_its_oldest(void **state)
{
	struct world *world = *state;
	int64_t count = -1, oldest = -1;
	bool is_gone = false;

	CHECK_ERR(outbox_backlog(world_task(world), world_reader(world), &count, &oldest), OK);
	CHECK(count == 0 && oldest == 0);
	CHECK_ERR(world_write(world, queue_three, NULL), OK);
	CHECK_ERR(outbox_backlog(world_task(world), world_reader(world), &count, &oldest), OK);
	CHECK(count == 3 && oldest == 100);
	CHECK_ERR(world_write(world, delete_oldest, &is_gone), OK);
	CHECK(is_gone);
	CHECK_ERR(outbox_backlog(world_task(world), world_reader(world), &count, &oldest), OK);
	CHECK(count == 2 && oldest == 200);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_person_is_found_as_kept), cmocka_unit_test(a_name_is_given_once),
		cmocka_unit_test(people_are_listed_in_byte_order),
		cmocka_unit_test(a_person_is_disabled_and_enabled),
		cmocka_unit_test(a_password_is_replaced_only_by_the_next_version),
		cmocka_unit_test(an_agent_is_found_as_kept),
		cmocka_unit_test(an_agent_without_secret_or_redirects_is_kept_so),
		cmocka_unit_test(not_before_never_goes_back),
		cmocka_unit_test(an_agent_is_changed_and_listed),
		cmocka_unit_test(keys_come_back_oldest_first), cmocka_unit_test(a_fact_is_set_once),
		cmocka_unit_test(a_mark_only_goes_forward),
		cmocka_unit_test(the_backlog_is_what_waits_and_its_oldest),
		cmocka_unit_test(a_resource_is_another_only_by_its_file));
}

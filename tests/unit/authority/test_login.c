/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in: what is counted, what costs what, what a session is worth. */
#include "at_office.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "authority/account.h"
#include "authority/login.h"
#include "authority/people.h"
#include "crypto/password.h"
#include "store/sessions.h"
#include "store/users.h"

static struct login_attempt attempt_as(const char *username, const char *password,
				       const char *source)
{
	return (struct login_attempt){ .username = str_from_c(username),
				       .password = str_from_c(password),
				       .source = str_from_c(source),
				       .browser = STR("a-new-browser"),
				       .user_agent = STR("test") };
}

static enum err try_login(struct login_attempt *attempt, struct str *ret_cookie)
{
	struct session session;

	return login_with_password(world_task(&office.world), &office.authority, attempt, &session,
				   ret_cookie);
}

static enum err wrong_from(const char *source)
{
	struct login_attempt attempt = attempt_as("alice", "wrong-password", source);
	struct str cookie;

	return try_login(&attempt, &cookie);
}

static struct str sign_in_as(struct login_attempt attempt)
{
	struct str cookie = STR_NONE;

	CHECK_ERR(try_login(&attempt, &cookie), OK);
	return cookie;
}

static enum err open_with(struct str cookie)
{
	struct session session;
	struct user user;

	return session_open(world_task(&office.world), &office.authority, cookie, &session, &user);
}

static void the_right_password_opens_a_session(void **state)
{
	struct str cookie = sign_in_as(attempt_as(" Alice ", OFFICE_PASSWORD, "192.0.2.1"));

	(void)state;
	CHECK_ERR(open_with(cookie), OK);
	CHECK_ERR(open_with(STR("another-cookie")), ERR_LOGIN_REQUIRED);
	CHECK_ERR(open_with(STR_NONE), ERR_LOGIN_REQUIRED);
	CHECK(office_events(&office, "login.succeeded") == 1);
}

static enum err write_nothing(struct task *task, struct db *db, void *arg)
{
	(void)task;
	(void)db;
	(void)arg;
	return OK;
}

/* What is written beside a request stands when a later write does. */
static void let_it_be_written(void)
{
	CHECK_ERR(world_write(&office.world, write_nothing, NULL), OK);
}

static void a_session_ends_idle_and_in_the_end(void **state)
{
	struct str cookie = sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));

	(void)state;
	for (int i = 0; i < 12; i++) {
		office_wait(&office, 59 * MINUTE_MS);
		CHECK_ERR(open_with(cookie), OK);
		let_it_be_written();
	}
	office_wait(&office, 13 * MINUTE_MS);
	CHECK_ERR(open_with(cookie), ERR_LOGIN_REQUIRED);
	cookie = sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));
	office_wait(&office, 61 * MINUTE_MS);
	CHECK_ERR(open_with(cookie), ERR_LOGIN_REQUIRED);
}

static void lg_003_argon2id_runs_once_for_known_and_unknown_names(void **state)
{
	static const char *const names[] = { "alice", "nobody", "n\303\266body", "" };
	struct str cookie;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct login_attempt attempt = attempt_as(names[i], "wrong-password", "192.0.2.1");
		uint64_t before = password_runs();

		CHECK_ERR(try_login(&attempt, &cookie), ERR_PASSWORD);
		CHECK(password_runs() == before + 1);
	}
}

static void lg_008_a_password_of_no_or_too_many_bytes_is_not_hashed(void **state)
{
	struct login_attempt attempt = attempt_as("alice", "", "192.0.2.1");
	uint64_t before = password_runs();
	struct str cookie;
	char *huge = arena_alloc(&office.world.home.task.arena, 1 << 20);

	(void)state;
	CHECK_ERR(try_login(&attempt, &cookie), ERR_REQUEST);
	attempt.password = (struct str){ huge, 1 << 20 };
	CHECK_ERR(try_login(&attempt, &cookie), ERR_REQUEST);
	CHECK(password_runs() == before);
}

static void lg_001_an_account_is_throttled_for_all_sources_but_its_own_browser(void **state)
{
	struct login_attempt own = attempt_as("alice", OFFICE_PASSWORD, "198.51.100.7");
	struct login_attempt stranger = attempt_as("alice", OFFICE_PASSWORD, "203.0.113.9");
	char source[32];
	int refused = 0;
	struct str cookie;

	(void)state;
	own.browser = STR("the-owners-browser");
	sign_in_as(own);
	for (int i = 0; i < 100; i++) {
		snprintf(source, sizeof(source), "10.0.%d.1", i);
		refused += wrong_from(source) == ERR_THROTTLED;
	}
	CHECK(refused == 90);
	CHECK_ERR(try_login(&stranger, &cookie), ERR_THROTTLED);
	CHECK(stranger.retry_after == 1);
	sign_in_as(own);
}

static void the_delay_of_a_source_doubles_to_a_minute_and_locks_nothing(void **state)
{
	int64_t expected[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	struct str cookie;

	(void)state;
	for (int i = 0; i < 10; i++)
		CHECK_ERR(wrong_from("192.0.2.1"), ERR_PASSWORD);
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		struct login_attempt attempt = attempt_as("alice", OFFICE_PASSWORD, "192.0.2.77");

		CHECK_ERR(try_login(&attempt, &cookie), ERR_THROTTLED);
		CHECK(attempt.retry_after == expected[i]);
		office_wait(&office, expected[i] * SECOND_MS);
		CHECK_ERR(wrong_from("192.0.2.5"), ERR_PASSWORD);
	}
	office_wait(&office, 60 * SECOND_MS);
	sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));
	CHECK_ERR(wrong_from("192.0.2.1"), ERR_PASSWORD);
}

static void a_disabled_person_looks_like_a_wrong_password_and_loses_the_session(void **state)
{
	struct login_attempt attempt = attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1");
	struct str cookie = sign_in_as(attempt), second;

	(void)state;
	CHECK_ERR(user_disable(world_task(&office.world), &office.authority, STR("alice")), OK);
	CHECK_ERR(open_with(cookie), ERR_LOGIN_REQUIRED);
	CHECK_ERR(try_login(&attempt, &second), ERR_PASSWORD);
	CHECK_ERR(user_enable(world_task(&office.world), &office.authority, STR("ALICE")), OK);
	CHECK_ERR(open_with(cookie), ERR_LOGIN_REQUIRED);
	sign_in_as(attempt);
}

static enum err change_password(const char *old, const char *wanted, struct str session_hash)
{
	struct task *task = world_task(&office.world);
	const struct session session = {
		.hash = session_hash,
		.browser_hash = sha256_str(&task->arena, STR(OFFICE_BROWSER)),
	};
	struct password_change change = {
		.user = &office.alice,
		.session = &session,
		.old_password = str_from_c(old),
		.new_password = str_from_c(wanted),
		.source = STR("192.0.2.1"),
	};

	return user_change_password(task, &office.authority, &change);
}

static void changing_the_password_asks_for_the_old_one_and_ends_other_sessions(void **state)
{
	struct str keep = sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));
	struct str other = sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));
	struct task *task = world_task(&office.world);
	struct login_attempt attempt = attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1");
	struct str hash = sha256_str(&task->arena, keep), cookie;

	(void)state;
	CHECK_ERR(change_password("wrong one", "a new password", hash), ERR_PASSWORD);
	CHECK_ERR(open_with(other), OK);
	CHECK_ERR(change_password(OFFICE_PASSWORD, "short", hash), ERR_REQUEST);
	CHECK_ERR(change_password(OFFICE_PASSWORD, "a new password", hash), OK);
	CHECK_ERR(open_with(keep), OK);
	CHECK_ERR(open_with(other), ERR_LOGIN_REQUIRED);
	CHECK_ERR(try_login(&attempt, &cookie), ERR_PASSWORD);
	sign_in_as(attempt_as("alice", "a new password", "192.0.2.1"));
}

/* Another password is stored, and every session ended, while the old one is being checked. */
struct meanwhile {
	pthread_t thread;
	struct world_task task;
	uint64_t runs_before;
	_Atomic bool is_entered;
};

static enum err change_meanwhile(struct task *task, struct db *db, void *arg)
{
	struct meanwhile *meanwhile = arg;
	struct authenticator next = { .user_id = office.alice.id,
				      .kind = STR("password"),
				      .sealed = STR("of another password"),
				      .version = 2,
				      .created_at = task->now,
				      .changed_at = task->now };
	int64_t ended;

	atomic_store(&meanwhile->is_entered, true);
	while (password_runs() == meanwhile->runs_before)
		sched_yield();
	TRY(authenticator_put(task, db, &next));
	return session_end_all(task, db, office.alice.id, STR_NONE, task->now, &ended);
}

static void *change(void *arg)
{
	struct meanwhile *meanwhile = arg;

	CHECK_ERR(
		store_write(&meanwhile->task.task, office.world.store, change_meanwhile, meanwhile),
		OK);
	return NULL;
}

static void start_change(struct meanwhile *meanwhile)
{
	*meanwhile = (struct meanwhile){ .runs_before = password_runs() };
	world_task_begin(&office.world, &meanwhile->task);
	CHECK(pthread_create(&meanwhile->thread, NULL, change, meanwhile) == 0);
	while (!atomic_load(&meanwhile->is_entered))
		sched_yield();
}

static void end_change(struct meanwhile *meanwhile)
{
	pthread_join(meanwhile->thread, NULL);
	world_task_end(&meanwhile->task);
}

static void a_sign_in_under_way_does_not_outlive_the_change_of_the_password(void **state)
{
	struct login_attempt attempt = attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1");
	struct meanwhile meanwhile;
	struct str cookie;

	(void)state;
	start_change(&meanwhile);
	CHECK_ERR(try_login(&attempt, &cookie), ERR_PASSWORD);
	end_change(&meanwhile);
}

static void who_knew_the_old_password_only_does_not_set_the_next(void **state)
{
	struct meanwhile meanwhile;
	struct authenticator stored;

	(void)state;
	start_change(&meanwhile);
	CHECK_ERR(change_password(OFFICE_PASSWORD, "the password of a thief", STR_NONE),
		  ERR_CONFLICT);
	end_change(&meanwhile);
	CHECK_ERR(authenticator_find(world_task(&office.world), world_reader(&office.world),
				     office.alice.id, STR("password"), &stored),
		  OK);
	CHECK_STR(stored.sealed, STR("of another password"));
}

static void a_reset_by_the_operator_pauses_every_grant(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");

	(void)state;
	CHECK_ERR(user_reset_password(world_task(&office.world), &office.authority, STR("alice"),
				      STR("set by operator")),
		  OK);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_PAUSED);
	sign_in_as(attempt_as("alice", "set by operator", "192.0.2.1"));
}

static void signing_out_everywhere_keeps_the_one_that_asked(void **state)
{
	struct str keep = sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));
	struct str other = sign_in_as(attempt_as("alice", OFFICE_PASSWORD, "192.0.2.1"));
	struct task *task = world_task(&office.world);
	int64_t ended;

	(void)state;
	CHECK_ERR(logout_everywhere(task, &office.authority, &office.alice,
				    sha256_str(&task->arena, keep), &ended),
		  OK);
	CHECK(ended == 1);
	CHECK_ERR(open_with(keep), OK);
	CHECK_ERR(open_with(other), ERR_LOGIN_REQUIRED);
}

static void a_name_is_taken_once(void **state)
{
	struct new_user again = { .username = STR("ALICE"), .password = STR("long enough") };
	struct new_user bad = { .username = STR("bob"), .password = STR("short") };
	struct user user;

	(void)state;
	CHECK_ERR(user_create(world_task(&office.world), &office.authority, &again, &user),
		  ERR_CONFLICT);
	CHECK_ERR(user_create(world_task(&office.world), &office.authority, &bad, &user),
		  ERR_REQUEST);
	bad.password = STR("long enough");
	bad.email = STR("no address");
	CHECK_ERR(user_create(world_task(&office.world), &office.authority, &bad, &user),
		  ERR_REQUEST);
}

static void the_email_is_sealed_and_opens_for_its_person(void **state)
{
	struct str email;

	(void)state;
	CHECK_ERR(user_email(world_task(&office.world), &office.authority, &office.alice, &email),
		  OK);
	CHECK_STR(email, STR("alice@example.org"));
	CHECK(memmem(office.alice.sealed_profile.at, office.alice.sealed_profile.len, "example",
		     7) == NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_right_password_opens_a_session),
		TEST(a_session_ends_idle_and_in_the_end),
		TEST(lg_003_argon2id_runs_once_for_known_and_unknown_names),
		TEST(lg_008_a_password_of_no_or_too_many_bytes_is_not_hashed),
		TEST(lg_001_an_account_is_throttled_for_all_sources_but_its_own_browser),
		TEST(the_delay_of_a_source_doubles_to_a_minute_and_locks_nothing),
		TEST(a_disabled_person_looks_like_a_wrong_password_and_loses_the_session),
		TEST(changing_the_password_asks_for_the_old_one_and_ends_other_sessions),
		TEST(a_sign_in_under_way_does_not_outlive_the_change_of_the_password),
		TEST(who_knew_the_old_password_only_does_not_set_the_next),
		TEST(a_reset_by_the_operator_pauses_every_grant),
		TEST(signing_out_everywhere_keeps_the_one_that_asked),
		TEST(a_name_is_taken_once),
		TEST(the_email_is_sealed_and_opens_for_its_person),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

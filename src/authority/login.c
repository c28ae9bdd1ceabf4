/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/login.h"

#include "authority/aside.h"
#include "authority/events.h"
#include "authority/login_throttle.h"
#include "authority/people.h"
#include "authority/throttle.h"
#include "base/tally.h"
#include "crypto/base64.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/sessions.h"
#include "store/users.h"

#define COOKIE_BYTES   32
#define USER_AGENT_MAX 512
#define TOUCH_MS       MINUTE_MS

struct signing_in {
	struct login_throttle throttle;
	struct user user;
	struct stored_password stored; /* no hash for whom argon2id runs all the same */
	struct session session;
	struct event event;
};

/* The person of that name, and the password of an active one. */
static enum err find_person(struct task *task, const struct authority *authority,
			    struct str username, struct signing_in *signing_in)
{
	struct user *user = &signing_in->user;
	struct db *db = NULL;
	enum err err;

	TRY(store_reader(task, authority->store, &db));
	err = user_find_by_name(task, db, username, user);
	if (err == OK && user->status == USER_ACTIVE)
		err = password_stored(task, authority, user, &signing_in->stored);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return OK;
}

static struct str personal_of(struct task *task, struct str address, struct str user_agent)
{
	struct buf buf = buf_in(&task->arena, 4096);
	struct json_writer json = json_write_to(&buf);
	struct str text;

	json_open_object(&json);
	json_member_str(&json, "address", address);
	json_member_str(&json, "user_agent", str_sub(user_agent, 0, USER_AGENT_MAX));
	json_close(&json);
	return buf_finish(&buf, &text) == OK ? text : STR("{}");
}

static struct seal_place session_place(struct task *task, const struct session *session)
{
	return (struct seal_place){
		.table = STR("sessions"),
		.row = base64url_encode(&task->arena, session->hash),
		.column = STR("agent"),
		.user_id = session->user_id,
		.version = 1,
	};
}

static enum err write_failure(struct task *task, struct db *db, void *arg)
{
	const struct signing_in *signing_in = arg;

	TRY(login_throttle_count(task, db, &signing_in->throttle));
	return signing_in->user.id.at == NULL ? OK : event_insert(task, db, &signing_in->event);
}

static enum err refuse(struct task *task, const struct authority *authority,
		       const struct login_attempt *attempt, struct signing_in *signing_in)
{
	signing_in->event = event_new(task, STR("login.failed"), STR("system"));
	if (signing_in->user.id.at != NULL)
		TRY(event_seal(task, authority, &signing_in->user,
			       personal_of(task, attempt->source, attempt->user_agent),
			       &signing_in->event));
	TRY(store_write(task, authority->store, write_failure, signing_in));
	tally_add(task, TALLY_SIGN_IN_WRONG);
	return fail(task, ERR_PASSWORD, "user name or password is wrong");
}

/* Nobody disabled, and no password but the one of now: checking it took a while. */
static enum err check_again(struct task *task, struct db *db, const struct signing_in *signing_in)
{
	struct str user_id = signing_in->user.id;
	bool is_active;
	enum err err;

	TRY(user_take(task, db, user_id, &is_active));
	if (!is_active)
		return fail(task, ERR_PASSWORD, "user name or password is wrong");
	err = authenticator_take(task, db, user_id, STR("password"), signing_in->stored.version);
	if (err == ERR_CONFLICT)
		return fail(task, ERR_PASSWORD, "user name or password is wrong");
	return err;
}

static enum err write_session(struct task *task, struct db *db, void *arg)
{
	const struct signing_in *signing_in = arg;

	TRY(check_again(task, db, signing_in));
	TRY(login_throttle_clear(task, db, &signing_in->throttle));
	TRY(session_insert(task, db, &signing_in->session));
	return event_insert(task, db, &signing_in->event);
}

static enum err sign_in(struct task *task, const struct authority *authority,
			const struct login_attempt *attempt, struct str browser_hash,
			struct signing_in *signing_in, struct str *ret_cookie)
{
	struct session *session = &signing_in->session;
	char random[COOKIE_BYTES];
	struct str cookie, personal;
	struct seal_place place;

	random_bytes(random, sizeof(random));
	cookie = base64url_encode(&task->arena, (struct str){ random, sizeof(random) });
	*session = (struct session){
		.hash = sha256_str(&task->arena, cookie),
		.user_id = signing_in->user.id,
		.browser_hash = browser_hash,
		.created_at = task->now,
		.last_seen_at = task->now,
		.expires_at = task->now + SESSION_LIFE_MS,
	};
	personal = personal_of(task, attempt->source, attempt->user_agent);
	place = session_place(task, session);
	TRY(keys_seal(task, authority->keys, signing_in->user.wrapped_key, &place, personal,
		      &session->sealed_agent));
	signing_in->event = event_new(task, STR("login.succeeded"), STR("user"));
	TRY(event_seal(task, authority, &signing_in->user, personal, &signing_in->event));
	TRY(store_write(task, authority->store, write_session, signing_in));
	tally_add(task, TALLY_SIGN_IN);
	*ret_cookie = cookie;
	return OK;
}

enum err login_with_password(struct task *task, const struct authority *authority,
			     struct login_attempt *attempt, struct session *ret_session,
			     struct str *ret_cookie)
{
	struct signing_in *signing_in = NEW(&task->arena, struct signing_in);
	struct str browser_hash = sha256_str(&task->arena, attempt->browser);
	struct str username = STR("");
	struct login_guess guess = { .source = attempt->source, .browser_hash = browser_hash };
	bool fits;

	if (str_is_empty(attempt->password) || attempt->password.len > PASSWORD_MAX)
		return fail(task, ERR_REQUEST, "the password is empty or too long");
	if (username_normalise(task, attempt->username, &username) == OK)
		TRY(find_person(task, authority, username, signing_in));
	task_forgive(task);
	guess.username = username;
	guess.user_id = signing_in->user.id;
	TRY(login_throttle_open(task, authority, &guess, &signing_in->throttle));
	TRY(login_throttle_check(task, authority, &signing_in->throttle, &attempt->retry_after));
	TRY(password_fits(task, &signing_in->stored, attempt->password, &fits));
	if (!fits)
		return refuse(task, authority, attempt, signing_in);
	TRY(sign_in(task, authority, attempt, browser_hash, signing_in, ret_cookie));
	*ret_session = signing_in->session;
	return OK;
}

static enum err write_touch(struct task *task, struct db *db, void *arg)
{
	const struct str *hash = arg;

	return session_touch(task, db, *hash, task->now);
}

/*
 * When it was last seen, beside the request: one that is lost ends a session sooner, never later. A
 * row grows no longer by it, and who is to stop something must get to the page, so also on a full
 * disk. Once a minute, also while the disk stands still: what waits here takes room in the queue
 * from what stops something.
 */
static void touch(struct task *task, const struct authority *authority,
		  const struct session *session)
{
	struct task *aside;
	struct str *hash;

	if (!throttle_count(task, authority->throttle, THROTTLE_TOUCH, session->hash))
		return;
	aside = aside_new(task);
	hash = NEW(&aside->arena, struct str);
	*hash = str_copy(&aside->arena, session->hash);
	aside_submit_stop(aside, authority, write_touch, hash);
}

static bool is_over(const struct task *task, const struct session *session)
{
	return session->ended_at != 0 || session->expires_at <= task->now ||
	       session->last_seen_at + SESSION_IDLE_MS <= task->now;
}

enum err session_open(struct task *task, const struct authority *authority, struct str cookie,
		      struct session *ret_session, struct user *ret_user)
{
	struct signed_in found = { 0 };
	struct db *db = NULL;
	enum err err;

	if (str_is_empty(cookie))
		return fail(task, ERR_LOGIN_REQUIRED, "nobody is signed in");
	TRY(store_reader(task, authority->store, &db));
	err = session_find(task, db, sha256_str(&task->arena, cookie), &found);
	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_LOGIN_REQUIRED, "the session is not known");
	TRY(err);
	if (is_over(task, &found.session) || found.user.status != USER_ACTIVE)
		return fail(task, ERR_LOGIN_REQUIRED, "the session is over");
	if (task->now - found.session.last_seen_at > TOUCH_MS)
		touch(task, authority, &found.session);
	*ret_session = found.session;
	*ret_user = found.user;
	return OK;
}

struct signing_out {
	struct session session;
	struct event event;
	int64_t ended;
};

static enum err write_end(struct task *task, struct db *db, void *arg)
{
	const struct signing_out *out = arg;

	TRY(session_end(task, db, out->session.hash, task->now));
	return event_insert(task, db, &out->event);
}

enum err logout(struct task *task, const struct authority *authority, const struct session *session)
{
	struct signing_out out = { .session = *session,
				   .event = event_new(task, STR("logout"), STR("user")) };

	out.event.user_id = session->user_id;
	return store_stop(task, authority->store, write_end, &out);
}

static enum err write_end_all(struct task *task, struct db *db, void *arg)
{
	struct signing_out *out = arg;

	TRY(session_end_all(task, db, out->session.user_id, out->session.hash, task->now,
			    &out->ended));
	return event_insert(task, db, &out->event);
}

enum err logout_everywhere(struct task *task, const struct authority *authority,
			   const struct user *user, struct str keep, int64_t *ret_ended)
{
	struct signing_out out = { .event = event_new(task, STR("logout.everywhere"),
						      STR("user")) };

	out.session.user_id = user->id;
	out.session.hash = keep;
	out.event.user_id = user->id;
	TRY(store_stop(task, authority->store, write_end_all, &out));
	*ret_ended = out.ended;
	return OK;
}

enum err session_describe(struct task *task, const struct authority *authority,
			  const struct user *user, const struct session *session,
			  struct str *ret_user_agent, struct str *ret_address)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	CLEANUP(json_unref) json_t *json = NULL;
	struct seal_place place = session_place(task, session);

	TRY(keys_unseal(task, authority->keys, user->wrapped_key, &place, session->sealed_agent,
			&plain));
	TRY(json_parse(task, secret_reveal(&plain), 4096, &json));
	*ret_user_agent = str_copy(&task->arena, json_get_str(json, "user_agent"));
	*ret_address = str_copy(&task->arena, json_get_str(json, "address"));
	return OK;
}

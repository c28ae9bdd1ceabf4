/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/people.h"

#include "authority/events.h"
#include "authority/login_throttle.h"
#include "authority/stop.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/grants.h"
#include "store/sessions.h"
#include "store/users.h"

#define PROFILE_MAX 1024

/* One change of one person, written with its event. */
struct change {
	const struct authority *authority;
	struct user user;
	struct authenticator password; /* user_id absent: not changed */
	struct login_throttle throttle;
	bool clears_throttle;
	bool ends_sessions;
	struct str keep_session;
	bool pauses_grants;
	bool stops_resources;
	int64_t disabled_at;
	struct event event;
};

static struct seal_place profile_place(const struct user *user)
{
	return (struct seal_place){ .table = STR("users"),
				    .row = user->id,
				    .column = STR("profile"),
				    .user_id = user->id,
				    .version = user->version };
}

static struct seal_place password_place(struct str user_id, int64_t version)
{
	return (struct seal_place){ .table = STR("authenticators"),
				    .row = user_id,
				    .column = STR("password"),
				    .user_id = user_id,
				    .version = version };
}

static enum err seal_password(struct task *task, const struct authority *authority,
			      const struct user *user, struct str password, int64_t version,
			      struct authenticator *ret_authenticator)
{
	struct seal_place place = password_place(user->id, version);
	struct authenticator authenticator = {
		.user_id = user->id,
		.kind = STR("password"),
		.version = version,
		.created_at = task->now,
		.changed_at = task->now,
	};
	struct str hash;

	TRY(password_hash(task, password, &hash));
	TRY(keys_seal(task, authority->keys, user->wrapped_key, &place, hash,
		      &authenticator.sealed));
	*ret_authenticator = authenticator;
	return OK;
}

static enum err find_password(struct task *task, const struct authority *authority,
			      struct str user_id, struct authenticator *ret_authenticator)
{
	struct db *db = NULL;

	TRY(store_reader(task, authority->store, &db));
	return authenticator_find(task, db, user_id, STR("password"), ret_authenticator);
}

enum err password_stored(struct task *task, const struct authority *authority,
			 const struct user *user, struct stored_password *ret_password)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct authenticator password = { 0 };
	struct seal_place place;

	TRY(find_password(task, authority, user->id, &password));
	place = password_place(user->id, password.version);
	TRY(keys_unseal(task, authority->keys, user->wrapped_key, &place, password.sealed, &plain));
	*ret_password = (struct stored_password){
		.hash = str_copy(&task->arena, secret_reveal(&plain)),
		.version = password.version,
	};
	return OK;
}

enum err password_fits(struct task *task, const struct stored_password *stored, struct str password,
		       bool *ret_fits)
{
	enum err err = password_verify(task, stored->hash, password);

	if (err != OK && err != ERR_PASSWORD)
		return err;
	*ret_fits = err == OK;
	return OK;
}

static enum err seal_profile(struct task *task, const struct authority *authority, struct str email,
			     struct user *user)
{
	struct buf buf = buf_in(&task->arena, PROFILE_MAX);
	struct json_writer json = json_write_to(&buf);
	struct seal_place place = profile_place(user);
	struct str text;

	json_open_object(&json);
	json_member_str(&json, "email", email);
	json_close(&json);
	TRY(buf_finish(&buf, &text));
	return keys_seal(task, authority->keys, user->wrapped_key, &place, text,
			 &user->sealed_profile);
}

static enum err write_new(struct task *task, struct db *db, void *arg)
{
	const struct change *change = arg;

	TRY(user_insert(task, db, &change->user));
	if (change->password.user_id.at != NULL)
		TRY(authenticator_put(task, db, &change->password));
	return event_insert(task, db, &change->event);
}

enum err user_create(struct task *task, const struct authority *authority,
		     const struct new_user *wish, struct user *ret_user)
{
	struct change *change = NEW(&task->arena, struct change);
	struct user *user = &change->user;

	TRY(username_normalise(task, wish->username, &user->username));
	if (!str_is_empty(wish->email))
		TRY(email_check(task, wish->email));
	user->id = random_id(&task->arena, "usr_");
	user->version = 1;
	user->created_at = task->now;
	TRY(keys_new_user_key(task, authority->keys, user->id, &user->wrapped_key));
	TRY(seal_profile(task, authority, wish->email, user));
	if (!str_is_empty(wish->password))
		TRY(seal_password(task, authority, user, wish->password, 1, &change->password));
	change->event = event_new(task, STR("user.created"), STR("operator"));
	change->event.user_id = user->id;
	TRY(store_write(task, authority->store, write_new, change));
	*ret_user = *user;
	return OK;
}

/* Each with its event: no event, no effect. */
static enum err pause_grants(struct task *task, struct db *db, const struct change *change)
{
	struct grant *grants = NULL;
	size_t count = 0;

	TRY(grant_pause_all(task, db, change->user.id, task->now, &grants, &count));
	for (size_t i = 0; i < count; i++) {
		struct event event = event_new(task, STR("grant.paused"), STR("operator"));

		event.user_id = grants[i].user_id;
		event.client_id = grants[i].client_id;
		event.grant_id = grants[i].id;
		event.resource = grants[i].resource;
		event.details = STR("{\"why\":\"password_reset\"}");
		TRY(stop_queue(task, db, change->authority, &grants[i], change->user.username));
		TRY(event_insert(task, db, &event));
	}
	return OK;
}

static enum err write_change(struct task *task, struct db *db, void *arg)
{
	const struct change *change = arg;
	int64_t ended;

	if (change->password.user_id.at != NULL)
		TRY(authenticator_put(task, db, &change->password));
	if (change->clears_throttle)
		TRY(login_throttle_clear(task, db, &change->throttle));
	if (change->ends_sessions)
		TRY(session_end_all(task, db, change->user.id, change->keep_session, task->now,
				    &ended));
	if (change->stops_resources)
		TRY(stop_queue_all(task, db, change->authority, change->user.id,
				   change->user.username));
	if (change->pauses_grants)
		TRY(pause_grants(task, db, change));
	return event_insert(task, db, &change->event);
}

static enum err write_status(struct task *task, struct db *db, void *arg)
{
	const struct change *change = arg;

	TRY(user_set_disabled(task, db, change->user.id, change->disabled_at));
	return write_change(task, db, arg);
}

static enum err find_named(struct task *task, const struct authority *authority,
			   struct str username, struct user *ret_user)
{
	struct db *db = NULL;
	struct str normal;

	TRY(username_normalise(task, username, &normal));
	TRY(store_reader(task, authority->store, &db));
	return user_find_by_name(task, db, normal, ret_user);
}

enum err user_disable(struct task *task, const struct authority *authority, struct str username)
{
	struct change *change = NEW(&task->arena, struct change);

	TRY(find_named(task, authority, username, &change->user));
	if (change->user.status == USER_DISABLED)
		return OK;
	change->authority = authority;
	change->disabled_at = task->now;
	change->stops_resources = true;
	change->ends_sessions = true;
	change->event = event_new(task, STR("user.disabled"), STR("operator"));
	change->event.user_id = change->user.id;
	return store_stop(task, authority->store, write_status, change);
}

enum err user_enable(struct task *task, const struct authority *authority, struct str username)
{
	struct change *change = NEW(&task->arena, struct change);

	TRY(find_named(task, authority, username, &change->user));
	if (change->user.status == USER_ACTIVE)
		return OK;
	change->event = event_new(task, STR("user.enabled"), STR("operator"));
	change->event.user_id = change->user.id;
	return store_write(task, authority->store, write_status, change);
}

/* The version after the one that is stored; 1 for a first password. */
static enum err next_password(struct task *task, const struct authority *authority,
			      const struct user *user, struct str password,
			      struct authenticator *ret_authenticator)
{
	struct authenticator old = { 0 };
	enum err err = find_password(task, authority, user->id, &old);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return seal_password(task, authority, user, password, old.version + 1, ret_authenticator);
}

enum err user_reset_password(struct task *task, const struct authority *authority,
			     struct str username, struct str password)
{
	struct change *change = NEW(&task->arena, struct change);

	TRY(find_named(task, authority, username, &change->user));
	TRY(next_password(task, authority, &change->user, password, &change->password));
	change->authority = authority;
	change->ends_sessions = true;
	change->pauses_grants = true;
	change->event = event_new(task, STR("password.reset"), STR("operator"));
	change->event.user_id = change->user.id;
	return store_stop(task, authority->store, write_change, change);
}

static enum err count_wrong(struct task *task, struct db *db, void *arg)
{
	const struct change *change = arg;

	TRY(login_throttle_count(task, db, &change->throttle));
	return event_insert(task, db, &change->event);
}

static enum err refuse_guess(struct task *task, const struct authority *authority,
			     struct change *change)
{
	change->event = event_new(task, STR("login.failed"), STR("system"));
	change->event.user_id = change->user.id;
	TRY(store_write(task, authority->store, count_wrong, change));
	return fail(task, ERR_PASSWORD, "the present password is wrong");
}

/* Guesses count for this browser, which has signed in: strangers' do not keep its owner out. */
static enum err check_guesses(struct task *task, const struct authority *authority,
			      struct password_change *wish, struct change *change)
{
	struct login_guess guess = { .username = wish->user->username,
				     .user_id = wish->user->id,
				     .source = wish->source,
				     .browser_hash = wish->session->browser_hash };

	TRY(login_throttle_open(task, authority, &guess, &change->throttle));
	return login_throttle_check(task, authority, &change->throttle, &wish->retry_after);
}

enum err user_change_password(struct task *task, const struct authority *authority,
			      struct password_change *wish)
{
	struct change *change = NEW(&task->arena, struct change);
	struct stored_password stored = { 0 };
	const struct user *user = wish->user;
	bool fits;

	change->user = *user;
	if (wish->old_password.len > PASSWORD_MAX || wish->new_password.len > PASSWORD_MAX ||
	    wish->new_password.len < PASSWORD_MIN)
		return fail(task, ERR_REQUEST, "a password has 8 to 1024 bytes");
	TRY(check_guesses(task, authority, wish, change));
	TRY(password_stored(task, authority, user, &stored));
	TRY(password_fits(task, &stored, wish->old_password, &fits));
	if (!fits)
		return refuse_guess(task, authority, change);
	/* the one behind the one that was checked, not behind whatever is stored by now */
	TRY(seal_password(task, authority, user, wish->new_password, stored.version + 1,
			  &change->password));
	change->clears_throttle = true;
	change->ends_sessions = true;
	change->keep_session = wish->session->hash;
	change->event = event_new(task, STR("password.changed"), STR("user"));
	change->event.user_id = user->id;
	return store_write(task, authority->store, write_change, change);
}

enum err user_email_of(struct task *task, const struct authority *authority, struct str user_id,
		       struct str *ret_email)
{
	struct user user = { 0 };
	struct db *db = NULL;

	TRY(store_reader(task, authority->store, &db));
	TRY(user_find(task, db, user_id, &user));
	return user_email(task, authority, &user, ret_email);
}

enum err user_email(struct task *task, const struct authority *authority, const struct user *user,
		    struct str *ret_email)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	CLEANUP(json_unref) json_t *profile = NULL;
	struct seal_place place = profile_place(user);

	TRY(keys_unseal(task, authority->keys, user->wrapped_key, &place, user->sealed_profile,
			&plain));
	TRY(json_parse(task, secret_reveal(&plain), PROFILE_MAX, &profile));
	*ret_email = str_copy(&task->arena, json_get_str(profile, "email"));
	return OK;
}

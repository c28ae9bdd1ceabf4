/* SPDX-License-Identifier: Apache-2.0 */
#include "store/users.h"
#include "admin/room.h"
#include "authority/people.h"

static const struct member create_members[] = {
	{ "username", MEMBER_TEXT, true },
	{ "email", MEMBER_TEXT, false },
	{ "password", MEMBER_TEXT, false },
};

static const struct member password_members[] = {
	{ "password", MEMBER_TEXT, true },
};

static enum err write_user(struct exchange *exchange, struct json_writer *json, const void *item)
{
	struct arena *arena = &exchange->task.arena;
	const struct user *user = item;

	json_member_str(json, "id", user->id);
	json_member_str(json, "username", user->username);
	json_member_str(json, "status", user_status_name(user->status));
	member_time(json, arena, "created_at", user->created_at);
	member_time(json, arena, "disabled_at", user->disabled_at);
	return OK;
}

static const struct list_shape list_shape = { "users", sizeof(struct user),
					      offsetof(struct user, username), write_user };

enum err admin_find_user(struct exchange *exchange, struct str username, struct user *ret_user)
{
	struct task *task = &exchange->task;
	struct db *db = NULL;
	struct str name;

	if (username_normalise(task, username, &name) != OK)
		return fail(task, ERR_NOT_FOUND, "there is no user of that name");
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	return user_find_by_name(task, db, name, ret_user);
}

static enum err answer_user(struct exchange *exchange, unsigned status, const struct user *user)
{
	struct task *task = &exchange->task;
	struct str email = STR("");
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(user_email(task, admin_authority(exchange), user, &email));
	json_open_object(&json);
	TRY(write_user(exchange, &json, user));
	member_text(&json, "email", email.len == 0 ? STR_NONE : email);
	json_close(&json);
	return admin_answer(exchange, status, &buf);
}

/* The person as now stored. */
static enum err answer_found(struct exchange *exchange)
{
	struct user user = { 0 };

	TRY(admin_find_user(exchange, exchange->request.params[0], &user));
	return answer_user(exchange, 200, &user);
}

enum err users_list(struct exchange *exchange)
{
	static const char *const allowed[] = { "after", "limit", NULL };
	struct task *task = &exchange->task;
	struct list_query query;
	struct user *users = NULL;
	struct db *db = NULL;
	size_t count = 0;

	TRY(admin_query(exchange, allowed, &query));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(user_list(task, db, query.after, query.limit, &users, &count));
	return admin_answer_list(exchange, &list_shape, users, count, query.limit);
}

enum err users_create(struct exchange *exchange)
{
	CLEANUP(json_unref) json_t *body = NULL;
	struct new_user wish;
	struct user user = { 0 };

	TRY(admin_body(exchange, create_members, COUNT_OF(create_members), &body));
	wish = (struct new_user){ .username = json_get_str(body, "username"),
				  .email = json_get_str(body, "email"),
				  .password = json_get_str(body, "password") };
	TRY(user_create(&exchange->task, admin_authority(exchange), &wish, &user));
	return answer_user(exchange, 201, &user);
}

enum err users_show(struct exchange *exchange)
{
	return answer_found(exchange);
}

enum err users_disable(struct exchange *exchange)
{
	TRY(user_disable(&exchange->task, admin_authority(exchange), exchange->request.params[0]));
	return answer_found(exchange);
}

enum err users_enable(struct exchange *exchange)
{
	TRY(user_enable(&exchange->task, admin_authority(exchange), exchange->request.params[0]));
	return answer_found(exchange);
}

enum err users_password(struct exchange *exchange)
{
	CLEANUP(json_unref) json_t *body = NULL;

	TRY(admin_body(exchange, password_members, COUNT_OF(password_members), &body));
	TRY(user_reset_password(&exchange->task, admin_authority(exchange),
				exchange->request.params[0], json_get_str(body, "password")));
	return answer_found(exchange);
}

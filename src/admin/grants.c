/* SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

#include "admin/room.h"
#include "authority/account.h"
#include "crypto/random.h"
#include "store/users.h"

static void write_permissions(struct json_writer *json, struct arena *arena,
			      const struct grant *grant)
{
	json_key(json, "permissions");
	json_open_array(json);
	for (size_t i = 0; i < grant->permission_count; i++) {
		const struct permission *permission = &grant->permissions[i];

		json_open_object(json);
		json_member_str(json, "scope", permission->scope);
		json_member_str(json, "mode", mode_name(permission->mode));
		member_time(json, arena, "granted_at", permission->granted_at);
		member_time(json, arena, "expires_at", permission->expires_at);
		json_member_str(json, "consent_event", permission->consent_event);
		json_close(json);
	}
	json_close(json);
}

static struct str scope_of(struct arena *arena, const struct grant *grant)
{
	struct str text = STR("");

	for (size_t i = 0; i < grant->permission_count; i++)
		text = STR_JOIN(arena, text, i > 0 ? STR(" ") : STR(""),
				grant->permissions[i].scope);
	return text;
}

static enum err write_grant(struct exchange *exchange, struct json_writer *json, const void *item)
{
	struct task *task = &exchange->task;
	const struct grant *grant = item;
	struct user user = { 0 };
	struct db *db = NULL;

	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(user_find(task, db, grant->user_id, &user));
	json_member_str(json, "id", grant->id);
	json_member_str(json, "status", grant_status_name(grant_status_at(grant, task->now)));
	json_member_str(json, "user", user.username);
	json_member_str(json, "client_id", grant->client_id);
	json_member_str(json, "resource", grant->resource);
	json_member_str(json, "scope", scope_of(&task->arena, grant));
	member_time(json, &task->arena, "created_at", grant->created_at);
	member_time(json, &task->arena, "expires_at", grant->expires_at);
	member_time(json, &task->arena, "last_used_at", grant->last_used_at);
	member_time(json, &task->arena, "paused_at", grant->paused_at);
	member_time(json, &task->arena, "operator_paused_at", grant->operator_paused_at);
	member_time(json, &task->arena, "restored_at", grant->restored_at);
	member_time(json, &task->arena, "revoked_at", grant->revoked_at);
	member_text(json, "revoked_by", grant->revoked_at == 0 ? STR_NONE : grant->revoked_by);
	write_permissions(json, &task->arena, grant);
	return OK;
}

static const struct list_shape list_shape = { "grants", sizeof(struct grant),
					      offsetof(struct grant, id), write_grant };

enum err grants_list(struct exchange *exchange)
{
	static const char *const allowed[] = { "after", "limit", "user", NULL };
	struct task *task = &exchange->task;
	struct grant *grants = NULL;
	struct user user = { 0 };
	struct list_query query;
	struct db *db = NULL;
	size_t count = 0;

	TRY(admin_query(exchange, allowed, &query));
	if (query.after.at != NULL && !id_is_valid(query.after, "gra_"))
		return fail(task, ERR_REQUEST, "after is a grant's id");
	if (query.user.at != NULL)
		TRY(admin_find_user(exchange, query.user, &user));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(grant_list(task, db, &(struct grant_page){ user.id, query.after, query.limit }, &grants,
		       &count));
	return admin_answer_list(exchange, &list_shape, grants, count, query.limit);
}

enum err grants_show(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct grant grant = { 0 };
	struct db *db = NULL;
	struct str id;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(admin_id(exchange, "gra_", &id));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(grant_find(task, db, id, &grant));
	json_open_object(&json);
	TRY(write_grant(exchange, &json, &grant));
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

static struct actor operator_of(const struct exchange *exchange)
{
	return (struct actor){ .kind = STR("operator"), .request_id = exchange->request_id };
}

enum err grants_pause(struct exchange *exchange)
{
	struct actor actor = operator_of(exchange);
	struct str id;

	TRY(admin_id(exchange, "gra_", &id));
	TRY(account_pause(&exchange->task, admin_authority(exchange), &actor, id));
	return grants_show(exchange);
}

enum err grants_resume(struct exchange *exchange)
{
	struct actor actor = operator_of(exchange);
	struct str id;

	TRY(admin_id(exchange, "gra_", &id));
	TRY(account_resume(&exchange->task, admin_authority(exchange), &actor, id));
	return grants_show(exchange);
}

enum err grants_revoke(struct exchange *exchange)
{
	struct actor actor = operator_of(exchange);
	struct str id;

	TRY(admin_id(exchange, "gra_", &id));
	TRY(account_revoke(&exchange->task, admin_authority(exchange), &actor, id));
	return grants_show(exchange);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/register_tokens.h"

#include "admin/room.h"
#include "store/register_tokens.h"

#define DEFAULT_LIFE_MS (7 * DAY_MS)

static const struct member create_members[] = {
	{ "name", MEMBER_TEXT, false },
	{ "uses", MEMBER_NUMBER, false },
	{ "expires_in", MEMBER_NUMBER, false },
};

static struct str status_of(const struct register_token *token, int64_t now)
{
	if (token->revoked_at != 0)
		return STR("revoked");
	if (token->expires_at <= now)
		return STR("expired");
	return token->used >= token->uses ? STR("used up") : STR("active");
}

static enum err write_token(struct exchange *exchange, struct json_writer *json, const void *item)
{
	struct task *task = &exchange->task;
	const struct register_token *token = item;

	json_member_str(json, "id", token->id);
	json_member_str(json, "name", token->name);
	json_member_str(json, "status", status_of(token, task->now));
	json_member_int(json, "uses", token->uses);
	json_member_int(json, "used", token->used);
	member_time(json, &task->arena, "created_at", token->created_at);
	member_time(json, &task->arena, "expires_at", token->expires_at);
	member_time(json, &task->arena, "revoked_at", token->revoked_at);
	return OK;
}

static const struct list_shape list_shape = { "register_tokens", sizeof(struct register_token),
					      offsetof(struct register_token, id), write_token };

static enum err answer_token(struct exchange *exchange, unsigned status,
			     const struct register_token *token, struct str secret)
{
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	json_open_object(&json);
	TRY(write_token(exchange, &json, token));
	if (secret.at != NULL)
		json_member_str(&json, "register_token", secret);
	json_close(&json);
	return admin_answer(exchange, status, &buf);
}

enum err register_tokens_list(struct exchange *exchange)
{
	static const char *const allowed[] = { "after", "limit", NULL };
	struct task *task = &exchange->task;
	struct register_token *tokens = NULL;
	struct list_query query;
	struct db *db = NULL;
	size_t count = 0;

	TRY(admin_query(exchange, allowed, &query));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(register_token_list(task, db, query.after, query.limit, &tokens, &count));
	return admin_answer_list(exchange, &list_shape, tokens, count, query.limit);
}

/* A number of the body, or what it is when none is said; what cannot be one is 0. */
static int64_t number_of(const json_t *body, const char *name, int64_t absent, int64_t unit)
{
	const json_t *value = json_object_get(body, name);
	int64_t number = json_integer_value(value);

	if (value == NULL)
		return absent;
	return number < 1 || number > INT32_MAX ? 0 : number * unit;
}

enum err register_tokens_create(struct exchange *exchange)
{
	CLEANUP(json_unref) json_t *body = NULL;
	struct task *task = &exchange->task;
	struct register_token token = { 0 };
	struct register_token_wish wish;
	struct str secret = STR_NONE;

	TRY(admin_body(exchange, create_members, COUNT_OF(create_members), &body));
	wish = (struct register_token_wish){
		.name = json_get_str(body, "name"),
		.uses = number_of(body, "uses", 1, 1),
		.life_ms = number_of(body, "expires_in", DEFAULT_LIFE_MS, SECOND_MS),
	};
	TRY(register_token_create(task, admin_authority(exchange), &wish, &token, &secret));
	return answer_token(exchange, 201, &token, secret);
}

enum err register_tokens_revoke(struct exchange *exchange)
{
	struct register_token token = { 0 };
	struct str id;

	TRY(admin_id(exchange, "rtk_", &id));
	TRY(register_token_end(&exchange->task, admin_authority(exchange), id, &token));
	return answer_token(exchange, 200, &token, STR_NONE);
}

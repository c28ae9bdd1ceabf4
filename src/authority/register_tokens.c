/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/register_tokens.h"

#include "authority/events.h"
#include "base/json.h"
#include "base/printable.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/register_tokens.h"

#define TOKEN_BYTES 32
#define NAME_MAX    128
#define DETAILS_MAX 256

struct writing {
	struct register_token token;
	struct str token_hash;
	struct event event;
};

static enum err name_token(struct task *task, struct writing *writing, const char *kind)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	writing->event = event_new(task, str_from_c(kind), STR("operator"));
	json_open_object(&json);
	json_member_str(&json, "register_token", writing->token.id);
	json_close(&json);
	return buf_finish(&buf, &writing->event.details);
}

static enum err write_new(struct task *task, struct db *db, void *arg)
{
	const struct writing *writing = arg;

	TRY(register_token_insert(task, db, &writing->token, writing->token_hash));
	return event_insert(task, db, &writing->event);
}

enum err register_token_create(struct task *task, const struct authority *authority,
			       const struct register_token_wish *wish,
			       struct register_token *ret_token, struct str *ret_secret)
{
	struct writing *writing = NEW(&task->arena, struct writing);
	char random[TOKEN_BYTES];
	struct str secret;

	if (wish->name.len > NAME_MAX || !str_is_text(wish->name) || !str_is_printable(wish->name))
		return fail(task, ERR_REQUEST, "whom it is for has at most 128 bytes one can see");
	if (wish->uses < 1 || wish->uses > REGISTER_TOKEN_USES_MAX)
		return fail(task, ERR_REQUEST, "it may be used 1 to 100000 times");
	if (wish->life_ms < MINUTE_MS || wish->life_ms > REGISTER_TOKEN_LIFE_MAX)
		return fail(task, ERR_REQUEST, "it may be good for a minute to 366 days");
	random_bytes(random, sizeof(random));
	secret = STR_JOIN(&task->arena, STR("grn_"),
			  base64url_encode(&task->arena, (struct str){ random, sizeof(random) }));
	writing->token = (struct register_token){
		.id = random_id(&task->arena, "rtk_"),
		.name = wish->name.at == NULL ? STR("") : wish->name,
		.uses = wish->uses,
		.created_at = task->now,
		.expires_at = task->now + wish->life_ms,
	};
	writing->token_hash = sha256_str(&task->arena, secret);
	TRY(name_token(task, writing, "register_token.created"));
	TRY(store_write(task, authority->store, write_new, writing));
	*ret_token = writing->token;
	*ret_secret = secret;
	return OK;
}

static enum err write_end(struct task *task, struct db *db, void *arg)
{
	struct writing *writing = arg;
	struct str id = writing->token.id;

	TRY(register_token_revoke(task, db, id, task->now));
	TRY(event_insert(task, db, &writing->event));
	return register_token_find(task, db, id, &writing->token);
}

enum err register_token_end(struct task *task, const struct authority *authority, struct str id,
			    struct register_token *ret_token)
{
	struct writing *writing = NEW(&task->arena, struct writing);

	writing->token.id = id;
	TRY(name_token(task, writing, "register_token.revoked"));
	TRY(store_stop(task, authority->store, write_end, writing));
	*ret_token = writing->token;
	return OK;
}

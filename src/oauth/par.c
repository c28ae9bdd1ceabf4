/* SPDX-License-Identifier: Apache-2.0 */
/* Pushed authorization requests (RFC 9126). Never a redirect, never a page: a client asks. */
#include "authority/pushed.h"

#include "authority/single_use.h"
#include "base/json.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"
#include "oauth/proof.h"
#include "oauth/reply.h"

static enum err write_answer(struct exchange *exchange, const struct auth_request *request)
{
	struct buf buf = buf_in(&exchange->task.arena, OAUTH_REPLY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text;

	json_open_object(&json);
	json_member_str(&json, "request_uri", pushed_uri(&exchange->task.arena, request->id));
	json_member_int(&json, "expires_in", PUSHED_LIFE_MS / SECOND_MS);
	json_close(&json);
	TRY(buf_finish(&buf, &text));
	reply_with(exchange, 201, STR("application/json"), text);
	return OK;
}

static enum err refuse(struct task *task, enum err result, void *arg)
{
	const struct authorize_wish *wish = arg;

	oauth_retry_after(exchange_of(task), wish->refusal.retry_after);
	return result;
}

/* The step after the commit, and the way out of a refusal before it. */
static enum err answer_push(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	struct authorize_wish *wish = arg;

	if (result == OK)
		return write_answer(exchange, &wish->request);
	return single_use_refuse(task, oauth_authority(exchange), &wish->single_use, result, refuse,
				 wish);
}

enum err oauth_par(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct authorize_wish *wish = NEW(&task->arena, struct authorize_wish);
	struct dpop dpop = { 0 };
	struct form form;
	enum err err;

	TRY(parameters_read(exchange, &form));
	wish->params = parameters_authorization(&form);
	wish->params.source = exchange->request.peer.address;
	TRY(oauth_client(exchange, &form, &wish->client, &wish->single_use));
	err = oauth_proof(exchange, STR_NONE, &dpop);
	wish->single_use.proof = dpop.spent;
	if (err == OK)
		err = pushed_open(task, oauth_authority(exchange), wish, dpop.jkt, answer_push);
	return err == ERR_PARKED ? ERR_PARKED : answer_push(task, err, wish);
}

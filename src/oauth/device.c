/* SPDX-License-Identifier: Apache-2.0 */
/* Where an agent without a browser asks (RFC 8628 3.1). */
#include "authority/device.h"

#include "authority/dpop.h"
#include "authority/single_use.h"
#include "base/json.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"
#include "oauth/proof.h"
#include "oauth/reply.h"

static enum err write_answer(struct exchange *exchange, const struct device_wish *wish)
{
	struct buf buf = buf_in(&exchange->task.arena, OAUTH_REPLY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str page = STR_JOIN(buf.arena, authority_config(wish->authority)->issuer,
				   STR("/device"));

	json_open_object(&json);
	json_member_str(&json, "device_code", wish->device_code);
	json_member_str(&json, "user_code", wish->user_code);
	json_member_str(&json, "verification_uri", page);
	json_member_str(&json, "verification_uri_complete",
			STR_JOIN(buf.arena, page, STR("?user_code="), wish->user_code));
	json_member_int(&json, "expires_in", DEVICE_LIFE_MS / SECOND_MS);
	json_member_int(&json, "interval", DEVICE_INTERVAL_MS / SECOND_MS);
	json_close(&json);
	return oauth_reply_json(exchange, &buf);
}

static enum err answer_wish(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	const struct device_wish *wish = arg;

	if (result == OK)
		return write_answer(exchange, wish);
	oauth_retry_after(exchange, wish->retry_after);
	return result;
}

/* Once a proof or an assertion that came with it is spent. */
static enum err ask(struct task *task, enum err result, void *arg)
{
	struct device_wish *wish = arg;
	enum err err;

	TRY(result);
	err = device_ask(task, oauth_authority(exchange_of(task)), wish, answer_wish);
	return err == ERR_PARKED ? ERR_PARKED : answer_wish(task, err, wish);
}

/* By a proof or by its name (RFC 9449 10): the key that has to ask for the tokens. */
static enum err take_key(struct exchange *exchange, const struct form *form,
			 struct device_wish *wish, struct single_use *single_use)
{
	struct task *task = &exchange->task;
	struct str named = form_get(form, "dpop_jkt");
	struct dpop dpop;

	TRY(oauth_proof(exchange, STR_NONE, &dpop));
	if (named.at != NULL && !dpop_jkt_is_valid(named))
		return fail(task, ERR_REQUEST, "dpop_jkt is not a SHA-256 thumbprint");
	if (named.at != NULL && dpop.jkt.at != NULL && !str_equals(named, dpop.jkt))
		return fail(task, ERR_DPOP, "dpop_jkt is not the key of the proof");
	wish->jkt = dpop.jkt.at != NULL ? dpop.jkt : named;
	single_use->proof = dpop.spent;
	return OK;
}

enum err oauth_device(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	const struct authority *authority = oauth_authority(exchange);
	struct device_wish *wish = NEW(&task->arena, struct device_wish);
	struct single_use single_use = { 0 };
	struct form form;
	enum err err;

	if (authority_config(authority)->device_flow == DEVICE_FLOW_OFF)
		return fail(task, ERR_NOT_FOUND, "there is nothing for devices here");
	TRY(parameters_read(exchange, &form));
	TRY(oauth_client(exchange, &form, &wish->client, &single_use));
	err = take_key(exchange, &form, wish, &single_use);
	if (err != OK)
		return single_use_refuse(task, authority, &single_use, err, answer_wish, wish);
	wish->scope = form_get(&form, "scope");
	wish->resource = form_get(&form, "resource");
	wish->resource_count = form_count(&form, "resource");
	wish->conditions = form_get(&form, "authorization_details");
	wish->source = exchange->request.peer.address;
	if (single_use_is_empty(&single_use))
		return ask(task, OK, wish);
	return single_use_submit(task, authority, &single_use, ask, wish);
}

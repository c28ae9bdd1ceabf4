/* SPDX-License-Identifier: Apache-2.0 */
/* grant_type=device_code (RFC 8628 3.4): has the person answered? Then, once, the tokens. */
#include "authority/device.h"
#include "authority/redemption.h"
#include "authority/throttle.h"
#include "store/requests.h"

struct poll {
	struct redemption redemption; /* first: wish->work of redemption.h */
	bool is_too_soon;
};

static enum err find_request(struct task *task, struct token_wish *wish)
{
	struct redemption *redemption = wish->work;
	struct db *db = NULL;
	enum err err;

	if (!str_starts_with(wish->device_code, STR("gdc_")))
		return fail(task, ERR_GRANT, "this is not a device code");
	redemption->code_hash = sha256_str(&task->arena, wish->device_code);
	TRY(store_reader(task, wish->authority->store, &db));
	err = auth_request_find_code(task, db, redemption->code_hash, &redemption->request);
	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_GRANT, "the device code is not known");
	TRY(err);
	/* another client's code, or key, changes nothing (RFC 9449 10) */
	if (!str_equals(redemption->request.client_id, wish->client.id))
		return fail(task, ERR_GRANT, "the device code is not known");
	if (redemption->request.dpop_jkt.at != NULL &&
	    !str_equals(redemption->request.dpop_jkt, wish->jkt))
		return fail(task, ERR_GRANT, "the device code is for another DPoP key");
	return OK;
}

static enum err note_poll(struct task *task, struct db *db, void *arg)
{
	const struct token_wish *wish = arg;
	struct poll *poll = wish->work;

	TRY(single_use_spend(task, db, &wish->single_use));
	return auth_request_poll(task, db, poll->redemption.request.id, task->now,
				 &poll->is_too_soon);
}

static enum err noted(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;
	const struct poll *poll = wish->work;

	wish->is_spent = result == OK;
	if (result != OK)
		return wish->then(task, result, wish);
	if (poll->is_too_soon)
		return wish->then(
			task, fail(task, ERR_SLOW_DOWN, "wait 5 seconds longer from now on"), wish);
	return wish->then(task, fail(task, ERR_PENDING, "the person has not answered yet"), wish);
}

static enum err tell_to_wait(struct task *task, struct token_wish *wish)
{
	const struct authority *authority = wish->authority;
	const struct redemption *redemption = wish->work;
	struct str id = redemption->request.id;

	if (redemption->request.expires_at <= task->now)
		return fail(task, ERR_EXPIRED, "nobody answered in time; ask for a new code");
	TRY(throttle_check(task, authority->throttle, THROTTLE_DEVICE_POLL, id,
			   &wish->retry_after));
	throttle_count(task, authority->throttle, THROTTLE_DEVICE_POLL, id);
	/* what is spent once is kept for good; when a device asked last is not */
	return single_use_is_empty(&wish->single_use)
		       ? store_submit_relaxed(task, authority->store, note_poll, wish, noted)
		       : store_submit(task, authority->store, note_poll, wish, noted);
}

static enum err take_answer(struct task *task, struct token_wish *wish)
{
	const struct redemption *redemption = wish->work;

	if (redemption->request.code_expires_at <= task->now)
		return fail(task, ERR_EXPIRED, "the answer was not fetched in time");
	TRY(redemption_bind(task, wish));
	return redemption_start(task, wish, OK, STR_NONE);
}

enum err token_poll_device(struct task *task, const struct authority *authority,
			   struct token_wish *wish, then_fn *then)
{
	struct poll *poll = NEW(&task->arena, struct poll);

	wish->authority = authority;
	wish->then = then;
	wish->work = poll;
	if (authority_config(authority)->device_flow == DEVICE_FLOW_OFF)
		return fail(task, ERR_GRANT_TYPE, "no such grant type here");
	if (!device_is_for(authority, &wish->client))
		return fail(task, ERR_CLIENT_NOT_ALLOWED, "this client may not use device_code");
	if (str_is_empty(wish->device_code))
		return fail(task, ERR_REQUEST, "device_code is missing");
	TRY(find_request(task, wish));
	if (wish->resource.at != NULL)
		TRY(token_check_resource(task, wish->resource, poll->redemption.request.resource));
	switch (poll->redemption.request.state) {
	case REQUEST_PENDING:
		return tell_to_wait(task, wish);
	case REQUEST_CODE:
		return take_answer(task, wish);
	case REQUEST_DENIED:
		return fail(task, ERR_DENIED, "the person said no");
	case REQUEST_PUSHED: /* of /par only */
	case REQUEST_SPENT:
		break;
	}
	return redemption_refuse_spent(task, wish, true);
}

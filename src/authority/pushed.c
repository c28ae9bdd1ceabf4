/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/pushed.h"

#include "authority/throttle_shared.h"
#include "crypto/random.h"
#include "store/clients.h"
#include "store/requests.h"

/* RFC 9126 2.2; behind it the request's id, 128 bits of chance */
static const struct str prefix = STR_INIT("urn:ietf:params:oauth:request_uri:");

bool pushed_is_meant(struct str request_uri)
{
	return str_starts_with(request_uri, prefix) &&
	       id_is_valid(str_from(request_uri, prefix.len), "req_");
}

struct str pushed_uri(struct arena *arena, struct str id)
{
	return STR_JOIN(arena, prefix, id);
}

/*
 * Each is a row, for a minute. Whoever authenticates has a measure of its own; in the name of a
 * public client anybody can push, so there it goes by address too, and all together have one.
 */
static enum err check_measure(struct task *task, struct authorize_wish *wish)
{
	const struct authority *authority = wish->authority;
	bool is_public = client_is_public(&wish->client);
	struct str who = wish->client.id;

	if (is_public)
		who = STR_JOIN(&task->arena, who, STR(" "), wish->params.source);
	TRY(throttle_check(task, authority->throttle, THROTTLE_PUSH, who,
			   &wish->refusal.retry_after));
	if (is_public)
		TRY(throttle_check(task, authority->throttle, THROTTLE_PUSH_ALL, wish->client.id,
				   &wish->refusal.retry_after));
	(void)throttle_spend(task, authority, THROTTLE_PUSH, who, NULL);
	if (is_public)
		(void)throttle_count(task, authority->throttle, THROTTLE_PUSH_ALL, wish->client.id);
	return OK;
}

static enum err bind(struct task *task, struct authorize_params *params, struct str jkt)
{
	if (jkt.at == NULL)
		return OK;
	if (params->dpop_jkt.at != NULL && !str_equals(params->dpop_jkt, jkt))
		return fail(task, ERR_REQUEST, "dpop_jkt is another key than that of the proof");
	params->dpop_jkt = jkt;
	return OK;
}

static enum err write_pushed(struct task *task, struct db *db, void *arg)
{
	const struct authorize_wish *wish = arg;

	TRY(single_use_spend(task, db, &wish->single_use));
	return auth_request_insert(task, db, &wish->request);
}

enum err pushed_open(struct task *task, const struct authority *authority,
		     struct authorize_wish *wish, struct str jkt, then_fn *then)
{
	wish->authority = authority;
	wish->refusal = (struct authorize_refusal){ 0 };
	wish->params.client_id = wish->client.id;
	TRY(check_measure(task, wish));
	if (wish->params.request_uri.at != NULL)
		return fail(task, ERR_REQUEST, "a pushed request has no request_uri of its own");
	TRY(bind(task, &wish->params, jkt));
	TRY(auth_request_check_sender(task, wish));
	TRY(auth_request_check(task, wish));
	wish->request.id = random_id(&task->arena, "req_");
	wish->request.state = REQUEST_PUSHED;
	wish->request.browser_hash = STR("");
	wish->request.expires_at = task->now + PUSHED_LIFE_MS;
	return store_submit(task, authority->store, write_pushed, wish, then);
}

/* One sentence for all: who tries other clients' requests learns nothing of them. */
static enum err refuse(struct task *task)
{
	return fail(task, ERR_PUSHED,
		    "this request_uri is none of this agent's, was opened in another browser, or "
		    "is over");
}

static bool is_of_browser(struct task *task, const struct auth_request *request, struct str browser)
{
	return !str_is_empty(browser) && request->state != REQUEST_PUSHED &&
	       str_equals(request->browser_hash, sha256_str(&task->arena, browser));
}

static enum err find_request(struct task *task, struct authorize_wish *wish)
{
	struct auth_request *request = &wish->request;
	struct str id = str_from(wish->params.request_uri, prefix.len);
	struct db *db = NULL;
	enum err err;

	TRY(store_reader(task, wish->authority->store, &db));
	err = auth_request_find(task, db, id, request);
	if (err == ERR_NOT_FOUND)
		return refuse(task);
	TRY(err);
	wish->is_taken = is_of_browser(task, request, wish->params.browser);
	if (!str_equals(request->client_id, wish->params.client_id))
		return refuse(task);
	if (!wish->is_taken &&
	    (request->state != REQUEST_PUSHED || request->expires_at <= task->now))
		return refuse(task);
	err = client_find(task, db, request->client_id, &wish->client);
	if (err == ERR_NOT_FOUND || (err == OK && wish->client.status != CLIENT_ACTIVE))
		return fail(task, ERR_CLIENT, "this agent is not registered here");
	return err;
}

static enum err write_taken(struct task *task, struct db *db, void *arg)
{
	struct authorize_wish *wish = arg;
	struct auth_request now = { 0 };
	enum err err = auth_request_take(task, db, &wish->request);

	if (err != ERR_CONFLICT)
		return err;
	/* the same browser twice at once, or another one was faster */
	task_forgive(task);
	TRY(auth_request_find(task, db, wish->request.id, &now));
	return is_of_browser(task, &now, wish->params.browser) ? OK : refuse(task);
}

/* What a browser shows, the person sees; the agent is told only where it was told before. */
enum err pushed_take(struct task *task, const struct authority *authority,
		     struct authorize_wish *wish, then_fn *then)
{
	struct auth_request *request = &wish->request;

	wish->authority = authority;
	wish->refusal = (struct authorize_refusal){ 0 };
	if (wish->params.request.at != NULL)
		return fail(task, ERR_REQUEST_OBJECT, "request objects are not supported");
	TRY(find_request(task, wish));
	wish->params.redirect_uri = request->redirect_uri;
	wish->params.state = request->oauth_state;
	TRY(auth_request_check_sender(task, wish)); /* it may have been changed since */
	TRY(auth_request_check_trusted(task, wish));
	wish->refusal.redirect_uri = request->redirect_uri;
	wish->refusal.state = request->oauth_state;
	TRY(auth_request_check_silent(task, wish));
	if (wish->is_taken)
		return OK;
	request->browser_hash = sha256_str(&task->arena, wish->params.browser);
	request->expires_at = task->now + REQUEST_LIFE_MS;
	return store_submit(task, authority->store, write_taken, wish, then);
}

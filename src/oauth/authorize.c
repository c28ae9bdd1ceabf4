/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/documents.h"
#include "authority/key_sets.h"
#include "authority/pushed.h"
#include "base/tally.h"
#include "base/url.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"
#include "oauth/reply.h"

static const char *const repeatable[] = { "resource", NULL };

static bool is_post(const struct exchange *exchange)
{
	return str_equals(exchange->request.method, STR("POST"));
}

/* What is asked, and of whom. */
struct asking {
	struct authorize_wish wish; /* first: what the rules hand on */
	struct consent_asked who;
};

static void read_asking(struct exchange *exchange, const struct form *form, struct asking *asking)
{
	const struct oauth_config *config = &oauth_of(exchange)->config;
	struct authorize_params *params = &asking->wish.params;

	config->who(exchange, config->web, &asking->who);
	*params = parameters_authorization(form);
	params->browser = asking->who.browser;
	params->user_id = asking->who.user == NULL ? STR_NONE : asking->who.user->id;
	params->source = exchange->request.peer.address;
}

/*
 * Of what the client could do something about; the rest is a matter between the person and us. Who
 * opens what another browser was faster to open is told nothing of it.
 */
static bool concerns_client(enum err err, const struct authorize_refusal *refusal)
{
	return refusal->redirect_uri.at != NULL && err != ERR_CLIENT && err != ERR_PUSHED &&
	       oauth_answer_of(err)->status == 400;
}

/*
 * RFC 9700 4.11.2: only where authority allows is the browser sent there; else a page has the link,
 * and says where it leads.
 */
static enum err refuse(struct exchange *exchange, enum err err,
		       const struct authorize_refusal *refusal)
{
	const struct oauth_config *config = &oauth_of(exchange)->config;
	struct task *task = &exchange->task;
	struct str word = str_from_c(oauth_answer_of(err)->word);
	struct authorize_answer answer;
	struct str location;

	oauth_retry_after(exchange, refusal->retry_after);
	if (!concerns_client(err, refusal))
		return err;
	answer = (struct authorize_answer){
		.redirect_uri = refusal->redirect_uri,
		.state = refusal->state,
		.error = word,
		.description = oauth_description(&task->arena, task->reason),
	};
	TRY(authorize_redirect(task, oauth_authority(exchange), &answer, &location));
	if (!refusal->may_redirect) {
		tally_refusal(task, err);
		config->error_page(exchange, err, location, config->web);
		return OK;
	}
	log_info(task, "authorize.refused", LOG_STR("error", word),
		 LOG_STR("reason", task->reason));
	reply_redirect(exchange, 303, location);
	return OK;
}

/*
 * OAuth 2.1 3.1: each parameter once. Authority hears of it as a defect, so that the client is told
 * where it may be; of a repeated client_id, redirect_uri, state or request_uri nothing can be
 * trusted.
 */
static enum err check_repeated(struct task *task, const struct form *form)
{
	static const char *const unsure[] = { "client_id", "redirect_uri", "state", "request_uri" };

	for (size_t i = 0; i < COUNT_OF(unsure); i++)
		if (form_count(form, unsure[i]) > 1)
			return failf(task, ERR_REQUEST, "repeated parameter: %s", unsure[i]);
	return OK;
}

/*
 * A form of another site comes without our cookies (SameSite=Lax): answered as it is, it would put
 * a new browser cookie over the one there, and take who is signed in for a stranger. A GET brings
 * them along.
 */
static enum err ask_by_get(struct exchange *exchange, const struct form *form)
{
	struct buf buf = buf_in(&exchange->task.arena, HTTP_TARGET_MAX);
	struct str location;

	buf_add_c(&buf, "/authorize");
	for (size_t i = 0; i < form->count; i++) {
		buf_add_char(&buf, i == 0 ? '?' : '&');
		url_encode(&buf, form->fields[i].name);
		buf_add_char(&buf, '=');
		url_encode(&buf, form->fields[i].value);
	}
	TRY(buf_finish(&buf, &location));
	reply_redirect(exchange, 303, location);
	return OK;
}

/*
 * The step after the commit, and the way out of a refusal before it. Who is signed in has the
 * question here; others go on at the consent page, which asks for a sign-in itself.
 */
static enum err answer_wish(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	const struct authorize_wish *wish = arg;

	if (result != OK) {
		exchange->reply = (struct reply){ 0 };
		return refuse(exchange, result, &wish->refusal);
	}
	task_tag(task, "client", wish->request.client_id);
	if (exchange->reply.status != 0)
		return OK;
	reply_redirect(exchange, 303,
		       STR_JOIN(&task->arena, STR("/consent?request="), wish->request.id));
	return OK;
}

static enum err ask_again(struct exchange *exchange)
{
	reply_redirect(
		exchange, 303,
		STR_JOIN(&exchange->task.arena, STR("/authorize?"), exchange->request.query));
	return OK;
}

/* Once more to the same address: what the document says is in the store by now. */
static enum err come_back(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	struct document_need *need = arg;

	if (result != OK) {
		oauth_retry_after(exchange, need->fetch.retry_after);
		return result;
	}
	return ask_again(exchange);
}

/* What is not said to the client: it is nobody yet. Nobody signed in: first that, then again. */
static enum err need_document(struct exchange *exchange, const struct authorize_params *params)
{
	struct task *task = &exchange->task;
	const struct oauth_config *config = &oauth_of(exchange)->config;
	struct document_need *need = NEW(&task->arena, struct document_need);
	enum err err;

	need->client_id = params->client_id;
	need->fetch.user_id = params->user_id;
	err = document_need(task, oauth_authority(exchange), need, come_back, need);
	if (err == ERR_LOGIN_REQUIRED)
		return config->sign_in(exchange, config->web);
	if (err != OK && err != ERR_PARKED)
		oauth_retry_after(exchange, need->fetch.retry_after);
	return err;
}

/*
 * Signing in and fetching a document may take longer than a pushed request lasts: first it becomes
 * this browser's, then all comes again.
 */
static enum err go_on_pushed(struct task *task, enum err result, void *arg)
{
	const struct authorize_wish *wish = arg;

	if (result == OK && document_is_meant(wish->client.id))
		return ask_again(exchange_of(task));
	return answer_wish(task, result, arg);
}

static enum err open_pushed(struct exchange *exchange, struct authorize_wish *wish)
{
	struct task *task = &exchange->task;
	enum err err;

	if (wish->params.defect.at != NULL) {
		task_note(task, ERR_REQUEST, wish->params.defect);
		return ERR_REQUEST;
	}
	err = pushed_take(task, oauth_authority(exchange), wish, go_on_pushed);
	if (err == ERR_PARKED)
		return ERR_PARKED;
	if (err == OK && document_is_meant(wish->client.id)) {
		err = need_document(exchange, &wish->params);
		if (err != OK || exchange->reply.status != 0)
			return err;
	}
	return answer_wish(task, err, wish);
}

/* Once more to the same address: the keys are in the store by now. */
static enum err come_back_with_keys(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	struct key_set_need *need = arg;

	if (result != OK) {
		oauth_retry_after(exchange, need->fetch.retry_after);
		return result;
	}
	return ask_again(exchange);
}

/* As need_document, for the keys that the client publishes elsewhere. */
static enum err need_keys(struct exchange *exchange, const struct authorize_wish *wish)
{
	struct task *task = &exchange->task;
	const struct oauth_config *config = &oauth_of(exchange)->config;
	struct key_set_need *need = NEW(&task->arena, struct key_set_need);
	enum err err;

	need->fetch.user_id = wish->params.user_id;
	err = key_set_need(task, config->authority, &wish->client, need, come_back_with_keys, need);
	if (err == ERR_LOGIN_REQUIRED)
		return config->sign_in(exchange, config->web);
	if (err != OK && err != ERR_PARKED)
		oauth_retry_after(exchange, need->fetch.retry_after);
	return err;
}

static enum err open_wish(struct exchange *exchange, struct asking *asking)
{
	const struct oauth_config *config = &oauth_of(exchange)->config;
	struct authorize_wish *wish = &asking->wish;

	TRY(auth_request_open(&exchange->task, config->authority, wish));
	if (wish->client.jwks_uri.at != NULL) {
		enum err err = need_keys(exchange, wish);

		if (err != OK || exchange->reply.status != 0)
			return err;
	}
	if (asking->who.user != NULL)
		TRY(config->ask(exchange, config->web, &asking->who, wish));
	return auth_request_keep(&exchange->task, wish, answer_wish);
}

enum err oauth_authorize(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct asking *asking = NEW(&task->arena, struct asking);
	struct authorize_wish *wish = &asking->wish;
	struct form form;
	enum err err;

	TRY(form_parse(task, is_post(exchange) ? exchange->request.body : exchange->request.query,
		       &form));
	if (is_post(exchange))
		return ask_by_get(exchange, &form);
	TRY(check_repeated(task, &form));
	read_asking(exchange, &form, asking);
	if (form_check_single(task, &form, repeatable) != OK)
		wish->params.defect = task->reason;
	if (pushed_is_meant(wish->params.request_uri))
		return open_pushed(exchange, wish);
	if (document_is_meant(wish->params.client_id)) {
		err = need_document(exchange, &wish->params);
		if (err != OK || exchange->reply.status != 0)
			return err;
	}
	err = open_wish(exchange, asking);
	return err == ERR_PARKED ? ERR_PARKED : answer_wish(task, err, wish);
}

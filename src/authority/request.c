/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/request.h"

#include "authority/dpop.h"
#include "authority/pkce.h"
#include "authority/scope_choice.h"
#include "authority/throttle_shared.h"
#include "base/url.h"
#include "crypto/random.h"
#include "http/address.h"
#include "store/clients.h"
#include "store/grants.h"
#include "store/requests.h"

#define NONCE_MAX      512
#define LOGIN_HINT_MAX 256
#define LOCALES_MAX    128
/* redirect URI and state at their longest, each byte of the state escaped */
#define LOCATION_MAX (16 * 1024)

/* Until client and redirect URI are proven there is nobody to send an answer to. */
static enum err find_client(struct task *task, struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;
	struct db *db = NULL;
	enum err err;

	if (str_is_empty(params->client_id))
		return fail(task, ERR_REQUEST, "client_id is missing");
	TRY(store_reader(task, wish->authority->store, &db));
	err = client_find(task, db, params->client_id, &wish->client);
	if (err == ERR_NOT_FOUND || (err == OK && wish->client.status != CLIENT_ACTIVE))
		return fail(task, ERR_CLIENT, "this agent is not registered here");
	return err;
}

static enum err check_redirect(struct task *task, const struct authorize_wish *wish)
{
	if (str_is_empty(wish->params.redirect_uri))
		return fail(task, ERR_REQUEST, "redirect_uri is missing");
	if (client_find_redirect(&wish->client, wish->params.redirect_uri).at == NULL)
		return fail(task, ERR_REQUEST, "redirect_uri is not one the agent registered");
	return OK;
}

static enum err check_state(struct task *task, struct str state)
{
	if (state.len > STATE_MAX)
		return fail(task, ERR_REQUEST, "state is too long");
	for (size_t i = 0; i < state.len; i++)
		if ((unsigned char)state.at[i] < ' ' || state.at[i] == 0x7F)
			return fail(task, ERR_REQUEST, "state has control characters");
	return OK;
}

static enum err check_form(struct task *task, const struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;

	if (params->defect.at != NULL) {
		task_note(task, ERR_REQUEST, params->defect);
		return ERR_REQUEST;
	}
	if (params->request.at != NULL)
		return fail(task, ERR_REQUEST_OBJECT, "request objects are not supported");
	if (params->request_uri.at != NULL)
		return fail(task, ERR_REQUEST_URI, "request_uri may only be what /par answered");
	if (str_is_empty(params->response_type))
		return fail(task, ERR_REQUEST, "response_type is missing");
	if (!str_equals(params->response_type, STR("code")))
		return fail(task, ERR_RESPONSE_TYPE, "response_type must be code");
	if (params->response_mode.at != NULL && !str_equals(params->response_mode, STR("query")))
		return fail(task, ERR_REQUEST, "response_mode must be query");
	if (!client_allows(&wish->client, GRANT_AUTHORIZATION_CODE))
		return fail(task, ERR_CLIENT_NOT_ALLOWED,
			    "this agent may not use the authorization code grant");
	if (params->nonce.len > NONCE_MAX || params->login_hint.len > LOGIN_HINT_MAX ||
	    params->ui_locales.len > LOCALES_MAX)
		return fail(task, ERR_REQUEST, "a parameter is too long");
	if (params->dpop_jkt.at != NULL && !dpop_jkt_is_valid(params->dpop_jkt))
		return fail(task, ERR_REQUEST, "dpop_jkt is not a SHA-256 thumbprint");
	return pkce_check_challenge(task, params->code_challenge, params->code_challenge_method);
}

static enum err check_prompt(struct task *task, struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;
	struct str rest = params->prompt, word;
	bool is_login = false;

	if (str_equals(rest, STR("none"))) {
		wish->request.prompt = STR("none");
		return OK;
	}
	while (str_next(&rest, ' ', &word)) {
		if (str_equals(word, STR("login")) || str_equals(word, STR("select_account")))
			is_login = true;
		else if (!str_equals(word, STR("consent")))
			return fail(task, ERR_REQUEST, "prompt is not understood");
	}
	wish->request.prompt = is_login ? STR("login") : STR("consent");
	return OK;
}

enum err auth_request_check_silent(struct task *task, const struct authorize_wish *wish)
{
	if (!str_equals(wish->request.prompt, STR("none")))
		return OK;
	return wish->params.user_id.at != NULL
		       ? fail(task, ERR_CONSENT_REQUIRED, "the person has to be asked")
		       : fail(task, ERR_LOGIN_REQUIRED, "nobody is signed in");
}

static enum err check_authentication(struct task *task, struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;
	struct str rest = params->acr_values, word;
	uint64_t max_age = 0;
	bool is_met = rest.at == NULL;

	wish->request.max_age = -1;
	if (params->max_age.at != NULL) {
		if (!str_to_u64(params->max_age, INT32_MAX, &max_age))
			return fail(task, ERR_REQUEST, "max_age is not a number of seconds");
		wish->request.max_age = (int64_t)max_age;
	}
	while (str_next(&rest, ' ', &word))
		is_met = is_met || str_equals(word, STR(ACR_PASSWORD));
	if (!is_met)
		return fail(task, ERR_UNMET_AUTHENTICATION, "none of acr_values can be had here");
	return OK;
}

/* Each request is a row: strangers share what a network may have, a person has it alone. */
static enum err check_source(struct task *task, struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;
	struct str who = params->user_id.at != NULL ? params->user_id
						    : address_network(&task->arena, params->source);

	TRY(throttle_check(task, wish->authority->throttle, THROTTLE_AUTHORIZE, who,
			   &wish->refusal.retry_after));
	(void)throttle_spend(task, wish->authority, THROTTLE_AUTHORIZE, who, NULL);
	return OK;
}

static enum err insert_request(struct task *task, struct db *db, void *arg)
{
	const struct authorize_wish *wish = arg;

	return auth_request_insert(task, db, &wish->request);
}

static void describe(struct task *task, struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;
	struct auth_request *request = &wish->request;

	request->client_id = wish->client.id;
	request->resource = wish->resource->uri;
	request->redirect_uri = params->redirect_uri;
	request->oauth_state = params->state;
	request->code_challenge = params->code_challenge;
	request->nonce = params->nonce;
	request->login_hint = params->login_hint;
	request->ui_locales = params->ui_locales;
	request->dpop_jkt = params->dpop_jkt;
	request->created_at = task->now;
}

enum err auth_request_check(struct task *task, struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;
	struct scope_choice choice = {
		.client = &wish->client,
		.scope = params->scope,
		.resource = params->resource,
		.resource_count = params->resource_count,
		.conditions = params->authorization_details,
	};

	TRY(check_form(task, wish));
	TRY(scope_choose(task, wish->authority, &choice));
	wish->resource = choice.chosen;
	wish->request.scope = choice.asked;
	wish->request.details = choice.details;
	TRY(check_authentication(task, wish));
	TRY(check_prompt(task, wish));
	describe(task, wish);
	return OK;
}

enum err auth_request_check_trusted(struct task *task, struct authorize_wish *wish)
{
	struct db *db = NULL;

	wish->refusal.may_redirect = client_is_operators(&wish->client);
	if (wish->refusal.may_redirect || wish->params.user_id.at == NULL)
		return OK;
	TRY(store_reader(task, wish->authority->store, &db));
	return grant_is_there(task, db, wish->params.user_id, wish->client.id,
			      &wish->refusal.may_redirect);
}

enum err auth_request_check_sender(struct task *task, struct authorize_wish *wish)
{
	TRY(check_redirect(task, wish));
	return check_state(task, wish->params.state);
}

/* RFC 9126 4: of these only what was pushed is looked at. */
static enum err check_is_pushed(struct task *task, const struct authorize_wish *wish)
{
	/* RFC 9396 12.1: a browser could change them, and the person would not know */
	if (wish->params.authorization_details.at != NULL)
		return fail(task, ERR_REQUEST, "authorization_details have to be sent to /par");
	if (authority_config(wish->authority)->require_pushed_requests ||
	    wish->client.par_required_at != 0)
		return fail(task, ERR_REQUEST, "this agent has to send its requests to /par first");
	return OK;
}

enum err auth_request_open(struct task *task, const struct authority *authority,
			   struct authorize_wish *wish)
{
	const struct authorize_params *params = &wish->params;

	wish->authority = authority;
	wish->refusal = (struct authorize_refusal){ 0 };
	TRY(find_client(task, wish));
	TRY(auth_request_check_sender(task, wish));
	TRY(auth_request_check_trusted(task, wish));
	wish->refusal.redirect_uri = params->redirect_uri;
	wish->refusal.state = params->state;
	TRY(check_is_pushed(task, wish));
	TRY(auth_request_check(task, wish));
	TRY(auth_request_check_silent(task, wish));
	TRY(check_source(task, wish));
	wish->request.id = random_id_at(&task->arena, "req_", task->now);
	wish->request.state = REQUEST_PENDING;
	wish->request.browser_hash = sha256_str(&task->arena, params->browser);
	wish->request.expires_at = task->now + REQUEST_LIFE_MS;
	return OK;
}

enum err auth_request_keep(struct task *task, struct authorize_wish *wish, then_fn *then)
{
	return store_submit_relaxed(task, wish->authority->store, insert_request, wish, then);
}

enum err auth_request_load(struct task *task, const struct authority *authority, struct str id,
			   struct str browser, struct auth_request *ret_request)
{
	struct auth_request request = { 0 };
	struct db *db = NULL;
	enum err err;

	if (!id_is_valid(id, "req_"))
		return fail(task, ERR_NOT_FOUND, "this request is not known");
	TRY(store_reader(task, authority->store, &db));
	err = auth_request_find(task, db, id, &request);
	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_NOT_FOUND, "this request is not known");
	TRY(err);
	if (str_is_empty(browser) ||
	    !str_equals(request.browser_hash, sha256_str(&task->arena, browser)))
		return fail(task, ERR_FORBIDDEN, "this request was started in another browser");
	if (request.state == REQUEST_PENDING && request.expires_at <= task->now)
		return fail(task, ERR_NOT_FOUND, "this request is over");
	*ret_request = request;
	return OK;
}

static void add_param(struct buf *buf, char *separator, const char *name, struct str value)
{
	if (str_is_empty(value))
		return;
	buf_add_char(buf, *separator);
	buf_add_c(buf, name);
	buf_add_char(buf, '=');
	url_encode(buf, value);
	*separator = '&';
}

enum err authorize_redirect(struct task *task, const struct authority *authority,
			    const struct authorize_answer *answer, struct str *ret_location)
{
	struct buf buf = buf_in(&task->arena, LOCATION_MAX);
	char separator = str_has(answer->redirect_uri, '?') ? '&' : '?';

	buf_add(&buf, answer->redirect_uri);
	add_param(&buf, &separator, "code", answer->code);
	add_param(&buf, &separator, "error", answer->error);
	add_param(&buf, &separator, "error_description", answer->description);
	add_param(&buf, &separator, "state", answer->state);
	add_param(&buf, &separator, "iss", authority_config(authority)->issuer);
	return buf_finish(&buf, ret_location);
}

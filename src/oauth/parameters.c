/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/parameters.h"

static const char *const repeatable[] = { "resource", NULL };

static const struct str secrets[] = {
	STR_INIT("client_secret"), STR_INIT("client_assertion"), STR_INIT("code"),
	STR_INIT("code_verifier"), STR_INIT("refresh_token"),	 STR_INIT("token"),
	STR_INIT("access_token"),  STR_INIT("password"),	 STR_INIT("subject_token"),
	STR_INIT("actor_token"),   STR_INIT("device_code"),
};

static bool is_secret(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(secrets); i++)
		if (str_equals(name, secrets[i]))
			return true;
	return false;
}

static enum err check_query(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct form query;

	if (str_is_empty(exchange->request.query))
		return OK;
	TRY(form_parse(task, exchange->request.query, &query));
	for (size_t i = 0; i < query.count; i++)
		if (is_secret(query.fields[i].name))
			return fail(task, ERR_REQUEST,
				    "secrets belong in the body, not in the query string");
	return OK;
}

enum err parameters_read(struct exchange *exchange, struct form *ret_form)
{
	struct task *task = &exchange->task;
	struct form form;

	TRY(check_query(exchange));
	TRY(form_parse(task, exchange->request.body, &form));
	TRY(form_check_single(task, &form, repeatable));
	*ret_form = form;
	return OK;
}

struct authorize_params parameters_authorization(const struct form *form)
{
	return (struct authorize_params){
		.client_id = form_get(form, "client_id"),
		.redirect_uri = form_get(form, "redirect_uri"),
		.response_type = form_get(form, "response_type"),
		.response_mode = form_get(form, "response_mode"),
		.scope = form_get(form, "scope"),
		.state = form_get(form, "state"),
		.resource = form_get(form, "resource"),
		.code_challenge = form_get(form, "code_challenge"),
		.code_challenge_method = form_get(form, "code_challenge_method"),
		.nonce = form_get(form, "nonce"),
		.prompt = form_get(form, "prompt"),
		.max_age = form_get(form, "max_age"),
		.login_hint = form_get(form, "login_hint"),
		.dpop_jkt = form_get(form, "dpop_jkt"),
		.ui_locales = form_get(form, "ui_locales"),
		.acr_values = form_get(form, "acr_values"),
		.request = form_get(form, "request"),
		.request_uri = form_get(form, "request_uri"),
		.authorization_details = form_get(form, "authorization_details"),
		.resource_count = form_count(form, "resource"),
	};
}

enum err parameters_resource(struct task *task, const struct form *form, struct str *ret_resource)
{
	if (form_count(form, "resource") > 1)
		return fail(task, ERR_TARGET, "one resource at a time");
	*ret_resource = form_get(form, "resource");
	return OK;
}

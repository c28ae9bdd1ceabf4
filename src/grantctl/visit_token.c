/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it sends to the token endpoint, with a code and a refresh token that are made up: refused
 * must they be, and nothing else of the request.
 */
#include "grantctl/visit.h"
#include "http/parameter.h"

#define ANSWER_MAX (64 * 1024)
#define FORM_MAX   (16 * 1024)
#define FORM_FIELD "Content-Type: application/x-www-form-urlencoded"

/* What the answer came to. */
struct refusal {
	unsigned status;
	struct str error, words;
};

static enum err send(struct visit *visit, const char *check, const struct parameter *parameters,
		     size_t count, struct refusal *ret_refusal)
{
	struct visit_request request = { .method = "POST",
					 .url = json_get_str(visit->metadata, "token_endpoint"),
					 .told_by = &visit->server,
					 .field = FORM_FIELD };
	struct buf body = buf_in(&visit->task->arena, FORM_MAX);
	CLEANUP(json_unref) json_t *said = NULL;
	struct arena *arena = &visit->task->arena;
	struct http_answer answer = { 0 };

	parameters_add(&body, parameters, count);
	TRY(buf_finish(&body, &request.body));
	TRY(visit_ask(visit, check, &request, &answer));
	if (json_parse(visit->task, answer.body, ANSWER_MAX, &said) != OK)
		task_forgive(visit->task);
	*ret_refusal = (struct refusal){
		.status = answer.status,
		.error = str_copy(arena, json_get_str(said, "error")),
		.words = str_copy(arena, json_get_str(said, "error_description")),
	};
	return OK;
}

static enum err refuse(struct visit *visit, const char *check, const char *what,
		       const struct refusal *refusal)
{
	return visit_fails(visit, check,
			   str_printf(&visit->task->arena, "a made-up %s is answered %u %.*s: %.*s",
				      what, refusal->status, STR_FMT(refusal->error),
				      STR_FMT(refusal->words)));
}

/* Of keys that only its maker has, nothing can be played. */
static bool signs(const struct visit *visit)
{
	const json_t *method = visit_described(visit, "token_endpoint_auth_method");

	return str_equals(str_from_c(json_string_value(method)), STR("private_key_jwt"));
}

enum err visit_token(struct visit *visit, struct str verifier)
{
	static const char check[] = "token request";
	bool has_resource = visit_sends(visit, "token", "resource");
	const struct parameter parameters[] = {
		{ "grant_type", STR("authorization_code") },
		{ "code", STR("made-up-by-grantctl-client-doctor") },
		{ "redirect_uri", visit_text(visit, "authorize", "redirect_uri") },
		{ "client_id", visit->client_id },
		{ "code_verifier", verifier },
		{ "resource", has_resource ? visit->audience : STR_NONE },
	};
	struct refusal refusal = { 0 };

	if (signs(visit)) {
		visit_finds(visit, "note", check,
			    STR("it signs this with a key of its maker's, so it is not played"));
		return OK;
	}
	TRY(send(visit, check, parameters, COUNT_OF(parameters), &refusal));
	if (str_equals(refusal.error, STR("invalid_grant"))) {
		visit_finds(visit, "ok", check,
			    STR("a made-up code is refused, and nothing else (invalid_grant)"));
		return OK;
	}
	/* nothing is fetched for who is not signed in */
	if (!visit->is_known && str_equals(refusal.error, STR("invalid_client"))) {
		visit_finds(visit, "note", check,
			    STR("its document was not read yet: that happens when the first person "
				"has signed in"));
		return OK;
	}
	return refuse(visit, check, "code", &refusal);
}

/* --- what lets it stay signed in --- */

static bool has_word(struct str list, struct str word)
{
	struct str part;

	while (str_next(&list, ' ', &part))
		if (str_equals(part, word))
			return true;
	return false;
}

/* The two ways to be without: not asked for, and not given. */
static enum err check_types(struct visit *visit, const char *check)
{
	const struct str type = STR("refresh_token");

	if (!visit_lists(visit_described(visit, "grant_types"), type))
		return visit_fails(
			visit, check,
			STR("it does not ask for refresh tokens (grant_types): its person "
			    "has to sign in again whenever an access token is over"));
	if (has_word(visit->kept_types, type))
		return OK;
	return visit_fails(
		visit, check,
		str_printf(
			&visit->task->arena,
			"it gets no refresh token: its grant_types here are %.*s, and its person "
			"has to sign in again whenever an access token is over",
			STR_FMT(visit->kept_types)));
}

enum err visit_refresh(struct visit *visit)
{
	static const char check[] = "refresh";
	bool has_resource = visit_sends(visit, "refresh", "resource");
	const struct parameter parameters[] = {
		{ "grant_type", STR("refresh_token") },
		{ "refresh_token", STR("grt_made-up-by-grantctl-client-doctor") },
		{ "client_id", visit->client_id },
		{ "scope", visit_sends(visit, "refresh", "scope") ? visit_scope(visit) : STR_NONE },
		{ "resource", has_resource ? visit->audience : STR_NONE },
	};
	struct refusal refusal = { 0 };

	TRY(check_types(visit, check));
	if (!visit->is_known || signs(visit)) {
		visit_finds(visit, "ok", check,
			    STR("it gets a refresh token: its document has that grant type, and "
				"offline_access is not needed here"));
		return OK;
	}
	TRY(send(visit, check, parameters, COUNT_OF(parameters), &refusal));
	if (!str_equals(refusal.error, STR("invalid_grant")))
		return refuse(visit, check, "refresh token", &refusal);
	visit_finds(visit, "ok", check,
		    STR("it gets a refresh token, with or without offline_access; a dead one is "
			"refused with invalid_grant, and then it asks its person again"));
	return OK;
}

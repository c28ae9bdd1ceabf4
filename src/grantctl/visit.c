/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/visit.h"

#include "base/url.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "http/client.h"
#include "http/parameter.h"

#define METADATA_MAX (1024 * 1024)
#define ANSWER_MAX   (64 * 1024)
#define ADDRESS_MAX  (16 * 1024)
#define TITLE_MAX    200

#define FORM_FIELD "Content-Type: application/x-www-form-urlencoded"
#define JSON_FIELD "Content-Type: application/json"

/* --- what the server says of itself --- */

static enum err take_metadata(struct visit *visit, struct str body)
{
	struct str says;

	if (json_parse(visit->task, body, METADATA_MAX, &visit->metadata) != OK)
		return visit_fails(visit, "server metadata", STR("they are not JSON"));
	says = json_get_str(visit->metadata, "issuer");
	if (!str_equals(says, visit->issuer)) /* RFC 8414 3.3 */
		return visit_fails(visit, "server metadata",
				   str_printf(&visit->task->arena,
					      "issuer is \"%.*s\" and not %.*s: set issuer",
					      STR_FMT(says), STR_FMT(visit->issuer)));
	visit_finds(visit, "ok", "server metadata", visit->issuer);
	return OK;
}

/* RFC 8414 first, then OpenID Connect's, as clients of MCP do. */
static enum err read_metadata(struct visit *visit)
{
	static const struct str places[] = {
		STR_INIT("/.well-known/oauth-authorization-server"),
		STR_INIT("/.well-known/openid-configuration"),
	};
	struct http_answer answer = { 0 };

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct visit_request request = {
			.method = "GET",
			.url = STR_JOIN(&visit->task->arena, visit->issuer, places[i]),
		};

		TRY(visit_ask(visit, "server metadata", &request, &answer));
		if (answer.status == 200)
			return take_metadata(visit, answer.body);
	}
	return visit_fails(visit, "server metadata",
			   str_printf(&visit->task->arena, "%.*s answers %u: see grantctl status",
				      STR_FMT(visit->issuer), answer.status));
}

static enum err needs(struct visit *visit, const char *member, struct str value)
{
	if (visit_offers(visit, member, value))
		return OK;
	return visit_fails(
		visit, "what it needs",
		str_printf(&visit->task->arena, "%s has no %.*s", member, STR_FMT(value)));
}

static enum err check_offers(struct visit *visit)
{
	const json_t *method = visit_described(visit, "token_endpoint_auth_method");
	const json_t *types = visit_described(visit, "grant_types");

	TRY(needs(visit, "response_types_supported", STR("code")));
	TRY(needs(visit, "code_challenge_methods_supported", STR("S256")));
	TRY(needs(visit, "token_endpoint_auth_methods_supported",
		  str_from_c(json_string_value(method))));
	for (size_t i = 0; i < json_array_size(types); i++) {
		struct str type = str_from_c(json_string_value(json_array_get(types, i)));

		/* what else it can, it does not do here */
		if (str_equals(type, STR("authorization_code")) ||
		    str_equals(type, STR("refresh_token")))
			TRY(needs(visit, "grant_types_supported", type));
	}
	visit_finds(visit, "ok", "what it needs",
		    STR("codes with PKCE S256, and its way to authenticate, are offered"));
	return OK;
}

/* --- how it becomes known --- */

/* None of these clients can be given a token to register with. */
static enum err refuse_policy(struct visit *visit, const char *policy)
{
	const json_t *uris = visit_described(visit, "redirect_uris");

	return visit_fails(
		visit, "registration",
		str_printf(&visit->task->arena,
			   "registration = %s: it registers itself (RFC 7591), and may not. Set "
			   "registration = open, or register it and type the id into it: grantctl "
			   "client create --public --id ID --name NAME --redirect-uri %s",
			   policy, json_string_value(json_array_get(uris, 0))));
}

static enum err refuse_registration(struct visit *visit, const struct http_answer *answer)
{
	CLEANUP(json_unref) json_t *said = NULL;
	struct arena *arena = &visit->task->arena;
	struct str error, words;

	if (json_parse(visit->task, answer->body, ANSWER_MAX, &said) != OK)
		task_forgive(visit->task);
	error = json_get_str(said, "error");
	words = json_get_str(said, "error_description");
	if (answer->status == 401)
		return refuse_policy(visit, "token");
	if (str_equals(error, STR("invalid_redirect_uri")))
		return visit_fails(visit, "registration",
				   str_printf(arena,
					      "%.*s; for a scheme of its own see redirect_schemes",
					      STR_FMT(words)));
	return visit_fails(visit, "registration",
			   str_printf(arena, "it is answered %u %.*s: %.*s", answer->status,
				      STR_FMT(error), STR_FMT(words)));
}

/* A server may leave addresses out (RFC 7591 3.2.1); the one it waits at must be there. */
static enum err check_redirect(struct visit *visit, const json_t *said)
{
	const json_t *sent = visit_described(visit, "redirect_uris");
	const json_t *kept = json_object_get(said, "redirect_uris");

	for (size_t i = 0; i < json_array_size(sent); i++) {
		const json_t *uri = json_array_get(sent, i);
		bool is_kept = false;

		for (size_t j = 0; j < json_array_size(kept); j++)
			is_kept = is_kept || json_equal(json_array_get(kept, j), uri);
		if (!is_kept)
			return visit_fails(
				visit, "registration",
				str_printf(&visit->task->arena,
					   "%s was left out of its redirect URIs; for a scheme of "
					   "its own see redirect_schemes",
					   json_string_value(uri)));
	}
	return OK;
}

static enum err take_registration(struct visit *visit, struct str body)
{
	CLEANUP(json_unref) json_t *said = NULL;
	struct arena *arena = &visit->task->arena;

	if (json_parse(visit->task, body, ANSWER_MAX, &said) != OK)
		return visit_fails(visit, "registration", STR("the answer is not JSON"));
	visit->client_id = str_copy(arena, json_get_str(said, "client_id"));
	visit->management = str_copy(arena, json_get_str(said, "registration_client_uri"));
	visit->management_token = str_copy(arena, json_get_str(said, "registration_access_token"));
	TRY(check_redirect(visit, said));
	visit_finds(
		visit, "ok", "registration",
		str_printf(arena, "it may register itself, as %.*s", STR_FMT(visit->client_id)));
	return OK;
}

static enum err register_itself(struct visit *visit)
{
	struct visit_request request = { .method = "POST", .field = JSON_FIELD };
	struct http_answer answer = { 0 };

	request.url = json_get_str(visit->metadata, "registration_endpoint");
	if (request.url.at == NULL)
		return refuse_policy(visit, "off");
	TRY(json_print(visit->task, json_object_get(visit->profile, "registration"), ANSWER_MAX,
		       &request.body));
	TRY(visit_ask(visit, "registration", &request, &answer));
	if (answer.status != 201)
		return refuse_registration(visit, &answer);
	return take_registration(visit, answer.body);
}

static enum err become_known(struct visit *visit)
{
	if (!visit_is_document(visit))
		return register_itself(visit);
	if (!json_is_true(
		    json_object_get(visit->metadata, "client_id_metadata_document_supported")))
		return visit_fails(
			visit, "document",
			STR("client_metadata = no: it describes itself by a document and is not "
			    "read here. Set client_metadata = yes"));
	visit->client_id = visit_text(visit, "document", "client_id");
	visit_finds(visit, "ok", "document",
		    str_printf(&visit->task->arena, "documents are read, as %.*s",
			       STR_FMT(visit->client_id)));
	return OK;
}

/* --- the question --- */

/* Of a page for people: what its heading says. */
static struct str heading_of(struct str page)
{
	static const struct str open = STR_INIT("<h1>");

	for (size_t i = 0; i + open.len <= page.len; i++) {
		struct str rest = str_from(page, i);

		if (!str_starts_with(rest, open))
			continue;
		rest = str_from(rest, open.len);
		return str_sub(rest, 0,
			       str_find(rest, '<') > TITLE_MAX ? TITLE_MAX : str_find(rest, '<'));
	}
	return STR("an error page");
}

static enum err refuse_page(struct visit *visit, const struct http_answer *answer)
{
	struct arena *arena = &visit->task->arena;
	struct str heading = heading_of(answer->body);

	if (visit_is_document(visit) && str_equals(heading, STR("This agent is not known here")))
		return visit_fails(
			visit, "authorization request",
			str_printf(arena,
				   "client_metadata_allow or client_metadata_deny leaves its "
				   "domain out (%.*s). Change that, or let in this one: grantctl "
				   "client pin %.*s",
				   STR_FMT(heading), STR_FMT(visit->client_id)));
	return visit_fails(visit, "authorization request",
			   str_printf(arena, "it ends at a page: %.*s (status %u)",
				      STR_FMT(heading), answer->status));
}

/* Sent back with an error, or on to where a person signs in. */
static enum err judge_redirect(struct visit *visit, struct str location)
{
	struct arena *arena = &visit->task->arena;

	if (str_starts_with(location, visit_text(visit, "authorize", "redirect_uri"))) {
		struct str answer = str_from(location, str_find(location, '?'));

		return visit_fails(
			visit, "authorization request",
			str_printf(arena, "it is sent back at once: %.*s", STR_FMT(answer)));
	}
	visit_finds(visit, "ok", "authorization request",
		    STR("a person is asked to sign in, and then asked"));
	return OK;
}

static enum err ask_person(struct visit *visit, struct str verifier)
{
	struct task *task = visit->task;
	bool has_scope = visit_sends(visit, "authorize", "scope");
	bool has_resource = visit_sends(visit, "authorize", "resource");
	const struct parameter parameters[] = {
		{ "response_type", STR("code") },
		{ "client_id", visit->client_id },
		{ "redirect_uri", visit_text(visit, "authorize", "redirect_uri") },
		{ "code_challenge",
		  base64url_encode(&task->arena, sha256_str(&task->arena, verifier)) },
		{ "code_challenge_method", STR("S256") },
		{ "state", visit_sends(visit, "authorize", "state") ? STR("doctor") : STR_NONE },
		{ "scope", has_scope ? visit->scope : STR_NONE },
		{ "resource", has_resource ? visit->audience : STR_NONE },
	};
	struct visit_request request = { .method = "GET",
					 .field = "Accept: text/html",
					 .wanted = STR("Location") };
	struct buf url = buf_in(&task->arena, ADDRESS_MAX);
	struct http_answer answer = { 0 };

	buf_add(&url, json_get_str(visit->metadata, "authorization_endpoint"));
	buf_add_char(&url, '?');
	parameters_add(&url, parameters, COUNT_OF(parameters));
	TRY(buf_finish(&url, &request.url));
	TRY(visit_ask(visit, "authorization request", &request, &answer));
	if (answer.status == 200)
		return judge_redirect(visit, STR(""));
	if (answer.status > 300 && answer.status < 304 && answer.wanted.at != NULL)
		return judge_redirect(visit, answer.wanted);
	return refuse_page(visit, &answer);
}

/* --- the token request --- */

static enum err judge_token(struct visit *visit, const struct http_answer *answer)
{
	CLEANUP(json_unref) json_t *said = NULL;
	struct arena *arena = &visit->task->arena;
	struct str error;

	if (json_parse(visit->task, answer->body, ANSWER_MAX, &said) != OK)
		task_forgive(visit->task);
	error = json_get_str(said, "error");
	if (str_equals(error, STR("invalid_grant"))) {
		visit_finds(visit, "ok", "token request",
			    STR("a made-up code is refused, and nothing else (invalid_grant)"));
		return OK;
	}
	/* nothing is fetched for who is not signed in */
	if (visit_is_document(visit) && str_equals(error, STR("invalid_client"))) {
		visit_finds(visit, "note", "token request",
			    STR("its document was not read yet: that happens when the first person "
				"has signed in"));
		return OK;
	}
	return visit_fails(visit, "token request",
			   str_printf(arena, "a made-up code is answered %u %.*s: %.*s",
				      answer->status, STR_FMT(error),
				      STR_FMT(json_get_str(said, "error_description"))));
}

static enum err ask_token(struct visit *visit, struct str verifier)
{
	bool has_resource = visit_sends(visit, "token", "resource");
	const struct parameter parameters[] = {
		{ "grant_type", STR("authorization_code") },
		{ "code", STR("made-up-by-grantctl-client-doctor") },
		{ "redirect_uri", visit_text(visit, "authorize", "redirect_uri") },
		{ "client_id", visit->client_id },
		{ "code_verifier", verifier },
		{ "resource", has_resource ? visit->audience : STR_NONE },
	};
	struct visit_request request = { .method = "POST",
					 .url = json_get_str(visit->metadata, "token_endpoint"),
					 .field = FORM_FIELD };
	struct buf body = buf_in(&visit->task->arena, ADDRESS_MAX);
	struct http_answer answer = { 0 };

	parameters_add(&body, parameters, COUNT_OF(parameters));
	TRY(buf_finish(&body, &request.body));
	TRY(visit_ask(visit, "token request", &request, &answer));
	return judge_token(visit, &answer);
}

/* --- the whole way --- */

static enum err take_back(struct visit *visit)
{
	const struct visit_request request = { .method = "DELETE",
					       .url = visit->management,
					       .bearer = visit->management_token };
	struct http_answer answer = { 0 };

	if (str_is_empty(visit->management))
		return OK;
	TRY(visit_ask(visit, "clean-up", &request, &answer));
	if (answer.status == 204) {
		visit_finds(visit, "ok", "clean-up", STR("the registration is gone again"));
		return OK;
	}
	return visit_fails(visit, "clean-up",
			   str_printf(&visit->task->arena, "%.*s stays registered (status %u)",
				      STR_FMT(visit->client_id), answer.status));
}

static enum err go(struct visit *visit)
{
	struct arena *arena = &visit->task->arena;
	struct str verifier = STR_JOIN(arena, random_id(arena, "doctor-"), random_id(arena, "-"));

	TRY(visit_resource(visit));
	TRY(read_metadata(visit));
	TRY(check_offers(visit));
	TRY(become_known(visit));
	TRY(ask_person(visit, verifier));
	return ask_token(visit, verifier);
}

void visit_run(struct visit *visit)
{
	if (go(visit) != OK)
		task_forgive(visit->task);
	if (take_back(visit) != OK)
		task_forgive(visit->task);
	json_unref(&visit->metadata);
}

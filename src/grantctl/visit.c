/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/visit.h"

#include "base/url.h"
#include "crypto/random.h"

#define METADATA_MAX (1024 * 1024)
#define CHECK	     "server metadata"

static enum err take_metadata(struct visit *visit, struct str body)
{
	struct str says;

	if (json_parse(visit->task, body, METADATA_MAX, &visit->metadata) != OK)
		return visit_fails(
			visit, CHECK,
			str_printf(&visit->task->arena,
				   "what answers at %.*s is not grantd: it sends no JSON. "
				   "See issuer and what stands in front of it",
				   STR_FMT(visit->issuer)));
	says = json_get_str(visit->metadata, "issuer");
	if (!str_equals(says, visit->issuer)) /* RFC 8414 3.3 */
		return visit_fails(
			visit, CHECK,
			str_printf(&visit->task->arena,
				   "what answers there calls itself \"%.*s\" and not %.*s: "
				   "set issuer to the address that clients use",
				   STR_FMT(says), STR_FMT(visit->issuer)));
	visit_finds(visit, "ok", CHECK, visit->issuer);
	return OK;
}

static void note_server(struct visit *visit, const struct http_answer *answer)
{
	struct url url;

	visit->server.reach = answer->reach;
	if (url_parse(visit->issuer, &url) == OK)
		visit->server.origin = url_origin(&visit->task->arena, &url);
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

		TRY(visit_ask(visit, CHECK, &request, &answer));
		note_server(visit, &answer);
		if (answer.status == 200)
			return take_metadata(visit, answer.body);
	}
	return visit_fails(
		visit, CHECK,
		str_printf(&visit->task->arena,
			   "%.*s answers %u and not with metadata: is that grantd, or does "
			   "something in front of it keep /.well-known/ for itself?",
			   STR_FMT(visit->issuer), answer.status));
}

/* Documents before registration, where the server has both: what each of them does. */
static void choose_way(struct visit *visit)
{
	const json_t *flag = json_object_get(visit->metadata,
					     "client_id_metadata_document_supported");
	bool has_document = json_object_get(visit->profile, "document") != NULL;
	bool can_register = json_object_get(visit->profile, "registration") != NULL;

	visit->is_document = has_document && (json_is_true(flag) || !can_register);
}

static enum err needs(struct visit *visit, const char *member, struct str value)
{
	if (visit_offers(visit, member, value))
		return OK;
	return visit_fails(
		visit, "what it needs",
		str_printf(&visit->task->arena, "%s has no %.*s", member, STR_FMT(value)));
}

/* The one it names, or of those it can do the first that is offered. */
static enum err check_method(struct visit *visit)
{
	static const char member[] = "token_endpoint_auth_methods_supported";
	struct str named =
		str_from_c(json_string_value(visit_described(visit, "token_endpoint_auth_method")));
	const json_t *list = visit_described(visit, member);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (visit_offers(visit, member,
				 str_from_c(json_string_value(json_array_get(list, i)))))
			return OK;
	return needs(visit, member, named);
}

static enum err check_offers(struct visit *visit)
{
	const json_t *types = visit_described(visit, "grant_types");

	TRY(needs(visit, "response_types_supported", STR("code")));
	TRY(needs(visit, "code_challenge_methods_supported", STR("S256")));
	TRY(check_method(visit));
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

static enum err go(struct visit *visit)
{
	struct arena *arena = &visit->task->arena;
	struct str verifier = STR_JOIN(arena, random_id(arena, "doctor-"), random_id(arena, "-"));

	TRY(visit_resource(visit));
	TRY(read_metadata(visit));
	choose_way(visit);
	TRY(check_offers(visit));
	TRY(visit_become_known(visit));
	TRY(visit_question(visit, verifier));
	TRY(visit_token(visit, verifier));
	return visit_refresh(visit);
}

void visit_run(struct visit *visit)
{
	if (go(visit) != OK)
		task_forgive(visit->task);
	visit_take_back(visit);
	json_unref(&visit->metadata);
}

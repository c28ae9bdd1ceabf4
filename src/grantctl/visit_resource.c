/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"
#include "grantctl/visit.h"

#define METADATA_MAX (64 * 1024)
#define WELL_KNOWN   "/.well-known/oauth-protected-resource"
#define CHECK	     "resource metadata"

/* Where it may say what it is, and who says so: RFC 9728 3.1, in the order of MCP. */
struct places {
	struct visit_server server;
	struct str urls[3]; /* by its challenge, with its path, at its root; STR_NONE: not there */
};

/* A quoted parameter of `WWW-Authenticate: Bearer …` (RFC 9728 5.1); STR_NONE: not there. */
static struct str parameter_of(struct str field, struct str name)
{
	for (size_t i = 0; i + name.len <= field.len; i++) {
		struct str rest = str_from(field, i);

		/* "scope" is also the end of other names */
		if ((i > 0 && field.at[i - 1] != ' ' && field.at[i - 1] != ',') ||
		    !str_equals_nocase(str_sub(rest, 0, name.len), name))
			continue;
		rest = str_from(rest, name.len);
		return str_sub(rest, 0, str_find(rest, '"'));
	}
	return STR_NONE;
}

static void take_challenge(struct visit *visit, const struct http_answer *answer,
			   struct places *places)
{
	struct str head = answer->head, field;

	while (http_next_field(&head, STR("WWW-Authenticate"), &field)) {
		if (places->urls[0].at == NULL)
			places->urls[0] = parameter_of(field, STR("resource_metadata=\""));
		if (visit->challenged.at == NULL)
			visit->challenged = parameter_of(field, STR("scope=\""));
	}
}

static void note_open(struct visit *visit, unsigned status)
{
	struct arena *arena = &visit->task->arena;
	struct str url = visit->resource;

	if (status == 401)
		return;
	if (status >= 200 && status < 300)
		return visit_finds(
			visit, "note", CHECK,
			str_printf(arena,
				   "%.*s answers %u to who has no token: is it protected? "
				   "Clients begin when they are told 401",
				   STR_FMT(url), status));
	visit_finds(
		visit, "note", CHECK,
		str_printf(arena,
			   "%.*s answers %u and not 401 to who has no token: some clients begin "
			   "only then. Is that its address?",
			   STR_FMT(url), status));
}

static enum err find_places(struct visit *visit, struct places *places)
{
	struct arena *arena = &visit->task->arena;
	struct http_answer answer = { 0 };
	struct url url;

	if (url_parse(visit->resource, &url) != OK || url.host.at == NULL)
		return visit_fails(
			visit, CHECK,
			str_printf(arena,
				   "--resource is the https:// address of a resource, and "
				   "\"%.*s\" is none",
				   STR_FMT(visit->resource)));
	TRY(visit_ask(visit, CHECK,
		      &(struct visit_request){ .method = "GET", .url = visit->resource }, &answer));
	note_open(visit, answer.status);
	take_challenge(visit, &answer, places);
	places->server = (struct visit_server){ url_origin(arena, &url), answer.reach };
	places->urls[1] = STR_JOIN(arena, places->server.origin, STR(WELL_KNOWN),
				   str_equals(url.path, STR("/")) ? STR("") : url.path);
	places->urls[2] = STR_JOIN(arena, places->server.origin, STR(WELL_KNOWN));
	return OK;
}

/* RFC 9728 3.3, and the MCP specification: the same, or what it lies below. */
static bool lies_below(struct str resource, struct str says)
{
	struct str rest = str_from(resource, says.len);

	return says.len > 0 && str_starts_with(resource, says) &&
	       (rest.len == 0 || rest.at[0] == '/' || str_ends_with(says, STR("/")));
}

static enum err refuse_issuer(struct visit *visit, struct str place, const json_t *metadata)
{
	struct arena *arena = &visit->task->arena;
	struct str named = visit_joined(visit, json_object_get(metadata, "authorization_servers"));

	if (named.at == NULL)
		return visit_fails(
			visit, CHECK,
			str_printf(arena, "%.*s has no authorization_servers: they must name %.*s",
				   STR_FMT(place), STR_FMT(visit->issuer)));
	return visit_fails(
		visit, CHECK,
		str_printf(
			arena,
			"authorization_servers at %.*s sends clients to %.*s, not to %.*s: whoever "
			"runs the resource has to name this issuer there, letter by letter",
			STR_FMT(place), STR_FMT(named), STR_FMT(visit->issuer)));
}

static enum err judge(struct visit *visit, struct str place, const json_t *metadata)
{
	struct arena *arena = &visit->task->arena;
	struct str says = json_get_str(metadata, "resource");

	if (!visit_lists(json_object_get(metadata, "authorization_servers"), visit->issuer))
		return refuse_issuer(visit, place, metadata);
	if (!lies_below(visit->resource, says))
		return visit_fails(visit, CHECK,
				   str_printf(arena,
					      "resource at %.*s is \"%.*s\", and clients called "
					      "%.*s: they refuse metadata of something else",
					      STR_FMT(place), STR_FMT(says),
					      STR_FMT(visit->resource)));
	visit->audience = str_copy(arena, says);
	visit->scopes = visit_joined(visit, json_object_get(metadata, "scopes_supported"));
	visit_finds(visit, "ok", CHECK,
		    str_printf(arena, "%.*s names this issuer", STR_FMT(place)));
	return OK;
}

static enum err read_place(struct visit *visit, struct str place, struct str body)
{
	CLEANUP(json_unref) json_t *metadata = NULL;

	if (json_parse(visit->task, body, METADATA_MAX, &metadata) != OK)
		return visit_fails(visit, CHECK,
				   str_printf(&visit->task->arena, "what %.*s answers is not JSON",
					      STR_FMT(place)));
	return judge(visit, place, metadata);
}

enum err visit_resource(struct visit *visit)
{
	struct places places = { 0 };

	if (visit->resource.at == NULL)
		return OK;
	/* what its file offers counts no more: now it speaks for itself */
	visit->scopes = STR_NONE;
	TRY(find_places(visit, &places));
	for (size_t i = 0; i < COUNT_OF(places.urls); i++) {
		struct visit_request request = { .method = "GET",
						 .url = places.urls[i],
						 .told_by = &places.server };
		struct http_answer answer = { 0 };

		if (request.url.at == NULL)
			continue;
		TRY(visit_ask(visit, CHECK, &request, &answer));
		if (answer.status == 200)
			return read_place(visit, request.url, answer.body);
	}
	return visit_fails(
		visit, CHECK,
		str_printf(&visit->task->arena,
			   "there are none, neither by a challenge (WWW-Authenticate) nor "
			   "at %.*s: clients do not find out who protects it. See "
			   "docs/resource-servers.md",
			   STR_FMT(places.urls[1])));
}

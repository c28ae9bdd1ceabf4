/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/visit.h"

#include "base/url.h"
#include "http/client.h"

#define METADATA_MAX (64 * 1024)
#define SCOPE_MAX    4096
#define WELL_KNOWN   "/.well-known/oauth-protected-resource"
#define CHECK	     "resource metadata"

/* Of `WWW-Authenticate: Bearer …, resource_metadata="URL"` (RFC 9728 5.1); STR_NONE: not there. */
static struct str challenged(struct str field)
{
	static const struct str name = STR_INIT("resource_metadata=\"");

	for (size_t i = 0; i + name.len <= field.len; i++) {
		struct str rest = str_from(field, i);

		if (!str_equals_nocase(str_sub(rest, 0, name.len), name))
			continue;
		rest = str_from(rest, name.len);
		return str_sub(rest, 0, str_find(rest, '"'));
	}
	return STR_NONE;
}

/* RFC 9728 3.1, in the order of the MCP specification: challenge, with the path, at the root. */
static enum err list_places(struct visit *visit, struct str places[3])
{
	struct arena *arena = &visit->task->arena;
	struct http_answer answer = { 0 };
	struct url url;

	if (url_parse(visit->resource, &url) != OK || url.host.at == NULL)
		return visit_fails(visit, CHECK, STR("--resource is no URL of a resource"));
	TRY(visit_ask(visit, CHECK,
		      &(struct visit_request){ .method = "GET",
					       .url = visit->resource,
					       .wanted = STR("WWW-Authenticate") },
		      &answer));
	if (answer.status != 401)
		visit_finds(visit, "note", CHECK,
			    str_printf(arena,
				       "without a token %.*s answers %u and not 401: some "
				       "clients begin only when they are told 401",
				       STR_FMT(visit->resource), answer.status));
	places[0] = challenged(answer.wanted);
	places[1] = STR_JOIN(arena, url_origin(arena, &url), STR(WELL_KNOWN),
			     str_equals(url.path, STR("/")) ? STR("") : url.path);
	places[2] = STR_JOIN(arena, url_origin(arena, &url), STR(WELL_KNOWN));
	return OK;
}

static bool names_issuer(const struct visit *visit, const json_t *metadata)
{
	const json_t *list = json_object_get(metadata, "authorization_servers");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_equals(str_from_c(json_string_value(json_array_get(list, i))),
			       visit->issuer))
			return true;
	return false;
}

static void take_scope(struct visit *visit, const json_t *metadata)
{
	const json_t *list = json_object_get(metadata, "scopes_supported");
	struct buf buf = buf_in(&visit->task->arena, SCOPE_MAX);

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			buf_add_char(&buf, ' ');
		buf_add(&buf, str_from_c(json_string_value(json_array_get(list, i))));
	}
	if (json_array_size(list) == 0 || buf_finish(&buf, &visit->scope) != OK)
		visit->scope = STR_NONE;
}

/* RFC 9728 3.3, and the MCP specification: the same, or what it lies below. */
static bool lies_below(struct str resource, struct str says)
{
	struct str rest = str_from(resource, says.len);

	return says.len > 0 && str_starts_with(resource, says) &&
	       (rest.len == 0 || rest.at[0] == '/' || str_ends_with(says, STR("/")));
}

static enum err judge(struct visit *visit, struct str place, const json_t *metadata)
{
	struct arena *arena = &visit->task->arena;
	struct str says = json_get_str(metadata, "resource");

	if (!names_issuer(visit, metadata))
		return visit_fails(visit, CHECK,
				   str_printf(arena,
					      "authorization_servers at %.*s does not name %.*s",
					      STR_FMT(place), STR_FMT(visit->issuer)));
	if (!lies_below(visit->resource, says))
		return visit_fails(visit, CHECK,
				   str_printf(arena, "resource at %.*s is \"%.*s\" and not %.*s",
					      STR_FMT(place), STR_FMT(says),
					      STR_FMT(visit->resource)));
	visit->audience = str_copy(arena, says);
	take_scope(visit, metadata);
	visit_finds(visit, "ok", CHECK,
		    str_printf(arena, "%.*s names this issuer", STR_FMT(place)));
	return OK;
}

enum err visit_resource(struct visit *visit)
{
	struct str places[3];

	if (visit->resource.at == NULL)
		return OK;
	TRY(list_places(visit, places));
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		CLEANUP(json_unref) json_t *metadata = NULL;
		struct http_answer answer = { 0 };

		if (places[i].at == NULL)
			continue;
		TRY(visit_ask(visit, CHECK,
			      &(struct visit_request){ .method = "GET", .url = places[i] },
			      &answer));
		if (answer.status != 200)
			continue;
		if (json_parse(visit->task, answer.body, METADATA_MAX, &metadata) != OK)
			return visit_fails(visit, CHECK,
					   str_printf(&visit->task->arena, "%.*s is not JSON",
						      STR_FMT(places[i])));
		return judge(visit, places[i], metadata);
	}
	return visit_fails(visit, CHECK,
			   str_printf(&visit->task->arena,
				      "there are none, neither by a challenge nor at %.*s: see "
				      "docs/resource-servers.md",
				      STR_FMT(places[1])));
}

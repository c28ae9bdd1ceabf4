/* SPDX-License-Identifier: Apache-2.0 */
#include "http/router.h"

#include <string.h>

#include "base/buf.h"
#include "base/url.h"

#define PARAMS_MAX COUNT_OF(((struct request *)NULL)->params)
#define LIST_MAX   512

static const struct str form_type = STR_INIT("application/x-www-form-urlencoded");
static const struct str json_type = STR_INIT("application/json");

/* Raw slices of what the {name} segments cover. */
struct match {
	struct str params[PARAMS_MAX];
	size_t count;
};

static bool is_param(struct str segment)
{
	return segment.len > 2 && segment.at[0] == '{' && segment.at[segment.len - 1] == '}';
}

static bool matches(const char *pattern, struct str path, struct match *match)
{
	struct str segment, part, rest = str_from_c(pattern);

	match->count = 0;
	if (memchr(pattern, '{', rest.len) == NULL)
		return str_equals(rest, path);
	while (str_next(&rest, '/', &segment)) {
		if (!str_next(&path, '/', &part))
			return false;
		if (is_param(segment) && part.len > 0 && match->count < PARAMS_MAX)
			match->params[match->count++] = part;
		else if (!str_equals(segment, part))
			return false;
	}
	return path.at == NULL;
}

static bool serves(const struct route *route, struct str method)
{
	struct str served = str_from_c(route->method);

	return str_equals(served, method) ||
	       (str_equals(method, STR("HEAD")) && str_equals(served, STR("GET")));
}

static void add_method(struct buf *list, const char *method)
{
	if (list->len > 0)
		buf_add_c(list, ", ");
	buf_add_c(list, method);
}

/* The methods of a path: all of them, or those that other origins may use. */
static struct str methods_of(struct exchange *exchange, const struct door *door, unsigned flags)
{
	struct buf list = buf_in(&exchange->task.arena, LIST_MAX);
	struct match match;
	struct str text = STR("");
	unsigned seen = 0;

	for (size_t i = 0; i < door->route_count; i++) {
		const struct route *route = &door->routes[i];

		if ((route->flags & flags) != flags ||
		    !matches(route->path, exchange->request.path, &match))
			continue;
		add_method(&list, route->method);
		if (strcmp(route->method, "GET") == 0)
			add_method(&list, "HEAD");
		seen |= route->flags;
	}
	if ((seen & ROUTE_CORS) != 0)
		add_method(&list, "OPTIONS");
	return buf_finish(&list, &text) == OK ? text : STR("");
}

static enum err answer_preflight(struct exchange *exchange)
{
	reply_field(exchange, STR("Access-Control-Allow-Methods"),
		    methods_of(exchange, exchange->door, ROUTE_CORS));
	reply_field(exchange, STR("Access-Control-Allow-Headers"),
		    STR("authorization, content-type, dpop, mcp-protocol-version"));
	reply_field(exchange, STR("Access-Control-Max-Age"), STR("86400"));
	reply_with(exchange, 204, STR_NONE, STR_NONE);
	return OK;
}

static const struct route preflight = { "OPTIONS", "", answer_preflight, LANE_LOOP, 0 };

static enum err decode_params(struct exchange *exchange, const struct match *match)
{
	struct request *request = &exchange->request;

	memset(request->params, 0, sizeof(request->params));
	for (size_t i = 0; i < match->count; i++) {
		enum err err = url_decode(&exchange->task, match->params[i], false,
					  &request->params[i]);

		if (err != OK)
			return err == ERR_SYNTAX ? ERR_REQUEST : err;
	}
	return OK;
}

static enum err check_type(struct exchange *exchange, struct str type)
{
	if (request_has_type(&exchange->request, type))
		return OK;
	reply_field(exchange, STR("Accept"), type);
	return failf(&exchange->task, ERR_MEDIA_TYPE, "the body must be %.*s", STR_FMT(type));
}

static void allow_origins(struct exchange *exchange)
{
	reply_field(exchange, STR("Access-Control-Allow-Origin"), STR("*"));
	reply_field(exchange, STR("Access-Control-Expose-Headers"),
		    STR("WWW-Authenticate, DPoP-Nonce, Retry-After"));
}

static enum err take_route(struct exchange *exchange, const struct route *route,
			   const struct match *match)
{
	exchange->route = route;
	if ((route->flags & ROUTE_CORS) != 0)
		allow_origins(exchange);
	TRY(decode_params(exchange, match));
	if ((route->flags & ROUTE_FORM) != 0)
		TRY(check_type(exchange, form_type));
	if ((route->flags & ROUTE_JSON) != 0)
		TRY(check_type(exchange, json_type));
	return OK;
}

static enum err refuse_method(struct exchange *exchange, unsigned flags)
{
	if ((flags & ROUTE_CORS) != 0) {
		allow_origins(exchange);
		if (str_equals(exchange->request.method, STR("OPTIONS"))) {
			exchange->route = &preflight;
			return OK;
		}
	}
	reply_field(exchange, STR("Allow"), methods_of(exchange, exchange->door, 0));
	return fail(&exchange->task, ERR_METHOD, "method not allowed here");
}

/* ERR_NOT_FOUND without a note: the next door may know the path. */
static enum err ask_door(struct exchange *exchange, const struct door *door)
{
	unsigned flags = 0;
	bool is_known = false;
	struct match match;

	exchange->door = door;
	for (size_t i = 0; i < door->route_count; i++) {
		const struct route *route = &door->routes[i];

		if (!matches(route->path, exchange->request.path, &match))
			continue;
		if (serves(route, exchange->request.method))
			return take_route(exchange, route, &match);
		is_known = true;
		flags |= route->flags;
	}
	return is_known ? refuse_method(exchange, flags) : ERR_NOT_FOUND;
}

enum err router_match(struct exchange *exchange, const struct door *const *doors, size_t count)
{
	exchange->route = NULL;
	exchange->door = NULL;
	for (size_t i = 0; i < count; i++) {
		enum err err = ask_door(exchange, doors[i]);

		if (err != ERR_NOT_FOUND)
			return err;
	}
	return fail(&exchange->task, ERR_NOT_FOUND, "no such page");
}

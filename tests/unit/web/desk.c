/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "authority/request.h"
#include "base/url.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "knock.h"

#define SHARE GRANTD_UNIT_DIR "/../../share"

struct arena *desk_arena(struct desk *desk)
{
	return &desk->office.world.home.task.arena;
}

void desk_open(struct desk *desk)
{
	struct web_config config = { .share_dir = STR(SHARE) };

	*desk = (struct desk){ .origin = STR("https://grantd.test") };
	office_open(&desk->office);
	config.authority = &desk->office.authority;
	desk->web = web_new(&config);
	CHECK_ERR(web_read(world_task(&desk->office.world), desk->web), OK);
	(void)snprintf(desk->browser, sizeof(desk->browser), "%s", DESK_BROWSER);
}

void desk_close(struct desk *desk)
{
	knock_free(&desk->exchange);
	web_free(&desk->web);
	office_close(&desk->office);
}

static void fill(struct desk *desk, struct exchange *exchange, struct str body)
{
	struct str cookies = STR_JOIN(&exchange->task.arena, STR("__Host-grantd-browser="),
				      str_from_c(desk->browser), STR("; __Host-grantd-session="),
				      str_from_c(desk->session));

	exchange->request.peer = (struct peer){ .address = STR("127.0.0.1"), .is_secure = true };
	knock_field(exchange, STR("Cookie"), cookies);
	knock_field(exchange, STR("User-Agent"), STR("Desk/1.0"));
	knock_field(exchange, STR("Accept-Language"), desk->language);
	if (body.at == NULL)
		return;
	knock_body(exchange, STR("application/x-www-form-urlencoded"), body);
	knock_field(exchange, STR("Origin"), desk->origin);
	knock_field(exchange, STR("Sec-Fetch-Site"), desk->site);
}

static void take_cookie(struct str line, struct str name, char *at, size_t room)
{
	struct str value;

	if (!str_starts_with(line, name))
		return;
	value = str_from(line, name.len);
	value = str_sub(value, 0, str_find(value, ';'));
	(void)snprintf(at, room, "%.*s", STR_FMT(value));
}

static void take_cookies(struct desk *desk)
{
	const struct reply *reply = &desk->exchange->reply;

	for (size_t i = 0; i < reply->field_count; i++) {
		if (!str_equals(reply->fields[i].name, STR("Set-Cookie")))
			continue;
		take_cookie(reply->fields[i].value, STR("__Host-grantd-browser="), desk->browser,
			    sizeof(desk->browser));
		take_cookie(reply->fields[i].value, STR("__Host-grantd-session="), desk->session,
			    sizeof(desk->session));
	}
}

unsigned desk_ask(struct desk *desk, const char *method, struct str target, struct str body)
{
	struct exchange *exchange = knock_new(&desk->office.world, method, target);

	fill(desk, exchange, body);
	(void)knock(exchange, web_door(desk->web));
	knock_free(&desk->exchange);
	desk->exchange = exchange;
	take_cookies(desk);
	return exchange->reply.status;
}

unsigned desk_get(struct desk *desk, struct str target)
{
	return desk_ask(desk, "GET", target, STR_NONE);
}

struct str desk_body(const struct desk *desk)
{
	return desk->exchange->reply.body;
}

struct str desk_field(const struct desk *desk, const char *name)
{
	return knock_answer_field(desk->exchange, name);
}

bool desk_says(const struct desk *desk, const char *text)
{
	struct str body = desk_body(desk);

	return memmem(body.at, body.len, text, strlen(text)) != NULL;
}

struct str desk_value(const struct desk *desk, const char *name)
{
	char begin[128];
	struct str body = desk_body(desk), value;
	const char *found;

	(void)snprintf(begin, sizeof(begin), "name=\"%s\" value=\"", name);
	found = memmem(body.at, body.len, begin, strlen(begin));
	if (found == NULL)
		return STR("");
	value = str_from(body, (size_t)(found - body.at) + strlen(begin));
	return str_sub(value, 0, str_find(value, '"'));
}

void desk_sign_in(struct desk *desk)
{
	struct arena *arena = desk_arena(desk);
	struct str csrf;

	assert_int_equal(desk_get(desk, STR("/login?again=1")), 200);
	csrf = str_copy(arena, desk_value(desk, "csrf"));
	assert_int_equal(desk_ask(desk, "POST", STR("/login"),
				  STR_JOIN(arena, STR("username=alice&password="),
					   STR("correct+horse+battery+staple&csrf="), csrf)),
			 303);
}

struct str desk_question(struct desk *desk, const char *scope)
{
	struct task *task = world_task(&desk->office.world);
	struct authorize_params params = {
		.client_id = STR("agent"),
		.redirect_uri = STR(OFFICE_REDIRECT),
		.response_type = STR("code"),
		.scope = str_from_c(scope),
		.state = STR("xyz"),
		.resource = STR(OFFICE_RESOURCE),
		.resource_count = 1,
		.code_challenge = base64url_encode(&task->arena,
						   sha256_str(&task->arena, STR(OFFICE_VERIFIER))),
		.code_challenge_method = STR("S256"),
		.browser = str_from_c(desk->browser),
		.source = STR("127.0.0.1"),
	};
	struct authorize_refusal refusal;
	struct auth_request request;

	CHECK_ERR(office_ask(&desk->office, &params, &request, &refusal), OK);
	return STR_JOIN(&task->arena, STR("/consent?request="), request.id);
}

unsigned desk_answer(struct desk *desk, struct str target, const char *pairs)
{
	struct arena *arena = desk_arena(desk);
	struct str body = STR_JOIN(arena, STR("csrf="), desk_value(desk, "csrf"), STR("&shown="),
				   desk_value(desk, "shown"), STR("&language="),
				   desk_value(desk, "language"), STR("&"), str_from_c(pairs));

	return desk_ask(desk, "POST", target, body);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A browser in front of the pages, without a socket: the office of the rules with the real door,
 * templates and sentences. Cookies are kept as a browser would.
 */
#pragma once

#include "../authority/office.h"

#include "http/exchange.h"
#include "web/web.h"

#define DESK_BROWSER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct desk {
	struct office office;
	struct web *web;
	struct exchange *exchange; /* the last one */
	char browser[64];
	char session[256];
	struct str origin;   /* of what is posted; STR_NONE: not sent */
	struct str site;     /* Sec-Fetch-Site; STR_NONE: not sent */
	struct str language; /* Accept-Language */
};

void desk_open(struct desk *desk);
void desk_close(struct desk *desk);
/* One request; answers the status. body is a form, or NULL. */
unsigned desk_ask(struct desk *desk, const char *method, struct str target, struct str body);
unsigned desk_get(struct desk *desk, struct str target);
/* The last answer. */
struct str desk_body(const struct desk *desk);
struct str desk_field(const struct desk *desk, const char *name);
bool desk_says(const struct desk *desk, const char *text);
/*
 * The value of the first hidden or other field of that name on the last page; "" when there is
 * none.
 */
struct str desk_value(const struct desk *desk, const char *name);
/* alice signs in. */
void desk_sign_in(struct desk *desk);
/* "/consent?request=…" of a new request by "agent" in this browser. */
struct str desk_question(struct desk *desk, const char *scope);
/* The form of the consent page just shown, with these pairs added. */
unsigned desk_answer(struct desk *desk, struct str target, const char *pairs);
/* Memory that lives as long as the desk. */
struct arena *desk_arena(struct desk *desk);

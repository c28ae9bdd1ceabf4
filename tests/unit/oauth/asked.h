/* SPDX-License-Identifier: Apache-2.0 */
/* A request as a test writes it: header fields and a form, without a connection. */
#pragma once

#include "check.h"

#include "http/exchange.h"
#include "http/form.h"

struct asked {
	struct check_clock clock;
	struct exchange exchange;
	struct form form;
};

static inline struct asked *asked_new(const char *query, const char *body)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	check_clock_start(&asked->clock);
	task_begin(&asked->exchange.task, &asked->clock.clock, NULL);
	asked->exchange.request.query = str_from_c(query);
	asked->exchange.request.body = str_from_c(body);
	asked->exchange.request.peer.address = STR("192.0.2.7");
	CHECK_ERR(form_parse(&asked->exchange.task, str_from_c(body), &asked->form), OK);
	return asked;
}

static inline void asked_field(struct asked *asked, const char *name, struct str value)
{
	struct request *request = &asked->exchange.request;

	request->fields[request->field_count++] = (struct http_field){ str_from_c(name), value };
}

static inline void asked_free(struct asked *asked)
{
	task_end(&asked->exchange.task);
	free(asked);
}

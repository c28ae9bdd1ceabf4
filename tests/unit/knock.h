/* SPDX-License-Identifier: Apache-2.0 */
/* A request handed to a door without a socket, as the server would after parsing it. */
#pragma once

#include "http/exchange.h"
#include "world.h"

/* From nobody yet: the caller says who asks (request.peer). Ended by knock_free. */
struct exchange *knock_new(struct world *world, const char *method, struct str target);
/* Nothing for STR_NONE. */
void knock_field(struct exchange *exchange, struct str name, struct str value);
/* With that content type; a copy. */
void knock_body(struct exchange *exchange, struct str type, struct str body);
/* The door answers, or refuses in its words. Answers the status. */
unsigned knock(struct exchange *exchange, const struct door *door);
/* A field of the answer; STR_NONE when it is not there. */
struct str knock_answer_field(const struct exchange *exchange, const char *name);
void knock_free(struct exchange **exchange);

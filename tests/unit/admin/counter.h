/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counter where operators ask, without the socket: the office of the rules with the real admin
 * door. Who asks is what the kernel would say; a reload takes DIR up as the daemon does.
 */
#pragma once

#include "../authority/office.h"

#include "admin/admin.h"
#include "base/json.h"
#include "knock.h"

#define COUNTER_GROUP 4321 /* who is in it may administer */

struct counter {
	struct office office;
	struct admin *admin;
	struct exchange *exchange; /* the last one */
	struct peer peer;	   /* who asks: grantd's own user at first */
	struct str type;	   /* of bodies: application/json at first */
	json_t *answer;		   /* the last one's */
	unsigned reloads;
	/* the file of a resource that was last put or removed, and what stood in it */
	struct str replaced, old;
	struct arena arena;
};

void counter_open(struct counter *counter);
void counter_close(struct counter *counter);
/* One request; answers the status. body is JSON text, or NULL. */
unsigned counter_ask(struct counter *counter, const char *method, const char *target,
		     const char *body);
/* As above, with a body of any bytes. */
unsigned counter_send(struct counter *counter, const char *method, const char *target,
		      struct str body);
/* A text of the last answer; STR_NONE when there is none. */
struct str counter_text(const struct counter *counter, const char *member);
/* The last answer is a refusal in that word, and its message says `what`. */
void counter_refuses(const struct counter *counter, const char *word, const char *what);
/* How many people, clients and events there are: to see that nothing came or went. */
size_t counter_rows(struct counter *counter);

/* SPDX-License-Identifier: Apache-2.0 */
/* An office in which agent may exchange its tokens, and delegates to helper, which has a secret. */
#pragma once

#include "at_office.h"

#include "authority/clients.h"

extern struct access exchanged_seen; /* of the token that was looked at last */

/* Whom agent may delegate to. */
extern const struct scope_set exchanging_helper, exchanging_nobody;

int exchanging_start(void **state);
void exchanging_change(const char *id, struct client_change wish);
/* OK while it stands. */
enum err exchanging_look(struct str token);
enum err exchanging_step(struct task *task, void *arg); /* arg: a token_wish */
enum err exchanging_run(struct token_wish *wish);
/* label: NULL where the client is another than the subject's. */
struct token_wish exchanging_wish(const char *client, struct str subject, const char *label);
/* What it becomes. */
struct token_answer exchanging_derived(const char *client, struct str subject, const char *label);
/* By a refresh, whose tokens *tokens has then. */
struct str exchanging_fresh(struct token_answer *tokens);
void exchanging_revoke(const char *client, struct str token);

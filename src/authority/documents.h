/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents that nobody registered: a client_id that is a URL is read there (DESIGN 10), for a person
 * who has signed in, by the operator's policy, and not again while it is fresh. What was read is a
 * client in the store; all other endpoints know these clients from there only. Of many who ask for
 * one client at the same time one reads, and the others wait for it: that list is shared by all
 * threads and hides its mutex here.
 */
#pragma once

#include "authority/authority.h"
#include "authority/fetches.h"
#include "model/client.h"
#include "model/document.h"
#include "store/documents.h"

struct outgoing;

struct documents *documents_new(void);
void documents_free(struct documents **documents);
/* Who fetches, borrowed; before anybody asks. Without it nothing is fetched. */
void documents_fetch_by(struct documents *documents, struct outgoing *outgoing);

struct document_need {
	struct str client_id;
	struct fetch fetch; /* user_id: who is signed in; STR_NONE: nobody, so nothing is fetched */

	/* what it takes, for documents.c */
	then_fn *then;
	void *arg;
};

/*
 * For a client_id that document_is_meant. OK: the store has it, pinned or fresh. ERR_PARKED: it is
 * being read, and then(task, result, arg) goes on; on the task's loop, where it must not ask the
 * store. ERR_LOGIN_REQUIRED: it would have to be read, and nobody is signed in.
 * ERR_CLIENT_DOCUMENT: no URL for a client, no document to be had there, or one that breaks a rule.
 * ERR_CLIENT: the operator's policy is against it. ERR_THROTTLED; ERR_BUSY. need is task memory.
 */
MUST_CHECK enum err document_need(struct task *task, const struct authority *authority,
				  struct document_need *need, then_fn *then, void *arg);

/* ERR_CLIENT: the operator's lists of domains are against the one of that https URL. */
MUST_CHECK enum err document_check_domain(struct task *task, const struct config *config,
					  struct str url);
/* ERR_CLIENT: as above, or nothing of agents that are documents is read here (client_metadata). */
MUST_CHECK enum err document_check_policy(struct task *task, const struct config *config,
					  struct str url);

/*
 * The operator's copy: text is taken for what stands at the URL, until it is unpinned, whatever the
 * policy says. It waits for the commit. ERR_CLIENT_DOCUMENT with what to change, ERR_CONFLICT.
 */
MUST_CHECK enum err document_pin(struct task *task, const struct authority *authority,
				 struct str url, struct str text);
/* It is read again when it is next asked for. ERR_NOT_FOUND: it is not pinned. */
MUST_CHECK enum err document_unpin_for_operator(struct task *task,
						const struct authority *authority, struct str url);
/* What a consent rests on: SHA-256 of name and redirect URIs of the client. Task memory. */
struct str document_identity(struct arena *arena, const struct client *client);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients' keys by reference (jwks_uri, RFC 7591 2). What is published there is read for who has
 * signed in and is asked about the client, for the operator, and by the jobs before it is old; then
 * it lies in the store for all nodes, and who authenticates a client looks there only: no request
 * for a token waits for another host, and none makes us call one (DESIGN 10). An assertion with a
 * kid that the set has not may have the jobs read it earlier, once in five minutes for a client,
 * however many come. A set that can be read no more is good for a day after it was read last.
 */
#pragma once

#include "authority/authority.h"
#include "authority/fetches.h"
#include "model/client.h"

struct db;

struct key_sets *key_sets_new(void);
/* After the last round. */
void key_sets_free(struct key_sets **key_sets);

/*
 * client->jwks of a client with a jwks_uri: what was last read there. ERR_CLIENT: nothing yet, or
 * too long ago. Of any other client nothing is done.
 */
MUST_CHECK enum err key_set_load(struct task *task, struct db *db, struct client *client);
/*
 * For an agent that writes its own registration and may have its keys read: they are due, but at
 * the address they were due at not sooner than before, and at another one KEY_SET_RETRY_MS after
 * the last try, for as often as it likes it can say that they are elsewhere.
 */
MUST_CHECK enum err key_set_want_own(struct task *task, struct db *db, const struct client *client);
/* A signature names a key that the set of the client has not. Nothing is noted or waited for. */
void key_set_miss(struct task *task, const struct authority *authority,
		  const struct client *client);

/* Where a client says that its keys are. */
struct key_set_place {
	struct str client_id;
	struct str uri;
	bool is_operators; /* the operator wrote it, or pinned the document that says so */
};

/*
 * May keys be read there? It is asked before anything is, and when a client that is not the
 * operator's says where they are. ERR_CLIENT: the operator's lists are against the domain, or the
 * client is a document and these are not read here (client_metadata).
 */
MUST_CHECK enum err key_set_check_place(struct task *task, const struct config *config,
					const struct key_set_place *place);
/*
 * True of a client that nobody can begin with: it must push before a person is asked (RFC 9126),
 * for that it must show its keys, and these are read for a person who is asked. Of the operator's,
 * of who came with the operator's token and of who is in use already they are read sooner.
 */
bool key_set_comes_too_late(const struct config *config, const struct client *client);

struct key_set_need {
	struct str client_id;
	struct fetch fetch; /* user_id: who is signed in; STR_NONE: nobody, so nothing is fetched */

	/* what it takes, for key_sets.c */
	then_fn *then;
	void *arg;
	struct key_set_reading *reading;
};

/*
 * For a client that a person is about to be asked about. OK: it has keys of its own, they can be
 * had without reading, or it is the operator's (key_set_place) and nobody is signed in. ERR_PARKED:
 * they are being read, and then(task, result, arg) goes on; on the task's loop, where it must not
 * ask the store. ERR_LOGIN_REQUIRED: they would have to be, and nobody is signed in.
 * ERR_CLIENT_DOCUMENT: nothing usable is to be had there. ERR_CLIENT: as key_set_check_place.
 * ERR_THROTTLED, counted as documents are; ERR_BUSY. need is task memory.
 */
MUST_CHECK enum err key_set_need(struct task *task, const struct authority *authority,
				 const struct client *client, struct key_set_need *need,
				 then_fn *then, void *arg);

/* --- the jobs, each from one thread --- */

/* Begins to read what is due, and keeps what has come; it waits for the store, for hosts hardly. */
MUST_CHECK enum err key_sets_round(struct task *task, const struct authority *authority);
/* Waits for what is under way: after that no task of ours is out. */
void key_sets_rest(const struct authority *authority);

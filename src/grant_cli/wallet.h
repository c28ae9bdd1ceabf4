/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where `grant` keeps its log-ins: one file (0600) per issuer, client and resource, replaced
 * whole by an atomic rename. Several processes share it: a refresh holds the log-in's lock while
 * it reads, asks and writes. The lock spares the server work; correctness does not hang on it: a
 * write says which refresh token it follows, and one that follows an older token than the stored
 * one is dropped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;

#define WALLET_LOGINS_MAX 256

/* Lives in task memory, which is wiped when it is freed. Times are wall milliseconds. */
struct login {
	struct str file; /* its name in the store */
	struct str id;	 /* ours; the server's grant id is not for clients to read */
	struct str issuer;
	struct str client_id;
	struct str resource; /* STR_NONE: the client's only one */
	struct str scope;
	struct str ca_file; /* STR_NONE: the system's */
	struct str token_endpoint;
	struct str revocation_endpoint; /* STR_NONE: the server has none */
	int64_t created_at;
	int64_t expires_at; /* when what the person allowed ends; 0: not until revoked */
	int64_t last_used_at;
	struct str access_token;
	int64_t access_expires_at;
	struct str refresh_token; /* STR_NONE: none was given */
	/* PEM: proves that the tokens are ours; STR_NONE: none was made */
	struct str dpop_key;
	struct str token_type; /* "DPoP": the access token goes with a proof; else Bearer */
	struct str ended;      /* why there are no tokens any more, in words; STR_NONE: active */
};

struct wallet {
	struct str dir;
	int fd;
};

/* A store that was not opened, for CLEANUP(wallet_close). */
#define WALLET_CLOSED                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Makes the directory (0700) if create. ERR_NOT_FOUND when it is not there; ERR_STORE if others
 * may write to it.
 */
MUST_CHECK enum err wallet_open(struct task *task, struct str dir, bool create,
				struct wallet *ret_wallet);
void wallet_close(struct wallet *wallet);

/* The name of the file for such a log-in. */
struct str wallet_file(struct task *task, struct str issuer, struct str client_id,
		       struct str resource);
/* All log-ins, oldest first. */
MUST_CHECK enum err wallet_list(struct task *task, const struct wallet *wallet,
				struct login **ret_logins, size_t *ret_count);
/*
 * The log-in for a resource, named by its URI or its last path segment; STR_NONE: the only one
 * there is. ERR_NOT_FOUND, ERR_CONFLICT when several would do, both in words for the user.
 */
MUST_CHECK enum err wallet_find(struct task *task, const struct wallet *wallet, struct str resource,
				struct login *ret_login);
/* ERR_NOT_FOUND when it is gone. */
MUST_CHECK enum err wallet_read(struct task *task, const struct wallet *wallet, struct str file,
				struct login *ret_login);
/*
 * Writes the log-in if the stored one still has the refresh token `follows`. ERR_CONFLICT if
 * not, and nothing is written; ERR_NOT_FOUND if it is gone. On disk before it answers.
 */
MUST_CHECK enum err wallet_replace(struct task *task, const struct wallet *wallet,
				   const struct login *login, struct str follows);
/* Writes the log-in whatever is there. */
MUST_CHECK enum err wallet_put(struct task *task, const struct wallet *wallet,
			       const struct login *login);
/* Deletes it; fine if it is gone. */
MUST_CHECK enum err wallet_remove(struct task *task, const struct wallet *wallet, struct str file);

/*
 * The log-in's lock, waited for up to half a minute. -1 if it cannot be had; go on without it.
 * The lock ends with wallet_unlock or with the process.
 */
int wallet_lock(struct task *task, const struct wallet *wallet, struct str file);
void wallet_unlock(int *lock);

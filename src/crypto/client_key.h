/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key of ours as a client, not as a server: what `grant` proves that its tokens are its own with
 * (RFC 9449). P-256, ES256. The private part leaves here for the caller's file only.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct task;
struct client_key;

MUST_CHECK enum err client_key_new(struct task *task, struct client_key **ret_key);
void client_key_free(struct client_key **key);
/* PKCS #8 as PEM, and back. ERR_CRYPTO for anything but a P-256 key. */
MUST_CHECK enum err client_key_save(struct task *task, const struct client_key *key,
				    struct secret *ret_pem);
MUST_CHECK enum err client_key_load(struct task *task, struct str pem, struct client_key **ret_key);
/* The public part as JSON, with the members of its thumbprint only. */
struct str client_key_jwk(const struct client_key *key);
/* Its thumbprint (RFC 7638), in arena memory. */
struct str client_key_thumbprint(struct arena *arena, const struct client_key *key);

/* header and claims are JSON objects; header says alg ES256. *ret_jws in task memory. */
MUST_CHECK enum err client_key_sign(struct task *task, const struct client_key *key,
				    struct str header, struct str claims, struct str *ret_jws);

struct proof_wish {
	struct str method;
	struct str url;		 /* without query and fragment */
	struct str nonce;	 /* STR_NONE: none */
	struct str access_token; /* that it goes with; STR_NONE: none */
};

/* A proof of now, with an id of its own. */
MUST_CHECK enum err client_key_prove(struct task *task, const struct client_key *key,
				     const struct proof_wish *wish, struct str *ret_proof);

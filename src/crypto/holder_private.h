/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the key holder share: roots in secure memory, the current set of signing keys.
 */
#pragma once

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "crypto/holder.h"
#include "crypto/seal.h"

/* Where keys themselves lie sealed: nobody else's values are sealed for these. */
#define SIGNING_KEYS_TABLE STR("keys")
#define USER_KEYS_TABLE	   STR("user_keys")

#define ROOT_LEN  32
#define ROOTS_MAX KEY_ROOTS_MAX
#define KID_LEN	  22 /* characters of the thumbprint: 132 bits */

/* One line of the root file and what is derived from it once. Lives in secure memory only. */
struct root {
	uint32_t number;
	uint8_t bytes[ROOT_LEN];
	uint8_t seal_key[SEAL_KEY_LEN];
	uint8_t mac_keys[MAC_LABEL_COUNT][SHA256_LEN];
};

struct key_holder {
	char *issuer;
	size_t issuer_len;
	struct root *roots; /* sodium_malloc, read-only once opened; in order of their numbers */
	size_t root_count;
	atomic_size_t current; /* which of them new things are sealed by */
	pthread_rwlock_t lock; /* held only to take or replace the pointer */
	struct key_set *set;
};

/* --- signing keys: a set never changes once it can be seen; the last reader frees it --- */

struct signing_key {
	struct str kid;
	struct str purpose;
	struct str jwk;
	enum alg alg;
	int64_t created_at;
	int64_t not_before;
	int64_t retire_at;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *sign; /* prepared; each signature copies it */
};

struct key_set {
	atomic_uint holders;
	struct arena arena;
	struct signing_key *keys; /* oldest first */
	size_t count;
};

/* The current set, never NULL; for CLEANUP(key_set_release). */
struct key_set *key_set_hold(struct key_holder *holder);
void key_set_release(struct key_set **set);

/*
 * JSON text of the public part of pkey with kid, alg and use; also its kid. Task memory.
 * ERR_CRYPTO.
 */
MUST_CHECK enum err signing_jwk(struct task *task, EVP_PKEY *pkey, enum alg alg,
				struct str *ret_kid, struct str *ret_jwk);
/* Where a private key is sealed: another purpose or algorithm in its row does not open it. */
struct seal_place signing_place(struct task *task, const struct key_record *record);
/* Where a person's key is wrapped. */
struct seal_place user_key_place(struct str user_id);

/* --- roots --- */

const struct root *root_current(const struct key_holder *holder);
/* NULL when the file does not have that number. */
const struct root *root_find(const struct key_holder *holder, uint32_t number);
struct str root_bytes(const struct root *root);

/* --- sealing under the root, for keys too --- */

MUST_CHECK enum err root_seal(struct task *task, struct key_holder *holder,
			      const struct seal_place *place, struct str plain,
			      struct str *ret_sealed);
MUST_CHECK enum err root_unseal(struct task *task, struct key_holder *holder,
				const struct seal_place *place, struct str sealed,
				struct secret *ret_plain);

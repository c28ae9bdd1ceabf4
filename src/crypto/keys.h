/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rest of grantd may ask of its keys. The keys themselves are in a key holder (holder.h):
 * in the daemon that is keyd, a process of its own, and a keyring is the way to it (keys_connect);
 * commands that serve nobody have one in their own process (keys_open). Public keys are on this
 * side: verifying and the JWKS ask nobody. Safe from all threads; keys_load swaps the set at once.
 *
 * root -> HKDF by label -> MAC keys, sealing key for what belongs to nobody (signing keys, person
 *   keys)
 * root -> wraps a random 256-bit data key per person -> seals that person's records (destroying it
 *   is erasure)
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/task.h"
#include "crypto/digest.h"
#include "crypto/jwk.h"

struct task;
struct keyring;
struct key_channel;
struct key_record;

/* --- root --- */

/*
 * The root file: lines "NUMBER BASE64URL(32 bytes)"; '#' comments. Which of several is the current
 * one, by which new things are sealed, is what the database says (keys_use_root); until then it is
 * the lowest number, which every node has had longest. Mode 0600. ERR_CONFIG says what to do:
 * missing, unreadable, readable by others, malformed. issuer is part of every MAC.
 */
MUST_CHECK enum err keys_create_root(struct task *task, struct str file);
/* The same key for another node; from is checked as keys_open would. */
MUST_CHECK enum err keys_copy_root(struct task *task, struct str from, struct str file);
/*
 * A further key, numbered behind the highest, or all but one: the file is replaced whole, with its
 * mode and owner. ERR_CONFIG as keys_open, and for a number that is not there or the last key left;
 * ERR_CONFLICT: somebody else changes it, or it is full.
 */
MUST_CHECK enum err keys_add_root(struct task *task, struct str file, uint32_t *ret_number);
MUST_CHECK enum err keys_remove_root(struct task *task, struct str file, uint32_t number);
MUST_CHECK enum err keys_open(struct task *task, struct str root_file, struct str issuer,
			      struct keyring **ret_keys);
/*
 * A keyring whose holder is at the other end of count channels (key_channel.h); each is taken over,
 * also when this fails. A question goes by the channel of its task's thread. As keys_open when the
 * holder has no root key; ERR_BUSY when nobody answers. From then on ERR_BUSY from any call says
 * that the holder is gone, and ERR_TOO_LARGE that a question is over a channel's mebibyte.
 */
MUST_CHECK enum err keys_connect(struct task *task, const struct key_channel *channels,
				 size_t count, struct keyring **ret_keys);
void keys_free(struct keyring **keys);

#define KEY_ROOTS_MAX 16

/* A root of the file, and its fixed answer by which the database knows it again. */
struct key_root {
	uint32_t number;
	struct str fingerprint;
};

/* In order of their numbers, at least one; lives as long as the keyring. */
const struct key_root *keys_roots(const struct keyring *keys, size_t *ret_count);
/* NULL when the file does not have that number. */
const struct key_root *keys_find_root(const struct keyring *keys, uint32_t number);
/*
 * Makes the root of that number the current one, for what is sealed, wrapped or MACed from now on.
 * Never back: a lower number than the current one's changes nothing. ERR_CRYPTO when the file does
 * not have it.
 */
MUST_CHECK enum err keys_use_root(struct task *task, struct keyring *keys, uint32_t number);
/*
 * Says that the current root is one that the file does not have. Answers ERR_BUSY, and so does from
 * then on every question that needs a key: what is sealed by it cannot be read here, and that
 * another node has ended a signing key cannot be heard of.
 */
MUST_CHECK enum err keys_miss_root(struct task *task, struct keyring *keys, uint32_t number);
/* ERR_BUSY once keys_miss_root was called. */
MUST_CHECK enum err keys_check(struct task *task, const struct keyring *keys);
/* By which root a sealed value, a wrapped person key or a private part is sealed; 0: by none. */
uint32_t keys_root_of(struct str sealed);
/*
 * The same key under the current root; what it protects stays as it is. ERR_CRYPTO when it does not
 * open. Nothing is opened outside of the holder.
 */
MUST_CHECK enum err keys_rewrap_user_key(struct task *task, struct keyring *keys,
					 struct str user_id, struct str wrapped,
					 struct str *ret_wrapped);
MUST_CHECK enum err keys_rewrap_signing_key(struct task *task, struct keyring *keys,
					    const struct key_record *record,
					    struct str *ret_sealed);

/* --- signing keys (their rows live in the store; private parts sealed under the root) --- */

struct key_record {
	struct str id; /* kid: never reused, thumbprint-based */
	/* "access", "id", or "resource:NAME" for a resource with keys of its own */
	struct str purpose;
	enum alg alg;	       /* ALG_ES256 or ALG_RS256 */
	struct str public_jwk; /* JSON text with kid, alg, use */
	struct str sealed;     /* private key, sealed under the root (keys_root_of) */
	int64_t created_at;
	int64_t not_before; /* published from created_at, signs from here */
	int64_t retire_at;  /* 0: not yet known; published until then */
};

static inline bool key_is_retired(int64_t retire_at, int64_t now)
{
	return retire_at != 0 && now >= retire_at;
}

#define KEY_RECORDS_MAX 256

/*
 * A new key pair, not yet loaded; signs from now on unless the caller moves not_before. Task
 * memory.
 */
MUST_CHECK enum err keys_generate(struct task *task, struct keyring *keys, struct str purpose,
				  enum alg alg, struct key_record *ret_record);
/*
 * Replaces the loaded set, of KEY_RECORDS_MAX at most. ERR_CRYPTO when one does not open (wrong
 * root key), and what verifies stays as it was.
 */
MUST_CHECK enum err keys_load(struct task *task, struct keyring *keys,
			      const struct key_record *records, size_t count);
/*
 * A compact JWS over claims (JSON text) by the newest key of purpose that is past its not_before.
 * ERR_CRYPTO when there is none.
 */
MUST_CHECK enum err keys_sign_jwt(struct task *task, struct keyring *keys, struct str purpose,
				  struct str typ, struct str claims, struct str *ret_jwt);
/*
 * The JWKS text (RFC 7517 5) of all published keys, oldest first: of one purpose, or of "access"
 * and "id" when purpose is STR_NONE.
 */
MUST_CHECK enum err keys_jwks(struct task *task, struct keyring *keys, struct str purpose,
			      struct str *ret_jwks);
/*
 * Checks a JWS that we signed: kid known, key of one of our purposes, typ as asked, signature
 * right. *ret_claims is owned by the caller; *ret_purpose says which key set. ERR_TOKEN.
 */
MUST_CHECK enum err keys_verify_jwt(struct task *task, struct keyring *keys, struct str jwt,
				    struct str typ, json_t **ret_claims, struct str *ret_purpose);

/* --- MACs --- */

enum mac_label { MAC_CODE, MAC_BROWSER, MAC_ALIAS, MAC_USER_CODE, MAC_LABEL_COUNT };

/* HMAC-SHA-256 under HKDF(current root, label), over the issuer and input. */
MUST_CHECK enum err keys_mac(struct task *task, struct keyring *keys, enum mac_label label,
			     struct str input, uint8_t ret_tag[SHA256_LEN]);
/* The number of the current root, kept with a new family. */
uint32_t keys_root_number(const struct keyring *keys);
/*
 * Tag of a refresh token (DESIGN 5): HMAC under HKDF(root of that number, seed). ERR_CRYPTO: number
 * unknown.
 */
MUST_CHECK enum err keys_mac_refresh(struct task *task, struct keyring *keys, uint32_t root_number,
				     struct str seed, struct str input,
				     uint8_t ret_tag[SHA256_LEN]);
/* The same for keys_mac_refresh_with_others. */
struct mac_order {
	uint32_t root_number;
	struct str seed;
	struct str input;
};
/* Asked with the questions of other tasks, as keys_issue_with_others. Task memory. */
MUST_CHECK enum err keys_mac_refresh_with_others(struct task *task, struct keyring *keys,
						 const struct mac_order *order, struct str *ret_tag,
						 then_fn *then, void *arg);

/* What one question to the holder is to make: a JWT, and with it a refresh token's tag. */
struct key_order {
	struct str purpose;
	struct str typ;
	struct str claims;
	bool wants_tag; /* else what follows is not looked at */
	uint32_t root_number;
	struct str seed;
	struct str input;
	/* the refresh token that was presented, if one was: its own root and input, and its tag */
	uint32_t presented_root;
	struct str presented_input;
	struct str presented_tag; /* STR_NONE: none */
};

struct key_issued {
	struct str jwt;
	uint8_t tag[SHA256_LEN]; /* if it was wanted */
};

/*
 * keys_sign_jwt and keys_mac_refresh at once, for asking costs as much as half a signature.
 * ERR_TOKEN when the presented tag is not ours; the errors of both. Nothing is answered then.
 */
MUST_CHECK enum err keys_issue(struct task *task, struct keyring *keys,
			       const struct key_order *order, struct key_issued *ret_issued);
/*
 * keys_issue, asked with the questions of other tasks where the thread gathers them
 * (keys_ask_gathered): ERR_PARKED, and `then` goes on once *ret_issued stands. Where it does not,
 * as keys_issue, and `then` is not called. order may go.
 */
MUST_CHECK enum err keys_issue_with_others(struct task *task, struct keyring *keys,
					   const struct key_order *order,
					   struct key_issued *ret_issued, then_fn *then, void *arg);
/*
 * Asks all that tasks of the calling thread wait for, in one go, and brings them home; whether
 * there were any. With its first call the thread begins to gather, and must call it before it waits
 * for anything else. thread: its number, as of its tasks.
 */
bool keys_ask_gathered(struct keyring *keys, unsigned thread);

/* --- sealing (XChaCha20-Poly1305); the place is bound as additional data --- */

#define KEYS_SEAL_MARGIN 48

struct seal_place {
	struct str table;
	struct str row;
	struct str column;
	/*
	 * Empty for what belongs to nobody, which is sealed under the root; else the person's key
	 * is needed.
	 */
	struct str user_id;
	int64_t version; /* the row's version: an older value put back does not open */
};

/* A new person's data key, wrapped under the root and bound to user_id. */
MUST_CHECK enum err keys_new_user_key(struct task *task, struct keyring *keys, struct str user_id,
				      struct str *ret_wrapped);
/*
 * wrapped: the person's key; STR_NONE for the root. ERR_CRYPTO when it is not the one that
 * place->user_id asks for, and for the places of keys themselves. Bytes in task memory,
 * KEYS_SEAL_MARGIN at most longer than plain.
 */
MUST_CHECK enum err keys_seal(struct task *task, struct keyring *keys, struct str wrapped,
			      const struct seal_place *place, struct str plain,
			      struct str *ret_sealed);
/* What keys_seal and keys_mac take, for one question to the holder. */
struct seal_order {
	struct str wrapped;
	struct seal_place place;
	struct str plain;
	bool wants_tag; /* else what follows is not looked at */
	enum mac_label label;
	struct str input;
};

struct key_sealed {
	struct str bytes;
	uint8_t tag[SHA256_LEN]; /* if it was wanted */
};

/*
 * keys_seal and, if a tag is wanted, keys_mac at once, asked with the questions of other
 * tasks: as keys_issue_with_others. The errors of both, and nothing is answered then.
 */
MUST_CHECK enum err keys_seal_with_others(struct task *task, struct keyring *keys,
					  const struct seal_order *order,
					  struct key_sealed *ret_sealed, then_fn *then, void *arg);
/* ERR_CRYPTO when the key, the place or the bytes are not those of the sealing. */
MUST_CHECK enum err keys_unseal(struct task *task, struct keyring *keys, struct str wrapped,
				const struct seal_place *place, struct str sealed,
				struct secret *ret_plain);

/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/task.h"
#include "crypto/sodium_ready.h"

#define MEMORY	   (19 * 1024 * 1024)
#define ITERATIONS 2

#define HASH_LEN 32

/*
 * A database that someone wrote into must not choose how long we compute: only costs that we once
 * wrote.
 */
static const struct str accepted = STR_INIT("$argon2id$v=19$m=19456,t=2,p=1$");

/* What a PHC string has after its costs. */
struct stored {
	uint8_t salt[crypto_pwhash_SALTBYTES];
	uint8_t hash[HASH_LEN];
};

/* Of a random password that nobody kept. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$"
			     "FZSvNbxAfq9p4C7FLdSuVw$o3etPIWUania1DsK6Pr22nkDKhjUQ2N3g4fjjm4LfSQ";

static _Atomic uint64_t runs;

uint64_t password_runs(void)
{
	return atomic_load(&runs);
}

enum err password_hash(struct task *task, struct str password, struct str *ret_hash)
{
	char hash[crypto_pwhash_STRBYTES];

	if (password.len < PASSWORD_MIN)
		return fail(task, ERR_REQUEST, "a password has at least 8 characters");
	if (password.len > PASSWORD_MAX)
		return fail(task, ERR_REQUEST, "a password has at most 1024 bytes");
	sodium_ready();
	atomic_fetch_add(&runs, 1);
	if (crypto_pwhash_str(hash, password.at, password.len, ITERATIONS, MEMORY) != 0)
		return fail(task, ERR_INTERNAL, "argon2id found no memory");
	*ret_hash = str_copy(&task->arena, str_from_c(hash));
	return OK;
}

static bool read_bytes(struct str text, uint8_t *ret, size_t len)
{
	size_t got = 0;

	return sodium_base642bin(ret, len, text.at, text.len, NULL, &got, NULL,
				 sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	       got == len;
}

static bool read_stored(struct str text, struct stored *ret)
{
	struct str rest = STR_NONE;
	size_t salt_len;

	if (!str_starts_with(text, accepted))
		return false;
	rest = str_from(text, accepted.len);
	salt_len = str_find(rest, '$');
	return salt_len < rest.len &&
	       read_bytes(str_sub(rest, 0, salt_len), ret->salt, sizeof(ret->salt)) &&
	       read_bytes(str_from(rest, salt_len + 1), ret->hash, sizeof(ret->hash));
}

/*
 * By crypto_pwhash, and not by crypto_pwhash_str_verify: that one says of a right password that it
 * is wrong when it finds no memory.
 */
enum err password_verify(struct task *task, struct str hash, struct str password)
{
	struct stored stored = { 0 };
	uint8_t computed[HASH_LEN];
	bool is_known, fits;

	if (password.len > PASSWORD_MAX)
		return fail(task, ERR_PASSWORD, "name and password do not belong together");
	sodium_ready();
	is_known = read_stored(hash, &stored);
	if (!is_known && !read_stored(str_from_c(nobody), &stored))
		abort();
	atomic_fetch_add(&runs, 1);
	if (crypto_pwhash(computed, sizeof(computed), password.len > 0 ? password.at : "",
			  password.len, stored.salt, ITERATIONS, MEMORY,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fail(task, ERR_INTERNAL, "argon2id found no memory");
	fits = sodium_memcmp(computed, stored.hash, sizeof(computed)) == 0;
	sodium_memzero(computed, sizeof(computed));
	if (!is_known || !fits)
		return fail(task, ERR_PASSWORD, "name and password do not belong together");
	return OK;
}

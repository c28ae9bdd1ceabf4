/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <argon2.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/task.h"
#include "crypto/password_memory.h"
#include "crypto/random.h"
#include "crypto/sodium_ready.h"

#define MEMORY_KIB (19 * 1024)
#define ITERATIONS 2

#define SALT_LEN 16
#define HASH_LEN 32

/*
 * A database that someone wrote into must not choose how long we compute: only costs that we once
 * wrote.
 */
static const struct str accepted = STR_INIT("$argon2id$v=19$m=19456,t=2,p=1$");

/* What a PHC string has after its costs. */
struct stored {
	uint8_t salt[SALT_LEN];
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

static enum err compute(struct task *task, struct str password, const uint8_t salt[SALT_LEN],
			uint8_t ret_hash[HASH_LEN])
{
	argon2_context context = {
		.out = ret_hash,
		.outlen = HASH_LEN,
		/* neither is written: it is not asked to clear them */
		.pwd = (uint8_t *)(uintptr_t)password.at,
		.pwdlen = (uint32_t)password.len,
		.salt = (uint8_t *)(uintptr_t)salt,
		.saltlen = SALT_LEN,
		.t_cost = ITERATIONS,
		.m_cost = MEMORY_KIB,
		.lanes = 1,
		.threads = 1,
		.version = ARGON2_VERSION_13,
		.allocate_cbk = password_memory_take,
		.free_cbk = password_memory_give,
	};

	atomic_fetch_add(&runs, 1);
	if (argon2id_ctx(&context) != ARGON2_OK)
		return fail(task, ERR_INTERNAL, "argon2id found no memory");
	return OK;
}

static struct str base64(struct arena *arena, const uint8_t *bytes, size_t len)
{
	char text[64];

	sodium_bin2base64(text, sizeof(text), bytes, len,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	return str_copy(arena, str_from_c(text));
}

enum err password_hash(struct task *task, struct str password, struct str *ret_hash)
{
	struct stored stored;

	if (password.len < PASSWORD_MIN)
		return fail(task, ERR_REQUEST, "a password has at least 8 characters");
	if (password.len > PASSWORD_MAX)
		return fail(task, ERR_REQUEST, "a password has at most 1024 bytes");
	random_bytes(stored.salt, SALT_LEN);
	TRY(compute(task, password, stored.salt, stored.hash));
	*ret_hash = STR_JOIN(&task->arena, accepted, base64(&task->arena, stored.salt, SALT_LEN),
			     STR("$"), base64(&task->arena, stored.hash, HASH_LEN));
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
	TRY(compute(task, password, stored.salt, computed));
	fits = sodium_memcmp(computed, stored.hash, sizeof(computed)) == 0;
	sodium_memzero(computed, sizeof(computed));
	if (!is_known || !fits)
		return fail(task, ERR_PASSWORD, "name and password do not belong together");
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <errno.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/task.h"
#include "crypto/sodium_ready.h"

#define MEMORY	   (19 * 1024 * 1024)
#define ITERATIONS 2

/*
 * A database that someone wrote into must not choose how long we compute: only costs that we once
 * wrote.
 */
static const struct str accepted[] = { STR_INIT("$argon2id$v=19$m=19456,t=2,p=1$") };

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

static bool is_accepted(struct str hash)
{
	if (hash.len >= crypto_pwhash_STRBYTES || str_has(hash, '\0'))
		return false;
	for (size_t i = 0; i < COUNT_OF(accepted); i++)
		if (str_starts_with(hash, accepted[i]))
			return true;
	return false;
}

enum err password_verify(struct task *task, struct str hash, struct str password)
{
	bool is_known = is_accepted(hash);
	char text[crypto_pwhash_STRBYTES] = { 0 };

	if (password.len > PASSWORD_MAX)
		return fail(task, ERR_PASSWORD, "name and password do not belong together");
	memcpy(text, is_known ? hash.at : nobody, is_known ? hash.len : sizeof(nobody));
	sodium_ready();
	atomic_fetch_add(&runs, 1);
	errno = 0;
	if (crypto_pwhash_str_verify(text, password.len > 0 ? password.at : "", password.len) ==
		    0 &&
	    is_known)
		return OK;
	if (errno == ENOMEM)
		return fail(task, ERR_INTERNAL, "argon2id found no memory");
	return fail(task, ERR_PASSWORD, "name and password do not belong together");
}

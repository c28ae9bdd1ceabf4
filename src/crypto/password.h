/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords: argon2id (RFC 9106), 19 MiB, t=2, p=1, by libargon2. Some 30 ms each: slow lane only.
 * A counter of runs lets a test assert that an unknown name costs the same as a wrong password.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct task;

#define PASSWORD_MIN 8
#define PASSWORD_MAX 1024

/* The PHC string in task memory. ERR_REQUEST for a length outside PASSWORD_MIN..MAX. */
MUST_CHECK enum err password_hash(struct task *task, struct str password, struct str *ret_hash);
/*
 * OK, ERR_PASSWORD; ERR_INTERNAL without memory. hash may be STR_NONE (unknown user): one run
 * against a fixed hash, then ERR_PASSWORD.
 */
MUST_CHECK enum err password_verify(struct task *task, struct str hash, struct str password);
/* How often argon2id ran in this process. */
uint64_t password_runs(void);

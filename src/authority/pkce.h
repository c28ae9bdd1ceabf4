/* SPDX-License-Identifier: Apache-2.0 */
/* PKCE (RFC 7636), S256 always, plain never. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct task;

/* ERR_REQUEST unless method is S256 and challenge the canonical base64url of 32 bytes. */
MUST_CHECK enum err pkce_check_challenge(struct task *task, struct str challenge,
					 struct str method);
/*
 * True if BASE64URL(SHA-256(verifier)) is the challenge and the verifier has 43..128 bytes. Its
 * characters are hashed as they came: some clients send + / = (INTEROP.md).
 */
bool pkce_verify(struct str challenge, struct str verifier);

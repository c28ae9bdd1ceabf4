/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, by libsodium): prefix ‖ nonce ‖
 * ciphertext with tag. The prefix names format and key; it and the place are additional data, so
 * that a sealed value opens only where, for whom and in which version it was sealed. Which key:
 * keys_seal.c. Private to crypto.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct seal_place;
struct task;

#define SEAL_KEY_LEN 32

/* In task memory. */
MUST_CHECK enum err seal_bytes(struct task *task, const uint8_t key[SEAL_KEY_LEN],
			       struct str prefix, const struct seal_place *place, struct str plain,
			       struct str *ret_sealed);
/* ERR_CRYPTO unless these are the bytes that seal_bytes gave for this key, prefix and place. */
MUST_CHECK enum err unseal_bytes(struct task *task, const uint8_t key[SEAL_KEY_LEN],
				 struct str prefix, const struct seal_place *place,
				 struct str sealed, struct secret *ret_plain);

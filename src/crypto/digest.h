/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes and MACs: SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869), CRC-32 (the one of
 * zlib).
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define SHA256_LEN 32

struct arena;

void sha256(struct str data, uint8_t ret_digest[SHA256_LEN]);
/*
 * The same by libsodium, for what is hashed before keyd is forked: OpenSSL would read its
 * configuration with its first hash, and keyd inherit it (openssl_start_bare).
 */
void sha256_early(struct str data, uint8_t ret_digest[SHA256_LEN]);
/* The digest as 32 bytes in arena memory: what the store keeps instead of a secret. */
struct str sha256_str(struct arena *arena, struct str data);
void hmac_sha256(struct str key, struct str data, uint8_t ret_tag[SHA256_LEN]);
#define HKDF_INFO_MAX 256
/*
 * HKDF-SHA-256 with salt and info (at most HKDF_INFO_MAX bytes, our own labels); len <= 255 * 32.
 */
void hkdf_sha256(struct str secret, struct str salt, struct str info, uint8_t *ret_key, size_t len);
uint32_t crc32_of(struct str data);

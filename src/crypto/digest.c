/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BLOCK_LEN 64

/* Looked up once: finding the method by name costs several times the hash of a token. */
static EVP_MD *method;

static void fetch_method(void)
{
	method = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (method == NULL)
		abort();
}

static EVP_MD_CTX *hash_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (pthread_once(&once, fetch_method) != 0 || hash == NULL)
		abort();
	return hash;
}

/*
 * The hash of two parts. Only a lack of memory can fail here, and it ends the process as in the
 * arena.
 */
static void hash_two(EVP_MD_CTX *hash, struct str first, struct str second,
		     uint8_t ret_digest[SHA256_LEN])
{
	if (EVP_DigestInit_ex2(hash, method, NULL) != 1 ||
	    EVP_DigestUpdate(hash, first.at, first.len) != 1 ||
	    EVP_DigestUpdate(hash, second.at, second.len) != 1 ||
	    EVP_DigestFinal_ex(hash, ret_digest, NULL) != 1)
		abort();
}

void sha256(struct str data, uint8_t ret_digest[SHA256_LEN])
{
	EVP_MD_CTX *hash = hash_new();

	hash_two(hash, data, STR_NONE, ret_digest);
	EVP_MD_CTX_free(hash);
}

void sha256_early(struct str data, uint8_t ret_digest[SHA256_LEN])
{
	/* it asks for a place even where there is nothing to read */
	const char *at = data.len > 0 ? data.at : "";

	(void)crypto_hash_sha256(ret_digest, (const uint8_t *)at, data.len);
}

struct str sha256_str(struct arena *arena, struct str data)
{
	uint8_t *digest = arena_alloc(arena, SHA256_LEN);

	sha256(data, digest);
	return (struct str){ (const char *)digest, SHA256_LEN };
}

/* RFC 2104 2: a longer key is hashed first, then xored with the pad. */
static void pad_key(EVP_MD_CTX *hash, struct str key, uint8_t pad, uint8_t ret_block[BLOCK_LEN])
{
	memset(ret_block, 0, BLOCK_LEN);
	if (key.len > BLOCK_LEN)
		hash_two(hash, key, STR_NONE, ret_block);
	else if (key.len > 0)
		memcpy(ret_block, key.at, key.len);
	for (size_t i = 0; i < BLOCK_LEN; i++)
		ret_block[i] ^= pad;
}

void hmac_sha256(struct str key, struct str data, uint8_t ret_tag[SHA256_LEN])
{
	EVP_MD_CTX *hash = hash_new();
	uint8_t block[BLOCK_LEN], inner[SHA256_LEN];
	const struct str block_str = { (const char *)block, sizeof(block) };

	pad_key(hash, key, 0x36, block);
	hash_two(hash, block_str, data, inner);
	pad_key(hash, key, 0x5C, block);
	hash_two(hash, block_str, (struct str){ (const char *)inner, sizeof(inner) }, ret_tag);
	explicit_bzero(block, sizeof(block));
	EVP_MD_CTX_free(hash);
}

/* RFC 5869 2.3: T(n) = HMAC(key, T(n-1) ‖ info ‖ n). */
static void expand(const uint8_t key[SHA256_LEN], struct str info, uint8_t *ret_key, size_t len)
{
	const struct str key_str = { (const char *)key, SHA256_LEN };
	uint8_t input[SHA256_LEN + HKDF_INFO_MAX + 1], block[SHA256_LEN];
	size_t chained = 0;

	for (uint8_t n = 1; len > 0; n++) {
		size_t part = len < SHA256_LEN ? len : SHA256_LEN;

		if (info.len > 0)
			memcpy(input + chained, info.at, info.len);
		input[chained + info.len] = n;
		hmac_sha256(key_str, (struct str){ (const char *)input, chained + info.len + 1 },
			    block);
		memcpy(input, block, SHA256_LEN);
		chained = SHA256_LEN;
		memcpy(ret_key, block, part);
		ret_key += part;
		len -= part;
	}
	explicit_bzero(block, sizeof(block));
	explicit_bzero(input, sizeof(input));
}

void hkdf_sha256(struct str secret, struct str salt, struct str info, uint8_t *ret_key, size_t len)
{
	uint8_t key[SHA256_LEN];

	assert(len <= 255 * SHA256_LEN && info.len <= HKDF_INFO_MAX);
	hmac_sha256(salt, secret, key);
	expand(key, info, ret_key, len);
	explicit_bzero(key, sizeof(key));
}

/* The reflected polynomial 0xEDB88320, four bits at a time. */
uint32_t crc32_of(struct str data)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
		0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
		0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < data.len; i++) {
		crc ^= (uint8_t)data.at[i];
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return ~crc;
}

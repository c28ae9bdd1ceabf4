/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/task.h"
#include "crypto/keys.h"
#include "crypto/random.h"

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN	  crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PLACE_MAX 4096

static void add_number(struct buf *buf, uint64_t value)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_add_char(buf, (char)(value >> shift));
}

static void add_part(struct buf *buf, struct str part)
{
	add_number(buf, part.len);
	buf_add(buf, part);
}

/* Each part behind its length: no two places have the same encoding. */
static enum err encode_place(struct task *task, struct str prefix, const struct seal_place *place,
			     struct str *ret_encoded)
{
	struct buf buf = buf_in(&task->arena, PLACE_MAX);

	add_part(&buf, prefix);
	add_part(&buf, place->table);
	add_part(&buf, place->row);
	add_part(&buf, place->column);
	add_part(&buf, place->user_id);
	add_number(&buf, (uint64_t)place->version);
	if (buf_finish(&buf, ret_encoded) != OK)
		return fail(task, ERR_INTERNAL, "the place of a sealed value is too long");
	return OK;
}

enum err seal_bytes(struct task *task, const uint8_t key[SEAL_KEY_LEN], struct str prefix,
		    const struct seal_place *place, struct str plain, struct str *ret_sealed)
{
	size_t len = prefix.len + NONCE_LEN + plain.len + TAG_LEN;
	struct str encoded = STR_NONE;
	uint8_t *sealed, *nonce;

	TRY(encode_place(task, prefix, place, &encoded));
	sealed = arena_alloc(&task->arena, len);
	memcpy(sealed, prefix.at, prefix.len);
	nonce = sealed + prefix.len;
	random_bytes(nonce, NONCE_LEN);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(
		    nonce + NONCE_LEN, NULL, (const uint8_t *)plain.at, plain.len,
		    (const uint8_t *)encoded.at, encoded.len, NULL, nonce, key) != 0)
		return fail(task, ERR_CRYPTO, "a value cannot be sealed");
	*ret_sealed = (struct str){ (const char *)sealed, len };
	return OK;
}

enum err unseal_bytes(struct task *task, const uint8_t key[SEAL_KEY_LEN], struct str prefix,
		      const struct seal_place *place, struct str sealed, struct secret *ret_plain)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct str encoded = STR_NONE, rest = str_from(sealed, prefix.len);
	const uint8_t *nonce = (const uint8_t *)rest.at;

	if (!str_starts_with(sealed, prefix) || rest.len < NONCE_LEN + TAG_LEN)
		return fail(task, ERR_CRYPTO, "these are not sealed bytes");
	TRY(encode_place(task, prefix, place, &encoded));
	/* Opened in the memory that the caller will wipe, never in the arena. */
	secret_set(&plain, rest.at + NONCE_LEN, rest.len - NONCE_LEN - TAG_LEN);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    plain.at, NULL, NULL, nonce + NONCE_LEN, rest.len - NONCE_LEN,
		    (const uint8_t *)encoded.at, encoded.len, nonce, key) != 0)
		return fail(task, ERR_CRYPTO,
			    "sealed bytes do not open: another key, another place, or changed");
	secret_wipe(ret_plain);
	*ret_plain = plain;
	plain = (struct secret){ 0 };
	return OK;
}

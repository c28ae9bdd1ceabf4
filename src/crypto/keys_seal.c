/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/task.h"
#include "crypto/keys_private.h"
#include "crypto/random.h"

#define USER_KEY_LEN 32

/*
 * The first byte of a sealed value. Under the root, the root's number follows (four bytes,
 * big-endian).
 */
#define FORMAT_PERSON 1
#define FORMAT_ROOT   2
#define PREFIX_MAX    5

static struct str root_prefix(uint8_t prefix[PREFIX_MAX], uint32_t number)
{
	prefix[0] = FORMAT_ROOT;
	for (size_t i = 0; i < 4; i++)
		prefix[1 + i] = (uint8_t)(number >> (24 - 8 * i));
	return (struct str){ (const char *)prefix, PREFIX_MAX };
}

static struct str person_prefix(void)
{
	static const char prefix[] = { FORMAT_PERSON };

	return (struct str){ prefix, sizeof(prefix) };
}

static enum err seal_under_root(struct task *task, struct keyring *keys,
				const struct seal_place *place, struct str plain,
				struct str *ret_sealed)
{
	const struct root *root = root_current(keys);
	uint8_t bytes[PREFIX_MAX];
	struct str prefix = root_prefix(bytes, root->number);

	return seal_bytes(task, root->seal_key, prefix, place, plain, ret_sealed);
}

static enum err unseal_under_root(struct task *task, struct keyring *keys,
				  const struct seal_place *place, struct str sealed,
				  struct secret *ret_plain)
{
	const struct root *root;
	uint8_t bytes[PREFIX_MAX];
	uint32_t number = 0;

	if (sealed.len < PREFIX_MAX)
		return fail(task, ERR_CRYPTO, "these are not sealed bytes");
	for (size_t i = 1; i < PREFIX_MAX; i++)
		number = number << 8 | (uint8_t)sealed.at[i];
	root = root_find(keys, number);
	if (root == NULL)
		return fail(task, ERR_CRYPTO, "sealed under a root key that is not in the file");
	return unseal_bytes(task, root->seal_key, root_prefix(bytes, number), place, sealed,
			    ret_plain);
}

static struct seal_place user_key_place(struct str user_id)
{
	return (struct seal_place){
		.table = STR("user_keys"),
		.row = user_id,
		.column = STR("wrapped"),
		.user_id = user_id,
	};
}

enum err keys_new_user_key(struct task *task, struct keyring *keys, struct str user_id,
			   struct str *ret_wrapped)
{
	const struct seal_place place = user_key_place(user_id);
	uint8_t key[USER_KEY_LEN];
	enum err err;

	if (user_id.len == 0)
		return fail(task, ERR_INTERNAL, "a person's key needs a person");
	random_bytes(key, sizeof(key));
	err = seal_under_root(task, keys, &place, (struct str){ (const char *)key, sizeof(key) },
			      ret_wrapped);
	explicit_bzero(key, sizeof(key));
	return err;
}

/*
 * What the records are sealed with; the data key itself is used for nothing else. The caller wipes.
 */
static enum err person_key(struct task *task, struct keyring *keys, struct str wrapped,
			   struct str user_id, uint8_t ret_key[SEAL_KEY_LEN])
{
	CLEANUP(secret_wipe) struct secret data_key = { 0 };
	const struct seal_place place = user_key_place(user_id);

	TRY(unseal_under_root(task, keys, &place, wrapped, &data_key));
	if (data_key.len != USER_KEY_LEN)
		return fail(task, ERR_CRYPTO, "a person's key of a wrong length");
	hkdf_sha256(secret_reveal(&data_key), STR_NONE, STR("grantd v1 seal person"), ret_key,
		    SEAL_KEY_LEN);
	return OK;
}

/*
 * A person's records are never sealed under the root: destroying the person's key must be enough.
 */
static enum err check_owner(struct task *task, struct str wrapped, const struct seal_place *place)
{
	if ((wrapped.at == NULL) != (place->user_id.len == 0))
		return fail(task, ERR_CRYPTO, "the key is not that of the person of the record");
	return OK;
}

enum err keys_seal(struct task *task, struct keyring *keys, struct str wrapped,
		   const struct seal_place *place, struct str plain, struct str *ret_sealed)
{
	uint8_t key[SEAL_KEY_LEN];
	enum err err;

	TRY(check_owner(task, wrapped, place));
	if (wrapped.at == NULL)
		return seal_under_root(task, keys, place, plain, ret_sealed);
	TRY(person_key(task, keys, wrapped, place->user_id, key));
	err = seal_bytes(task, key, person_prefix(), place, plain, ret_sealed);
	explicit_bzero(key, sizeof(key));
	return err;
}

enum err keys_unseal(struct task *task, struct keyring *keys, struct str wrapped,
		     const struct seal_place *place, struct str sealed, struct secret *ret_plain)
{
	uint8_t key[SEAL_KEY_LEN];
	enum err err;

	TRY(check_owner(task, wrapped, place));
	if (wrapped.at == NULL)
		return unseal_under_root(task, keys, place, sealed, ret_plain);
	TRY(person_key(task, keys, wrapped, place->user_id, key));
	err = unseal_bytes(task, key, person_prefix(), place, sealed, ret_plain);
	explicit_bzero(key, sizeof(key));
	return err;
}

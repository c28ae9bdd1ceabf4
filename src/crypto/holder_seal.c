/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/task.h"
#include "crypto/holder_private.h"
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

enum err root_seal(struct task *task, struct key_holder *holder, const struct seal_place *place,
		   struct str plain, struct str *ret_sealed)
{
	const struct root *root = root_current(holder);
	uint8_t bytes[PREFIX_MAX];
	struct str prefix = root_prefix(bytes, root->number);

	return seal_bytes(task, root->seal_key, prefix, place, plain, ret_sealed);
}

uint32_t keys_root_of(struct str sealed)
{
	uint32_t number = 0;

	if (sealed.len < PREFIX_MAX || sealed.at[0] != FORMAT_ROOT)
		return 0;
	for (size_t i = 1; i < PREFIX_MAX; i++)
		number = number << 8 | (uint8_t)sealed.at[i];
	return number;
}

enum err root_unseal(struct task *task, struct key_holder *holder, const struct seal_place *place,
		     struct str sealed, struct secret *ret_plain)
{
	uint32_t number = keys_root_of(sealed);
	const struct root *root;
	uint8_t bytes[PREFIX_MAX];

	if (number == 0)
		return fail(task, ERR_CRYPTO, "these are not sealed bytes");
	root = root_find(holder, number);
	if (root == NULL)
		return fail(task, ERR_CRYPTO, "sealed under a root key that is not in the file");
	return unseal_bytes(task, root->seal_key, root_prefix(bytes, number), place, sealed,
			    ret_plain);
}

struct seal_place user_key_place(struct str user_id)
{
	return (struct seal_place){
		.table = USER_KEYS_TABLE,
		.row = user_id,
		.column = STR("wrapped"),
		.user_id = user_id,
	};
}

enum err holder_new_user_key(struct task *task, struct key_holder *holder, struct str user_id,
			     struct str *ret_wrapped)
{
	const struct seal_place place = user_key_place(user_id);
	uint8_t key[USER_KEY_LEN];
	enum err err;

	if (user_id.len == 0)
		return fail(task, ERR_INTERNAL, "a person's key needs a person");
	random_bytes(key, sizeof(key));
	err = root_seal(task, holder, &place, (struct str){ (const char *)key, sizeof(key) },
			ret_wrapped);
	explicit_bzero(key, sizeof(key));
	return err;
}

/*
 * What the records are sealed with; the data key itself is used for nothing else. The caller wipes.
 */
static enum err person_key(struct task *task, struct key_holder *holder, struct str wrapped,
			   struct str user_id, uint8_t ret_key[SEAL_KEY_LEN])
{
	CLEANUP(secret_wipe) struct secret data_key = { 0 };
	const struct seal_place place = user_key_place(user_id);

	TRY(root_unseal(task, holder, &place, wrapped, &data_key));
	if (data_key.len != USER_KEY_LEN)
		return fail(task, ERR_CRYPTO, "a person's key of a wrong length");
	hkdf_sha256(secret_reveal(&data_key), STR_NONE, STR("grantd v1 seal person"), ret_key,
		    SEAL_KEY_LEN);
	return OK;
}

/*
 * A person's records are never sealed under the root: destroying the person's key must be enough.
 * And keys are for the holder alone: who may ask must not have one opened, or another one accepted.
 */
static enum err check_place(struct task *task, struct str wrapped, const struct seal_place *place)
{
	if (str_equals(place->table, SIGNING_KEYS_TABLE) ||
	    str_equals(place->table, USER_KEYS_TABLE))
		return fail(task, ERR_CRYPTO, "keys do not leave the key holder");
	if ((wrapped.at == NULL) != (place->user_id.len == 0))
		return fail(task, ERR_CRYPTO, "the key is not that of the person of the record");
	return OK;
}

enum err holder_seal(struct task *task, struct key_holder *holder, struct str wrapped,
		     const struct seal_place *place, struct str plain, struct str *ret_sealed)
{
	uint8_t key[SEAL_KEY_LEN];
	enum err err;

	TRY(check_place(task, wrapped, place));
	if (wrapped.at == NULL)
		return root_seal(task, holder, place, plain, ret_sealed);
	TRY(person_key(task, holder, wrapped, place->user_id, key));
	err = seal_bytes(task, key, person_prefix(), place, plain, ret_sealed);
	explicit_bzero(key, sizeof(key));
	return err;
}

enum err holder_unseal(struct task *task, struct key_holder *holder, struct str wrapped,
		       const struct seal_place *place, struct str sealed, struct secret *ret_plain)
{
	uint8_t key[SEAL_KEY_LEN];
	enum err err;

	TRY(check_place(task, wrapped, place));
	if (wrapped.at == NULL)
		return root_unseal(task, holder, place, sealed, ret_plain);
	TRY(person_key(task, holder, wrapped, place->user_id, key));
	err = unseal_bytes(task, key, person_prefix(), place, sealed, ret_plain);
	explicit_bzero(key, sizeof(key));
	return err;
}

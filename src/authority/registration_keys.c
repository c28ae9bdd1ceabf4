/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration_metadata.h"
#include "base/task.h"
#include "crypto/jwk.h"

#define KEYS_MAX 16

/* RFC 7518 6: what makes a key private or symmetric. */
static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

static bool is_private(const json_t *key)
{
	for (size_t i = 0; i < COUNT_OF(private_members); i++)
		if (json_object_get(key, private_members[i]) != NULL)
			return true;
	return str_equals(json_get_str(key, "kty"), STR("oct"));
}

static bool is_for_encryption(const json_t *key)
{
	return str_equals(json_get_str(key, "use"), STR("enc"));
}

/* Of another curve or family: it may be good, but not here. */
static bool is_known(const json_t *key)
{
	struct str kty = json_get_str(key, "kty"), crv = json_get_str(key, "crv");

	return str_equals(kty, STR("RSA")) ||
	       (str_equals(kty, STR("EC")) && str_equals(crv, STR("P-256"))) ||
	       (str_equals(kty, STR("OKP")) && str_equals(crv, STR("Ed25519")));
}

static enum err check_key(struct task *task, const json_t *key, size_t number)
{
	struct public_key *parsed = NULL;
	enum err err;

	if (!json_is_object(key) || json_get_str(key, "kty").at == NULL)
		return failf(task, ERR_METADATA, "jwks: key %zu is no key", number);
	if (is_private(key))
		return failf(task, ERR_METADATA,
			     "jwks: key %zu is private or symmetric; keep it to yourself, and "
			     "send the public one",
			     number);
	if (is_for_encryption(key) || !is_known(key))
		return OK;
	err = jwk_parse(task, key, &parsed);
	if (err == ERR_SYNTAX) {
		task_forgive(task);
		return failf(task, ERR_METADATA, "jwks: key %zu is not sound", number);
	}
	public_key_free(&parsed);
	return err;
}

static bool has_twin(const json_t *keys, size_t number)
{
	struct str kid = json_get_str(json_array_get(keys, number), "kid");

	for (size_t i = 0; i < number && kid.at != NULL; i++)
		if (str_equals(json_get_str(json_array_get(keys, i), "kid"), kid))
			return true;
	return false;
}

enum err registration_check_keys(struct task *task, const json_t *jwks)
{
	const json_t *keys = json_object_get(jwks, "keys");

	if (!json_is_array(keys))
		return fail(task, ERR_METADATA, "jwks: must be an object with a list of keys");
	if (json_array_size(keys) > KEYS_MAX)
		return fail(task, ERR_METADATA, "jwks: at most 16 keys");
	for (size_t i = 0; i < json_array_size(keys); i++) {
		TRY(check_key(task, json_array_get(keys, i), i + 1));
		if (has_twin(keys, i))
			return failf(task, ERR_METADATA, "jwks: the kid of key %zu is there twice",
				     i + 1);
	}
	return OK;
}

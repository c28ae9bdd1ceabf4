/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwk_set.h"

#include "base/task.h"
#include "crypto/jws.h"

static enum err parse_set(struct task *task, struct str text, json_t **ret_set)
{
	CLEANUP(json_unref) json_t *set = NULL;
	size_t count;

	if (json_parse(task, text, JWK_SET_MAX, &set) != OK)
		return fail(task, ERR_SYNTAX, "jwks: is not JSON of at most 16 KiB");
	count = json_array_size(json_object_get(set, "keys"));
	if (count == 0 || count > JWK_SET_KEYS)
		return failf(task, ERR_SYNTAX,
			     "jwks: must be an object with \"keys\", a list of 1 to %d keys",
			     JWK_SET_KEYS);
	*ret_set = set;
	set = NULL;
	return OK;
}

/* Who sends us a secret must hear of it, not find it ignored. */
static enum err check_no_secret(struct task *task, const json_t *jwk, size_t number)
{
	if (json_object_get(jwk, "d") == NULL && json_object_get(jwk, "k") == NULL)
		return OK;
	return failf(
		task, ERR_SYNTAX,
		"jwks: key %zu holds a private or symmetric key; make a new pair, for this one "
		"has been shown, and register the public part only",
		number);
}

static enum err check_kid(struct task *task, const json_t *keys, size_t number)
{
	struct str kid = json_get_str(json_array_get(keys, number), "kid");

	for (size_t i = 0; i < number && kid.at != NULL; i++)
		if (str_equals(kid, json_get_str(json_array_get(keys, i), "kid")))
			return failf(task, ERR_SYNTAX, "jwks: two keys have the kid of key %zu",
				     number + 1);
	return OK;
}

enum err jwk_set_check(struct task *task, struct str text, struct str *ret_text)
{
	CLEANUP(json_unref) json_t *set = NULL;
	const json_t *keys;
	size_t usable = 0;

	TRY(parse_set(task, text, &set));
	keys = json_object_get(set, "keys");
	for (size_t i = 0; i < json_array_size(keys); i++) {
		CLEANUP(public_key_free) struct public_key *key = NULL;

		TRY(check_no_secret(task, json_array_get(keys, i), i + 1));
		TRY(check_kid(task, keys, i));
		usable += jwk_parse(task, json_array_get(keys, i), &key) == OK;
	}
	if (usable == 0)
		return failf(task, ERR_SYNTAX, "jwks: no key to verify signatures with: %.*s",
			     STR_FMT(task->reason));
	task_forgive(task);
	return json_print(task, set, JWK_SET_MAX, ret_text);
}

static bool may_be(const json_t *jwk, const struct jws *jws)
{
	return jws->kid.at == NULL || str_equals(json_get_str(jwk, "kid"), jws->kid);
}

static enum err check_with(struct task *task, const json_t *jwk, const struct jws *jws)
{
	CLEANUP(public_key_free) struct public_key *key = NULL;

	TRY(jwk_parse(task, jwk, &key));
	return jws_check(task, jws, key);
}

enum err jwk_set_verify(struct task *task, struct str text, const struct jws *jws)
{
	CLEANUP(json_unref) json_t *set = NULL;
	enum err err = ERR_NOT_FOUND;
	const json_t *keys;

	TRY(parse_set(task, text, &set));
	keys = json_object_get(set, "keys");
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *jwk = json_array_get(keys, i);

		if (!may_be(jwk, jws))
			continue;
		err = check_with(task, jwk, jws);
		if (err == OK || err == ERR_CRYPTO)
			break;
		err = ERR_TOKEN;
	}
	if (err == OK)
		task_forgive(task);
	else if (err == ERR_NOT_FOUND)
		task_note(task, err, STR("no key has the kid of the signature"));
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwk_set.h"

#include "base/task.h"
#include "crypto/jws.h"

struct ceiling {
	size_t bytes;
	size_t keys;
};

static const struct ceiling given = { JWK_SET_MAX, JWK_SET_KEYS };
static const struct ceiling published = { JWK_SET_PUBLISHED_MAX, JWK_SET_PUBLISHED_KEYS };

static enum err parse_set(struct task *task, struct str text, const struct ceiling *most,
			  json_t **ret_set)
{
	CLEANUP(json_unref) json_t *set = NULL;
	size_t count;

	if (json_parse(task, text, most->bytes, &set) != OK)
		return failf(task, ERR_SYNTAX, "jwks: is not JSON of at most %zu KiB",
			     most->bytes / 1024);
	count = json_array_size(json_object_get(set, "keys"));
	if (count == 0 || count > most->keys)
		return failf(task, ERR_SYNTAX,
			     "jwks: must be an object with \"keys\", a list of 1 to %zu keys",
			     most->keys);
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

static bool is_usable(struct task *task, const json_t *jwk)
{
	CLEANUP(public_key_free) struct public_key *key = NULL;

	return jwk_parse(task, jwk, &key) == OK;
}

/* *ret_usable: how many of them verify something. */
static enum err check_keys(struct task *task, const json_t *keys, size_t *ret_usable)
{
	size_t usable = 0;

	for (size_t i = 0; i < json_array_size(keys); i++) {
		TRY(check_no_secret(task, json_array_get(keys, i), i + 1));
		TRY(check_kid(task, keys, i));
		usable += is_usable(task, json_array_get(keys, i));
	}
	if (usable == 0)
		return failf(task, ERR_SYNTAX, "jwks: no key to verify signatures with: %.*s",
			     STR_FMT(task->reason));
	task_forgive(task);
	*ret_usable = usable;
	return OK;
}

enum err jwk_set_check(struct task *task, struct str text, struct str *ret_text)
{
	CLEANUP(json_unref) json_t *set = NULL;
	size_t usable = 0;

	TRY(parse_set(task, text, &given, &set));
	TRY(check_keys(task, json_object_get(set, "keys"), &usable));
	return json_print(task, set, JWK_SET_MAX, ret_text);
}

/* Its own members: what else stands there (certificates) is much, and nobody's here. */
static void add_key(json_t *keys, const json_t *jwk)
{
	static const char *const members[] = { "kty", "crv", "x",	"y",   "n",
					       "e",   "use", "key_ops", "alg", "kid" };
	json_t *own = json_object();

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const json_t *value = json_object_get(jwk, members[i]);

		if (value != NULL)
			json_object_set_new(own, members[i], json_deep_copy(value));
	}
	json_array_append_new(keys, own);
}

enum err jwk_set_take(struct task *task, struct str text, struct str *ret_text)
{
	CLEANUP(json_unref) json_t *set = NULL;
	CLEANUP(json_unref) json_t *own = json_object();
	json_t *taken = json_array();
	const json_t *keys;
	size_t usable = 0;

	json_object_set_new(own, "keys", taken);
	TRY(parse_set(task, text, &published, &set));
	keys = json_object_get(set, "keys");
	TRY(check_keys(task, keys, &usable));
	if (usable > JWK_SET_KEYS)
		return failf(task, ERR_SYNTAX, "jwks: more than %d keys to verify signatures with",
			     JWK_SET_KEYS);
	for (size_t i = 0; i < json_array_size(keys); i++)
		if (is_usable(task, json_array_get(keys, i)))
			add_key(taken, json_array_get(keys, i));
	task_forgive(task);
	/* of kids that are as long as texts may be */
	if (json_print(task, own, JWK_SET_MAX, ret_text) != OK)
		return fail(task, ERR_SYNTAX, "jwks: the keys have more than 16 KiB");
	return OK;
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

	TRY(parse_set(task, text, &given, &set));
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

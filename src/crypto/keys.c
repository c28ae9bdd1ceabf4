/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keys.h"

#include <assert.h>
#include <stdlib.h>

#include "crypto/holder.h"
#include "crypto/keyring.h"

static struct keyring *keyring_new(void)
{
	struct keyring *keys = calloc(1, sizeof(*keys));

	if (keys == NULL)
		abort();
	published_open(&keys->published);
	pthread_mutex_init(&keys->using, NULL);
	return keys;
}

void keys_free(struct keyring **keys)
{
	struct keyring *old = *keys;

	*keys = NULL;
	if (old == NULL)
		return;
	holder_free(&old->holder);
	for (size_t i = 0; i < old->line_count; i++)
		key_line_close(&old->lines[i]);
	published_close(&old->published);
	pthread_mutex_destroy(&old->using);
	arena_free(&old->arena);
	free(old);
}

/* --- opening --- */

static void keep_roots(struct keyring *keys, const struct key_answer *answer)
{
	keys->roots = NEW_ARRAY(&keys->arena, struct key_root, answer->root_count);
	keys->root_count = answer->root_count;
	for (size_t i = 0; i < answer->root_count; i++)
		keys->roots[i] = (struct key_root){
			answer->roots[i].number,
			str_copy(&keys->arena, answer->roots[i].fingerprint),
		};
}

/* What never changes is asked once. */
static enum err greet(struct task *task, struct keyring *keys)
{
	struct key_question question = { .ask = KEY_HELLO };
	struct key_answer answer = { 0 };

	TRY(keyring_ask(task, keys, &question, &answer));
	keys->root_number = answer.number;
	if (answer.root_count == 0)
		return fail(task, ERR_INTERNAL, "a key holder without a root key");
	keep_roots(keys, &answer);
	return OK;
}

enum err keys_open(struct task *task, struct str root_file, struct str issuer,
		   struct keyring **ret_keys)
{
	CLEANUP(keys_free) struct keyring *keys = keyring_new();

	TRY(holder_open(task, root_file, issuer, &keys->holder));
	TRY(greet(task, keys));
	*ret_keys = keys;
	keys = NULL;
	return OK;
}

enum err keys_connect(struct task *task, const struct key_channel *channels, size_t count,
		      struct keyring **ret_keys)
{
	CLEANUP(keys_free) struct keyring *keys = keyring_new();

	assert(count > 0);
	keys->lines = NEW_ARRAY(&keys->arena, struct key_line, count);
	keys->line_count = count;
	for (size_t i = 0; i < count; i++)
		key_line_open(&keys->lines[i], &channels[i]);
	TRY(greet(task, keys));
	*ret_keys = keys;
	keys = NULL;
	return OK;
}

uint32_t keys_root_number(const struct keyring *keys)
{
	return keys->root_number;
}

const struct key_root *keys_roots(const struct keyring *keys, size_t *ret_count)
{
	*ret_count = keys->root_count;
	return keys->roots;
}

const struct key_root *keys_find_root(const struct keyring *keys, uint32_t number)
{
	for (size_t i = 0; i < keys->root_count; i++)
		if (keys->roots[i].number == number)
			return &keys->roots[i];
	return NULL;
}

static enum err ask_to_use(struct task *task, struct keyring *keys, uint32_t number)
{
	struct key_question question = { .ask = KEY_USE_ROOT, .number = number };
	struct key_answer answer = { 0 };

	TRY(keyring_ask(task, keys, &question, &answer));
	keys->root_number = number;
	return OK;
}

enum err keys_use_root(struct task *task, struct keyring *keys, uint32_t number)
{
	enum err err = OK;

	pthread_mutex_lock(&keys->using);
	if (number > keys->root_number)
		err = ask_to_use(task, keys, number);
	pthread_mutex_unlock(&keys->using);
	return err;
}

enum err keys_miss_root(struct task *task, struct keyring *keys, uint32_t number)
{
	keys->missing = number;
	return keys_check(task, keys);
}

enum err keys_rewrap_user_key(struct task *task, struct keyring *keys, struct str user_id,
			      struct str wrapped, struct str *ret_wrapped)
{
	struct key_question question = { .ask = KEY_REWRAP_USER_KEY,
					 .text = user_id,
					 .wrapped = wrapped };

	return keyring_ask_text(task, keys, &question, ret_wrapped);
}

enum err keys_rewrap_signing_key(struct task *task, struct keyring *keys,
				 const struct key_record *record, struct str *ret_sealed)
{
	struct key_record one = *record;
	struct key_question question = { .ask = KEY_REWRAP_SIGNING_KEY,
					 .records = &one,
					 .record_count = 1 };

	return keyring_ask_text(task, keys, &question, ret_sealed);
}

/* --- signing keys --- */

enum err keys_generate(struct task *task, struct keyring *keys, struct str purpose, enum alg alg,
		       struct key_record *ret_record)
{
	struct key_question question = { .ask = KEY_GENERATE,
					 .purpose = purpose,
					 .number = (uint32_t)alg };
	struct key_answer answer = { 0 };

	TRY(keyring_ask(task, keys, &question, &answer));
	if (answer.record_count != 1)
		return fail(task, ERR_INTERNAL, "not one new key");
	*ret_record = answer.records[0];
	return OK;
}

enum err keys_load(struct task *task, struct keyring *keys, const struct key_record *records,
		   size_t count)
{
	struct key_question question = { .ask = KEY_LOAD, .record_count = count };
	struct key_answer answer = { 0 };

	if (count > KEY_RECORDS_MAX)
		return fail(task, ERR_CRYPTO, "more signing keys than can be held");
	question.records = NEW_ARRAY(&task->arena, struct key_record, count);
	for (size_t i = 0; i < count; i++) {
		question.records[i] = records[i];
		/* the holder says what belongs to the private key, whatever the row says */
		question.records[i].public_jwk = STR_NONE;
	}
	TRY(keyring_ask(task, keys, &question, &answer));
	return published_replace(task, &keys->published, answer.records, answer.record_count);
}

enum err keys_sign_jwt(struct task *task, struct keyring *keys, struct str purpose, struct str typ,
		       struct str claims, struct str *ret_jwt)
{
	struct key_question question = {
		.ask = KEY_SIGN, .purpose = purpose, .typ = typ, .text = claims
	};

	return keyring_ask_text(task, keys, &question, ret_jwt);
}

enum err keys_jwks(struct task *task, struct keyring *keys, struct str purpose,
		   struct str *ret_jwks)
{
	TRY(keys_check(task, keys));
	return published_jwks(task, &keys->published, purpose, ret_jwks);
}

enum err keys_verify_jwt(struct task *task, struct keyring *keys, struct str jwt, struct str typ,
			 json_t **ret_claims, struct str *ret_purpose)
{
	TRY(keys_check(task, keys));
	return published_verify(task, &keys->published, jwt, typ, ret_claims, ret_purpose);
}

/* --- MACs --- */

enum err keys_mac(struct task *task, struct keyring *keys, enum mac_label label, struct str input,
		  uint8_t ret_tag[SHA256_LEN])
{
	struct key_question question = { .ask = KEY_MAC, .number = (uint32_t)label, .text = input };

	return keyring_ask_tag(task, keys, &question, ret_tag);
}

enum err keys_mac_refresh(struct task *task, struct keyring *keys, uint32_t root_number,
			  struct str seed, struct str input, uint8_t ret_tag[SHA256_LEN])
{
	struct key_question question = {
		.ask = KEY_MAC_REFRESH, .number = root_number, .wrapped = seed, .text = input
	};

	return keyring_ask_tag(task, keys, &question, ret_tag);
}

enum err keys_mac_refresh_with_others(struct task *task, struct keyring *keys,
				      const struct mac_order *order, struct str *ret_tag,
				      then_fn *then, void *arg)
{
	const struct asking asking = { .question = { .ask = KEY_MAC_REFRESH,
						     .number = order->root_number,
						     .wrapped = order->seed,
						     .text = order->input },
				       .ret_text = ret_tag,
				       .then = then,
				       .arg = arg };

	return keyring_ask_with_others(task, keys, &asking);
}

/* --- tokens --- */

static struct key_question question_of(const struct key_order *order)
{
	return (struct key_question){
		.ask = order->wants_tag ? KEY_ISSUE : KEY_SIGN,
		.purpose = order->purpose,
		.typ = order->typ,
		.text = order->claims,
		.number = order->root_number,
		.wrapped = order->seed,
		.input = order->input,
		.presented_number = order->presented_root,
		.presented_input = order->presented_input,
		.presented_tag = order->presented_tag,
	};
}

enum err keys_issue(struct task *task, struct keyring *keys, const struct key_order *order,
		    struct key_issued *ret_issued)
{
	struct key_question question = question_of(order);

	return keyring_ask_both(task, keys, &question, &ret_issued->jwt,
				order->wants_tag ? ret_issued->tag : NULL);
}

enum err keys_issue_with_others(struct task *task, struct keyring *keys,
				const struct key_order *order, struct key_issued *ret_issued,
				then_fn *then, void *arg)
{
	const struct asking asking = { .question = question_of(order),
				       .ret_text = &ret_issued->jwt,
				       .ret_tag = order->wants_tag ? ret_issued->tag : NULL,
				       .then = then,
				       .arg = arg };

	return keyring_ask_with_others(task, keys, &asking);
}

/* --- sealing --- */

enum err keys_new_user_key(struct task *task, struct keyring *keys, struct str user_id,
			   struct str *ret_wrapped)
{
	struct key_question question = { .ask = KEY_NEW_USER_KEY, .text = user_id };

	return keyring_ask_text(task, keys, &question, ret_wrapped);
}

static struct key_question question_to_seal(const struct seal_order *order)
{
	return (struct key_question){
		.ask = order->wants_tag ? KEY_SEAL_AND_MAC : KEY_SEAL,
		.wrapped = order->wrapped,
		.place = order->place,
		.text = order->plain,
		.number = (uint32_t)order->label,
		.input = order->input,
	};
}

enum err keys_seal(struct task *task, struct keyring *keys, struct str wrapped,
		   const struct seal_place *place, struct str plain, struct str *ret_sealed)
{
	const struct seal_order order = { .wrapped = wrapped, .place = *place, .plain = plain };
	struct key_question question = question_to_seal(&order);

	return keyring_ask_text(task, keys, &question, ret_sealed);
}

enum err keys_seal_with_others(struct task *task, struct keyring *keys,
			       const struct seal_order *order, struct key_sealed *ret_sealed,
			       then_fn *then, void *arg)
{
	const struct asking asking = { .question = question_to_seal(order),
				       .ret_text = &ret_sealed->bytes,
				       .ret_tag = order->wants_tag ? ret_sealed->tag : NULL,
				       .then = then,
				       .arg = arg };

	return keyring_ask_with_others(task, keys, &asking);
}

enum err keys_unseal(struct task *task, struct keyring *keys, struct str wrapped,
		     const struct seal_place *place, struct str sealed, struct secret *ret_plain)
{
	struct key_question question = {
		.ask = KEY_UNSEAL, .wrapped = wrapped, .place = *place, .text = sealed
	};
	struct str plain = STR_NONE;

	TRY(keyring_ask_text(task, keys, &question, &plain));
	secret_set(ret_plain, plain.at, plain.len);
	return OK;
}

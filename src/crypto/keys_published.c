/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keys_published.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/task.h"
#include "crypto/jws.h"

#define JWK_MAX	 4096
#define JWKS_MAX (256 * 1024)

struct published_key {
	struct str kid;
	struct str purpose;
	struct str jwk;
	int64_t retire_at;
	struct public_key *key;
};

struct published_set {
	atomic_uint holders;
	struct arena arena;
	struct published_key *keys; /* oldest first */
	size_t count;
};

static struct published_set *hold(struct published *published)
{
	struct published_set *set;

	(void)pthread_rwlock_rdlock(&published->lock);
	set = published->set;
	atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
	(void)pthread_rwlock_unlock(&published->lock);
	return set;
}

static void set_free(struct published_set **set)
{
	for (size_t i = 0; i < (*set)->count; i++)
		public_key_free(&(*set)->keys[i].key);
	arena_free(&(*set)->arena);
	free(*set);
	*set = NULL;
}

static void release(struct published_set **set)
{
	struct published_set *old = *set;

	*set = NULL;
	if (old != NULL && atomic_fetch_sub_explicit(&old->holders, 1, memory_order_acq_rel) == 1)
		set_free(&old);
}

static struct published_set *set_new(size_t count)
{
	struct published_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		abort();
	atomic_init(&set->holders, 1);
	set->keys = NEW_ARRAY(&set->arena, struct published_key, count + 1);
	return set;
}

void published_open(struct published *published)
{
	if (pthread_rwlock_init(&published->lock, NULL) != 0)
		abort();
	published->set = set_new(0);
}

void published_close(struct published *published)
{
	release(&published->set);
	(void)pthread_rwlock_destroy(&published->lock);
}

static enum err add_key(struct task *task, struct published_set *set,
			const struct key_record *record)
{
	CLEANUP(json_unref) json_t *parsed = NULL;
	struct published_key *key = &set->keys[set->count];

	if (json_parse(task, record->public_jwk, JWK_MAX, &parsed) != OK ||
	    jwk_parse(task, parsed, &key->key) != OK)
		return failf(task, ERR_CRYPTO, "the public part of key %.*s cannot be read: %.*s",
			     STR_FMT(record->id), STR_FMT(task->reason));
	set->count++; /* from here on the set frees what the key holds */
	key->kid = str_copy(&set->arena, record->id);
	key->purpose = str_copy(&set->arena, record->purpose);
	key->jwk = str_copy(&set->arena, record->public_jwk);
	key->retire_at = record->retire_at;
	return OK;
}

enum err published_replace(struct task *task, struct published *published,
			   const struct key_record *records, size_t count)
{
	/* After the exchange this is the old set, released when its last reader is done. */
	CLEANUP(release) struct published_set *set = set_new(count);
	struct published_set *old;

	for (size_t i = 0; i < count; i++)
		TRY(add_key(task, set, &records[i]));
	(void)pthread_rwlock_wrlock(&published->lock);
	old = published->set;
	published->set = set;
	(void)pthread_rwlock_unlock(&published->lock);
	set = old;
	return OK;
}

static bool is_asked_for(const struct published_key *key, struct str purpose)
{
	if (purpose.at != NULL)
		return str_equals(key->purpose, purpose);
	return str_equals(key->purpose, STR("access")) || str_equals(key->purpose, STR("id"));
}

enum err published_jwks(struct task *task, struct published *published, struct str purpose,
			struct str *ret_jwks)
{
	CLEANUP(release) struct published_set *set = hold(published);
	struct buf buf = buf_in(&task->arena, JWKS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_key(&json, "keys");
	json_open_array(&json);
	for (size_t i = 0; i < set->count; i++)
		if (is_asked_for(&set->keys[i], purpose) &&
		    !key_is_retired(set->keys[i].retire_at, task->now))
			json_add_raw(&json, set->keys[i].jwk);
	json_close(&json);
	json_close(&json);
	return buf_finish(&buf, ret_jwks);
}

static enum err find_by_kid(struct task *task, const struct published_set *set, struct str kid,
			    const struct published_key **ret_key)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct published_key *key = &set->keys[i];

		if (!str_equals(key->kid, kid) || key_is_retired(key->retire_at, task->now))
			continue;
		*ret_key = key;
		return OK;
	}
	return fail(task, ERR_TOKEN, "the token is not signed by one of our keys");
}

enum err published_verify(struct task *task, struct published *published, struct str jwt,
			  struct str typ, json_t **ret_claims, struct str *ret_purpose)
{
	CLEANUP(release) struct published_set *set = hold(published);
	CLEANUP(jws_free) struct jws jws = { 0 };
	CLEANUP(json_unref) json_t *claims = NULL;
	const struct published_key *key = NULL;

	TRY(jws_parse(task, jwt, false, &jws));
	TRY(find_by_kid(task, set, jws.kid, &key));
	if (jws.typ.at == NULL || !str_equals(jws.typ, typ))
		return fail(task, ERR_TOKEN, "the token is of another type");
	TRY(jws_check(task, &jws, key->key));
	if (json_parse(task, jws.payload, JWS_MAX, &claims) != OK || !json_is_object(claims))
		return fail(task, ERR_TOKEN, "the claims are not a JSON object");
	*ret_purpose = str_copy(&task->arena, key->purpose);
	*ret_claims = claims;
	claims = NULL;
	return OK;
}

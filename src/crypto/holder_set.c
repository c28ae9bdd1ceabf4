/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/task.h"
#include "crypto/holder_private.h"
#include "crypto/private_key.h"
#include "crypto/public_key.h"

struct key_set *key_set_hold(struct key_holder *holder)
{
	struct key_set *set;

	(void)pthread_rwlock_rdlock(&holder->lock);
	set = holder->set;
	atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
	(void)pthread_rwlock_unlock(&holder->lock);
	return set;
}

static void set_free(struct key_set **set)
{
	for (size_t i = 0; i < (*set)->count; i++) {
		pkey_context_free(&(*set)->keys[i].sign);
		pkey_free(&(*set)->keys[i].pkey);
	}
	arena_free(&(*set)->arena);
	free(*set);
	*set = NULL;
}

void key_set_release(struct key_set **set)
{
	struct key_set *old = *set;

	*set = NULL;
	if (old != NULL && atomic_fetch_sub_explicit(&old->holders, 1, memory_order_acq_rel) == 1)
		set_free(&old);
}

/*
 * The public part comes from the private one, not from the row, so that nobody can publish another
 * key.
 */
static enum err fill_key(struct task *task, const struct key_record *record, struct arena *arena,
			 struct signing_key *key)
{
	struct str kid = STR_NONE, jwk = STR_NONE;

	TRY(signing_jwk(task, key->pkey, record->alg, &kid, &jwk));
	if (!str_equals(kid, record->id))
		return fail(task, ERR_CRYPTO, "a signing key is not the one of its id");
	TRY(pkey_prepare(task, key->pkey, record->alg, true, &key->sign));
	key->kid = str_copy(arena, kid);
	key->purpose = str_copy(arena, record->purpose);
	key->jwk = str_copy(arena, jwk);
	key->alg = record->alg;
	key->created_at = record->created_at;
	key->not_before = record->not_before;
	key->retire_at = record->retire_at;
	return OK;
}

static enum err add_key(struct task *task, struct key_holder *holder,
			const struct key_record *record, struct key_set *set)
{
	CLEANUP(secret_wipe) struct secret der = { 0 };
	const struct seal_place place = signing_place(task, record);
	struct signing_key *key = &set->keys[set->count];

	if (record->alg != ALG_ES256 && record->alg != ALG_RS256)
		return fail(task, ERR_CRYPTO,
			    "a signing key of an algorithm that we do not sign with");
	TRY(root_unseal(task, holder, &place, record->sealed, &der));
	set->count++; /* from here on the set frees what the key holds */
	TRY(private_key_read(task, record->alg, &der, &key->pkey));
	return fill_key(task, record, &set->arena, key);
}

static int compare_keys(const void *a, const void *b)
{
	const struct signing_key *left = a, *right = b;

	if (left->created_at != right->created_at)
		return left->created_at < right->created_at ? -1 : 1;
	return str_compare(left->kid, right->kid);
}

static struct key_set *set_new(size_t count)
{
	struct key_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		abort();
	atomic_init(&set->holders, 1);
	set->keys = NEW_ARRAY(&set->arena, struct signing_key, count + 1);
	return set;
}

/* What everybody may know of a set, in task memory. */
static struct key_record *describe(struct task *task, const struct key_set *set)
{
	struct key_record *records = NEW_ARRAY(&task->arena, struct key_record, set->count);

	for (size_t i = 0; i < set->count; i++) {
		const struct signing_key *key = &set->keys[i];

		records[i] = (struct key_record){
			.id = str_copy(&task->arena, key->kid),
			.purpose = str_copy(&task->arena, key->purpose),
			.alg = key->alg,
			.public_jwk = str_copy(&task->arena, key->jwk),
			.created_at = key->created_at,
			.not_before = key->not_before,
			.retire_at = key->retire_at,
		};
	}
	return records;
}

enum err holder_load(struct task *task, struct key_holder *holder, const struct key_record *records,
		     size_t count, struct key_record **ret_public)
{
	/* After the exchange this is the old set, released when its last reader is done. */
	CLEANUP(key_set_release) struct key_set *set = NULL;
	struct key_set *old;

	if (count > KEY_RECORDS_MAX)
		return fail(task, ERR_CRYPTO, "more signing keys than can be held");
	set = set_new(count);
	for (size_t i = 0; i < count; i++)
		TRY(add_key(task, holder, &records[i], set));
	qsort(set->keys, set->count, sizeof(*set->keys), compare_keys);
	*ret_public = describe(task, set);
	(void)pthread_rwlock_wrlock(&holder->lock);
	old = holder->set;
	holder->set = set;
	(void)pthread_rwlock_unlock(&holder->lock);
	set = old;
	return OK;
}

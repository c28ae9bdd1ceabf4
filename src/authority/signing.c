/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/signing.h"

#include <pthread.h>
#include <stdlib.h>

#include "authority/verified.h"
#include "store/key_rows.h"
#include "store/marks.h"

struct signing {
	pthread_mutex_t loading; /* held while the keys are read: those who read them take turns */
	_Atomic int64_t loaded;	 /* the mark "keys" as it was before */
};

static const char *const state_names[] = { "published", "signing", "retiring", "retired" };

struct str signing_state_name(enum signing_state state)
{
	return str_from_c(state_names[state]);
}

/* The key holder chooses in the same way: the newest that may sign. */
static bool is_newest(const struct key_record *records, size_t count, const struct key_record *key,
		      int64_t now)
{
	for (size_t i = 0; i < count; i++) {
		const struct key_record *other = &records[i];

		if (!str_equals(other->purpose, key->purpose) || other->not_before > now ||
		    (other->retire_at != 0 && other->retire_at <= now))
			continue;
		if (other->not_before > key->not_before)
			return false;
	}
	return true;
}

enum signing_state signing_state_at(const struct key_record *records, size_t count,
				    const struct key_record *key, int64_t now)
{
	if (key->retire_at != 0 && key->retire_at <= now)
		return SIGNING_RETIRED;
	if (key->not_before > now)
		return SIGNING_PUBLISHED;
	return is_newest(records, count, key, now) ? SIGNING_SIGNS : SIGNING_RETIRING;
}

struct signing *signing_new(void)
{
	struct signing *signing = calloc(1, sizeof(*signing));

	if (signing == NULL)
		abort();
	pthread_mutex_init(&signing->loading, NULL);
	return signing;
}

void signing_free(struct signing **signing)
{
	if (*signing == NULL)
		return;
	pthread_mutex_destroy(&(*signing)->loading);
	free(*signing);
	*signing = NULL;
}

static enum err load_locked(struct task *task, const struct authority *authority)
{
	struct key_record *records = NULL;
	struct db *db = NULL;
	size_t count = 0;
	int64_t mark = 0;

	TRY(store_reader(task, authority->store, &db));
	/* before the rows: what changes in between is read again */
	TRY(mark_find(task, db, STR("keys"), &mark));
	TRY(key_row_list_live(task, db, &records, &count));
	TRY(keys_load(task, authority->keys, records, count));
	authority->signing->loaded = mark;
	verified_forget(authority->verified);
	return OK;
}

enum err signing_load(struct task *task, const struct authority *authority)
{
	enum err err;

	pthread_mutex_lock(&authority->signing->loading);
	err = load_locked(task, authority);
	pthread_mutex_unlock(&authority->signing->loading);
	return err;
}

enum err signing_follow(struct task *task, const struct authority *authority)
{
	struct db *db = NULL;
	int64_t mark = 0;

	TRY(store_reader(task, authority->store, &db));
	TRY(mark_find(task, db, STR("keys"), &mark));
	if (mark == authority->signing->loaded)
		return OK;
	return signing_load(task, authority);
}

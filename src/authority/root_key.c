/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/root_key.h"

#include "store/key_rows.h"
#include "store/marks.h"
#include "store/root_rows.h"

#define MARK	 STR("root")
#define FIRST	 STR("root_fingerprint") /* of the installation; tells its backups apart too */
#define LIST_MAX 2048

static struct str fact_name(struct arena *arena, uint32_t number)
{
	return str_printf(arena, "root_fingerprint:%u", number);
}

/* STR_NONE when there is none. */
static enum err find_fact(struct task *task, struct db *db, struct str name, struct str *ret_value)
{
	enum err err = fact_find(task, db, name, ret_value);

	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	*ret_value = STR_NONE;
	return OK;
}

/* --- what the file must be like --- */

static enum err refuse_other(struct task *task, struct str file)
{
	return failf(task, ERR_CRYPTO,
		     "%.*s is not the root key that this database was set up with; put the right "
		     "one back from its copy. Nothing is lost meanwhile",
		     STR_FMT(file));
}

/* Each key that the database knows by its number must be that one, and one at least be known. */
static enum err check_fingerprints(struct task *task, struct db *db, struct keyring *keys,
				   struct str file)
{
	size_t count, known = 0;
	const struct key_root *roots = keys_roots(keys, &count);

	for (size_t i = 0; i < count; i++) {
		struct str value = STR_NONE;

		TRY(find_fact(task, db, fact_name(&task->arena, roots[i].number), &value));
		if (value.at == NULL)
			continue;
		if (!str_equals(value, roots[i].fingerprint))
			return refuse_other(task, file);
		known++;
	}
	return known > 0 ? OK : refuse_other(task, file);
}

static enum err use_current(struct task *task, struct db *db, struct keyring *keys, struct str file)
{
	int64_t number = 0;

	TRY(mark_find(task, db, MARK, &number));
	if (keys_find_root(keys, (uint32_t)number) == NULL)
		return failf(task, ERR_CRYPTO,
			     "%.*s does not have root key %lld, by which this database is sealed "
			     "now: copy the file from a node that has it. Nothing is lost "
			     "meanwhile",
			     STR_FMT(file), (long long)number);
	return keys_use_root(task, keys, (uint32_t)number);
}

static enum err check_needed(struct task *task, struct db *db, struct keyring *keys,
			     struct str file)
{
	uint32_t number = 0;

	do {
		TRY(root_next_needed(task, db, number, &number));
		if (number != 0 && keys_find_root(keys, number) == NULL)
			return failf(
				task, ERR_CRYPTO,
				"%.*s does not have root key %u, by which some of this database is "
				"still sealed; is it a backup of before that key was retired? Put "
				"the line of the key back from a copy of the file of that time. "
				"Nothing is lost meanwhile",
				STR_FMT(file), number);
	} while (number != 0);
	return OK;
}

enum err root_key_take_up(struct task *task, struct store *store, struct keyring *keys,
			  struct str file)
{
	struct db *db = NULL;

	TRY(store_reader(task, store, &db));
	TRY(check_needed(task, db, keys, file));
	TRY(check_fingerprints(task, db, keys, file));
	return use_current(task, db, keys, file);
}

enum err root_key_found(struct task *task, struct db *db, struct keyring *keys)
{
	const struct key_root *root = keys_find_root(keys, keys_root_number(keys));
	struct str first = STR_NONE;

	TRY(find_fact(task, db, FIRST, &first));
	if (first.at != NULL)
		return OK;
	TRY(fact_set(task, db, FIRST, root->fingerprint));
	TRY(fact_set(task, db, fact_name(&task->arena, root->number), root->fingerprint));
	return mark_raise(task, db, MARK, root->number);
}

struct str root_key_list(struct arena *arena, const struct keyring *keys)
{
	struct buf text = buf_in(arena, LIST_MAX);
	struct str all = STR_NONE;
	size_t count;
	const struct key_root *roots = keys_roots(keys, &count);

	for (size_t i = 0; i < count; i++) {
		buf_add(&text, str_printf(arena, "%u ", roots[i].number));
		buf_add(&text, roots[i].fingerprint);
		buf_add_char(&text, '\n');
	}
	return buf_finish(&text, &all) == OK ? all : STR("");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/root_key.h"

#include "store/key_rows.h"
#include "store/marks.h"
#include "store/root_rows.h"

#define MARK	 STR("root") /* the number of the current one */
#define LIST_MAX 2048

static struct str fact_name(struct arena *arena, uint32_t number)
{
	return str_printf(arena, "%.*s:%u", STR_FMT(ROOT_FIRST), number);
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

/* Each key that the database knows by its number must be that one, and one at least be known. */
static enum err are_its_own(struct task *task, struct db *db, const struct keyring *keys,
			    bool *ret_are)
{
	size_t count, known = 0, others = 0;
	const struct key_root *roots = keys_roots(keys, &count);

	for (size_t i = 0; i < count; i++) {
		struct str value = STR_NONE;

		TRY(find_fact(task, db, fact_name(&task->arena, roots[i].number), &value));
		known += value.at != NULL;
		others += value.at != NULL && !str_equals(value, roots[i].fingerprint);
	}
	*ret_are = known > 0 && others == 0;
	return OK;
}

static enum err check_fingerprints(struct task *task, struct db *db, const struct keyring *keys,
				   struct str file)
{
	bool are = false;

	TRY(are_its_own(task, db, keys, &are));
	if (are)
		return OK;
	return failf(task, ERR_CRYPTO,
		     "%.*s is not the root key that this database was set up with; put the right "
		     "one back from its copy. Nothing is lost meanwhile",
		     STR_FMT(file));
}

static enum err use_current(struct task *task, struct db *db, struct keyring *keys, struct str file)
{
	uint32_t number = 0;

	TRY(root_key_current(task, db, &number));
	if (keys_find_root(keys, number) == NULL)
		return failf(task, ERR_CRYPTO,
			     "%.*s does not have root key %u, by which this database is sealed "
			     "now: copy the file from a node that has it. Nothing is lost "
			     "meanwhile",
			     STR_FMT(file), number);
	return keys_use_root(task, keys, number);
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

/* --- what the database says --- */

enum err root_key_current(struct task *task, struct db *db, uint32_t *ret_number)
{
	int64_t number = 0;

	TRY(mark_find(task, db, MARK, &number));
	*ret_number = (uint32_t)number;
	return OK;
}

enum err root_key_set_current(struct task *task, struct db *db, const struct key_root *root)
{
	TRY(fact_set(task, db, fact_name(&task->arena, root->number), root->fingerprint));
	return mark_raise(task, db, MARK, root->number);
}

enum err root_key_found(struct task *task, struct db *db, struct keyring *keys)
{
	const struct key_root *root = keys_find_root(keys, keys_root_number(keys));
	struct str first = STR_NONE;
	bool are = false;

	TRY(find_fact(task, db, ROOT_FIRST, &first));
	if (first.at == NULL) {
		TRY(fact_set(task, db, ROOT_FIRST, root->fingerprint));
		return root_key_set_current(task, db, root);
	}
	TRY(are_its_own(task, db, keys, &are));
	if (are)
		return OK;
	return fail(
		task, ERR_CONFLICT,
		"another grantd init has set this database up meanwhile, with a root key of its "
		"own: for a further node of that installation remove this directory and run "
		"init again with --root-key FILE (a copy of its root.key), for another "
		"installation name another database");
}

/* --- following --- */

/* Two that ran `root-key add` by themselves have two keys of one number. */
static enum err has_root(struct task *task, struct db *db, const struct keyring *keys,
			 uint32_t number, bool *ret_has)
{
	const struct key_root *root = keys_find_root(keys, number);
	struct str value = STR_NONE;

	TRY(find_fact(task, db, fact_name(&task->arena, number), &value));
	*ret_has = root != NULL && str_equals(root->fingerprint, value);
	return OK;
}

enum err root_key_follow(struct task *task, const struct authority *authority)
{
	struct keyring *keys = authority->keys;
	struct db *db = NULL;
	uint32_t number = 0;
	bool has = false;

	TRY(store_reader(task, authority->store, &db));
	TRY(root_key_current(task, db, &number));
	if (number <= keys_root_number(keys))
		return OK;
	TRY(has_root(task, db, keys, number, &has));
	return has ? keys_use_root(task, keys, number) : keys_miss_root(task, keys, number);
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

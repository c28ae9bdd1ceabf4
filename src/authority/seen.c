/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/seen.h"

#include "store/users.h"

/* version: of a column that is written again, the time it was written at. */
static struct seal_place place_of(struct str user_id, struct str family_id, struct str column,
				  int64_t version)
{
	return (struct seal_place){
		.table = STR("families"),
		.row = family_id,
		.column = column,
		.user_id = user_id,
		.version = version,
	};
}

static enum err find_key(struct task *task, const struct authority *authority, struct str user_id,
			 struct str *ret_wrapped)
{
	struct db *db = NULL;

	TRY(store_reader(task, authority->store, &db));
	return user_find_key(task, db, user_id, ret_wrapped);
}

enum err seen_first(struct task *task, const struct authority *authority, struct str source,
		    struct family *family, struct seal_order *ret_order)
{
	*ret_order = (struct seal_order){
		.place = place_of(family->user_id, family->id, STR("sealed_first"), 1),
		.plain = source,
	};
	family->seen_mark = authority_alias(authority, &task->arena, source);
	return find_key(task, authority, family->user_id, &ret_order->wrapped);
}

enum err seen_again(struct task *task, const struct authority *authority, struct str source,
		    const struct family *family, struct family_seen *ret_seen)
{
	struct str wrapped, mark = authority_alias(authority, &task->arena, source);
	struct seal_place place = place_of(family->user_id, family->id, STR("sealed_last"),
					   task->now);

	*ret_seen = (struct family_seen){ 0 };
	if (str_equals(mark, family->seen_mark))
		return OK;
	ret_seen->at = task->now;
	TRY(find_key(task, authority, family->user_id, &wrapped));
	TRY(keys_seal(task, authority->keys, wrapped, &place, source, &ret_seen->sealed));
	ret_seen->mark = mark;
	return OK;
}

static enum err unseal(struct task *task, const struct authority *authority,
		       const struct user *user, const struct seal_place *place, struct str sealed,
		       struct str *ret_address)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };

	*ret_address = STR("");
	if (sealed.at == NULL)
		return OK;
	TRY(keys_unseal(task, authority->keys, user->wrapped_key, place, sealed, &plain));
	*ret_address = str_copy(&task->arena, secret_reveal(&plain));
	return OK;
}

enum err seen_read(struct task *task, const struct authority *authority, const struct user *user,
		   const struct family_about *about, struct str *ret_first, struct str *ret_last)
{
	struct seal_place first = place_of(user->id, about->id, STR("sealed_first"), 1);
	struct seal_place last = place_of(user->id, about->id, STR("sealed_last"), about->seen_at);

	TRY(unseal(task, authority, user, &first, about->sealed_first, ret_first));
	TRY(unseal(task, authority, user, &last, about->sealed_last, ret_last));
	if (about->sealed_last.at == NULL)
		*ret_last = *ret_first;
	return OK;
}

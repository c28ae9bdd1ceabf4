/* SPDX-License-Identifier: Apache-2.0 */
/* What lies under which root key, and moving it. */
#include "store/root_rows.h"

#include "both.h"
#include "nouns.h"
#include "store/key_rows.h"

#define MOST 1000

static const struct str old_key = STR_INIT("\2\0\0\0\1as it was");
static const struct str new_key = STR_INIT("\2\0\0\0\2as it is");

static struct user person(const char *id, struct str wrapped)
{
	return (struct user){ .id = str_from_c(id),
			      .username = str_from_c(id),
			      .wrapped_key = wrapped,
			      .version = 1,
			      .created_at = CHECK_NOW };
}

static enum err insert_user(struct task *task, struct db *db, void *arg)
{
	return user_insert(task, db, arg);
}

static enum err insert_key(struct task *task, struct db *db, void *arg)
{
	return key_row_insert(task, db, arg);
}

static void insert_people(struct world *world)
{
	struct user one = person("usr_1", old_key), two = person("usr_2", old_key),
		    three = person("usr_3", new_key);

	CHECK_ERR(world_write(world, insert_user, &one), OK);
	CHECK_ERR(world_write(world, insert_user, &two), OK);
	CHECK_ERR(world_write(world, insert_user, &three), OK);
}

static struct root_use use_of(struct world *world, uint32_t number, int64_t most)
{
	struct root_use use = { 0 };

	CHECK_ERR(root_use_find(world_task(world), world_reader(world), number, most, &use), OK);
	return use;
}

static uint32_t next_needed(struct world *world, uint32_t after)
{
	uint32_t number = 77;

	CHECK_ERR(root_next_needed(world_task(world), world_reader(world), after, &number), OK);
	return number;
}

static size_t list_people(struct world *world, uint32_t number, const char *after, int64_t limit,
			  struct wrapped_key **ret_keys)
{
	const struct root_place from = { number, str_from_c(after) };
	size_t count = 77;

	CHECK_ERR(root_list_people(world_task(world), world_reader(world), &from, limit, ret_keys,
				   &count),
		  OK);
	return count;
}

static enum err move_first(struct task *task, struct db *db, void *arg)
{
	return root_move_person(task, db, arg, new_key);
}

static void a_persons_key_is_counted_and_moved_once(void **state)
{
	struct world *world = *state;
	struct wrapped_key *keys = NULL, gone = { STR("usr_9"), old_key };

	insert_people(world);
	CHECK(use_of(world, 1, MOST).people == 2 && use_of(world, 2, MOST).people == 1);
	CHECK(use_of(world, 1, 1).people == 1); /* no more is counted */
	CHECK(next_needed(world, 0) == 1 && next_needed(world, 1) == 2);
	CHECK(next_needed(world, 2) == 0);
	CHECK(list_people(world, 1, "", 1, &keys) == 1);
	CHECK_STR(keys[0].user_id, STR("usr_1"));
	CHECK(list_people(world, 1, "usr_1", MOST, &keys) == 1);
	CHECK_STR(keys[0].user_id, STR("usr_2"));
	CHECK(list_people(world, 1, "usr_2", MOST, &keys) == 0);
	CHECK(list_people(world, 1, "", MOST, &keys) == 2);
	CHECK_STR(keys[0].bytes, old_key);
	CHECK_ERR(world_write(world, move_first, &keys[0]), OK);
	CHECK_ERR(world_write(world, move_first, &keys[0]), OK); /* another node did */
	CHECK_ERR(world_write(world, move_first, &gone), OK);	 /* erased meanwhile */
	CHECK(use_of(world, 1, MOST).people == 1 && use_of(world, 2, MOST).people == 2);
	CHECK(list_people(world, 2, "", MOST, &keys) == 2);
}

struct signing_move {
	struct key_record record;
	struct str sealed;
};

static enum err move_signing(struct task *task, struct db *db, void *arg)
{
	const struct signing_move *move = arg;

	return root_move_signing_key(task, db, &move->record, move->sealed);
}

static enum err wipe(struct task *task, struct db *db, void *arg)
{
	return key_row_wipe(task, db, arg);
}

static void a_signing_key_counts_until_it_moves_or_is_wiped(void **state)
{
	struct world *world = *state;
	struct signing_move move = { { .id = STR("kid"),
				       .purpose = STR("access"),
				       .alg = ALG_ES256,
				       .public_jwk = STR("{}"),
				       .sealed = old_key,
				       .created_at = CHECK_NOW,
				       .not_before = CHECK_NOW },
				     new_key };
	struct key_record dead = move.record;
	int64_t wiped = 0;

	dead.id = STR("dead");
	dead.retire_at = CHECK_NOW;
	CHECK_ERR(world_write(world, insert_key, &move.record), OK);
	CHECK_ERR(world_write(world, insert_key, &dead), OK);
	CHECK(use_of(world, 1, MOST).signing_keys == 2 && next_needed(world, 0) == 1);
	CHECK_ERR(world_write(world, move_signing, &move), OK);
	CHECK(use_of(world, 1, MOST).signing_keys == 1);
	CHECK_ERR(world_write(world, wipe, &wiped), OK);
	CHECK(wiped == 1);
	CHECK(use_of(world, 1, MOST).signing_keys == 0 && use_of(world, 2, MOST).signing_keys == 1);
	CHECK(next_needed(world, 0) == 2);
}

static enum err move_family(struct task *task, struct db *db, void *arg)
{
	return family_set_root(task, db, arg);
}

static enum err end_family(struct task *task, struct db *db, void *arg)
{
	bool is_now = false;

	(void)arg;
	return family_revoke(task, db, alice_family.id, CHECK_NOW, STR("reused"), &is_now);
}

static int64_t just_moved(struct world *world, uint32_t number)
{
	int64_t count = 77;

	CHECK_ERR(root_count_just_moved(world_task(world), world_reader(world), number, &count),
		  OK);
	return count;
}

static enum err rotate_family(struct task *task, struct db *db, void *arg)
{
	const struct family *next = arg;

	return family_rotate(task, db, next, next->generation - 1);
}

/* Its answer may have been lost: then it comes with a token by the old root key once more. */
static void an_installation_that_has_just_moved_is_told_apart(void **state)
{
	struct world *world = *state;
	struct family moved = alice_family;

	nouns_insert(world);
	CHECK(just_moved(world, 1) == 0);
	moved.root_number = 2;
	moved.root_before = 1;
	moved.root_since = ++moved.generation;
	moved.last_used_at = CHECK_NOW;
	CHECK_ERR(world_write(world, rotate_family, &moved), OK);
	CHECK_ERR(world_write(world, move_family, &moved), OK);
	CHECK(just_moved(world, 1) == 1 && just_moved(world, 2) == 0);
	moved.last_used_at = CHECK_NOW - ROTATION_LOST_ANSWER_MS;
	moved.root_since = ++moved.generation;
	CHECK_ERR(world_write(world, rotate_family, &moved), OK);
	CHECK_ERR(world_write(world, move_family, &moved), OK);
	CHECK(just_moved(world, 1) == 0); /* too long ago */
	moved.last_used_at = CHECK_NOW;
	moved.generation++;
	CHECK_ERR(world_write(world, rotate_family, &moved), OK);
	CHECK(just_moved(world, 1) == 0); /* and it has used its successor */
}

static void an_installation_counts_until_it_moves_or_is_over(void **state)
{
	struct world *world = *state;
	struct family moved = alice_family;
	struct root_use use;

	nouns_insert(world);
	use = use_of(world, 1, MOST);
	CHECK(use.installations == 1);
	CHECK(use.installations_until == alice_family.idle_expires_at);
	moved.root_number = 2;
	CHECK_ERR(world_write(world, move_family, &moved), OK);
	CHECK(use_of(world, 1, MOST).installations == 0);
	CHECK(use_of(world, 1, MOST).installations_until == 0);
	CHECK(use_of(world, 2, MOST).installations == 1);
	CHECK_ERR(world_write(world, end_family, NULL), OK);
	CHECK(use_of(world, 2, MOST).installations == 0);
}

int main(void)
{
	return RUN_ON_BOTH(cmocka_unit_test(a_persons_key_is_counted_and_moved_once),
			   cmocka_unit_test(a_signing_key_counts_until_it_moves_or_is_wiped),
			   cmocka_unit_test(an_installation_counts_until_it_moves_or_is_over),
			   cmocka_unit_test(an_installation_that_has_just_moved_is_told_apart));
}

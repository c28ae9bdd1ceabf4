/* SPDX-License-Identifier: Apache-2.0 */
/* What installations lose with a permission, on both databases. */
#include "both.h"
#include "nouns.h"

/* Names that begin and end as the one that goes. */
static const struct str others[] = { STR_INIT("mail.send.all"), STR_INIT("mail.send"),
				     STR_INIT("all.mail.send") };

static const struct family beside = {
	.id = STR_INIT("fam_bbbbbbbbbbbbbbbbbbbbbbbbbb"),
	.user_id = STR_INIT("usr_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.grant_id = STR_INIT("gra_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.client_id = STR_INIT("mail-agent"),
	.ceiling = { others, COUNT_OF(others) },
	.seed = STR_INIT("0123456789abcdef0123456789abcde\1"),
	.root_number = 1,
	.generation = 1,
	.created_at = CHECK_NOW,
	.last_used_at = CHECK_NOW,
	.idle_expires_at = CHECK_NOW + 30 * DAY_MS,
};

static enum err insert_beside(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return family_insert(task, db, &beside);
}

static enum err remove_scope(struct task *task, struct db *db, void *arg)
{
	return grant_remove_permission(task, db, alice_grant.id, *(struct str *)arg, CHECK_NOW);
}

/* A yes to mail.read, which lasts a day, at the time given. */
static enum err allow_reading(struct task *task, struct db *db, void *arg)
{
	struct permission permission = alice_grant.permissions[0];
	struct grant grant = alice_grant;
	struct str id = STR_NONE;

	grant.updated_at = *(const int64_t *)arg;
	permission.expires_at = grant.updated_at + DAY_MS;
	grant.permissions = &permission;
	grant.permission_count = 1;
	return grant_put(task, db, &grant, &id);
}

static void check_ceiling(struct world *world, struct str id, struct str wanted)
{
	struct task *task = world_task(world);
	struct family family = { 0 };

	CHECK_ERR(family_find(task, world_reader(world), id, &family), OK);
	CHECK_STR(scope_text(&task->arena, family.ceiling), wanted);
}

static void what_is_taken_away_leaves_each_ceiling_and_no_other_name_does(void **state)
{
	struct world *world = *state;
	struct str scope = STR("mail.send"), all = STR("mail.read");

	nouns_insert(world);
	CHECK_ERR(world_write(world, insert_beside, NULL), OK);
	CHECK_ERR(world_write(world, remove_scope, &scope), OK);
	check_ceiling(world, alice_family.id, STR("mail.read"));
	check_ceiling(world, beside.id, STR("mail.send.all all.mail.send"));
	CHECK_ERR(world_write(world, remove_scope, &scope), ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, remove_scope, &all), OK);
	check_ceiling(world, alice_family.id, STR(""));
	check_ceiling(world, beside.id, STR("mail.send.all all.mail.send"));
}

static void a_yes_to_what_is_over_is_not_for_those_who_had_it(void **state)
{
	struct world *world = *state;
	int64_t before = CHECK_NOW + DAY_MS - 1, after = before + DAY_MS;

	nouns_insert(world);
	CHECK_ERR(world_write(world, allow_reading, &before), OK);
	check_ceiling(world, alice_family.id, STR("mail.read mail.send"));
	CHECK_ERR(world_write(world, allow_reading, &after), OK);
	check_ceiling(world, alice_family.id, STR("mail.send"));
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(what_is_taken_away_leaves_each_ceiling_and_no_other_name_does),
		cmocka_unit_test(a_yes_to_what_is_over_is_not_for_those_who_had_it));
}

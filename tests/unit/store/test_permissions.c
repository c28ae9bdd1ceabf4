/* SPDX-License-Identifier: Apache-2.0 */
/* What installations and codes lose with a permission, on both databases. */
#include "both.h"
#include "nouns.h"
#include "store/permissions.h"

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

/* Since which yes mail.read is there; 0: it is not. */
static int64_t since_yes(struct world *world)
{
	struct grant grant = { 0 };
	const struct permission *permission;

	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	permission = grant_permission_at(&grant, STR("mail.read"), CHECK_NOW);
	return permission == NULL ? 0 : permission->since_yes;
}

static enum err begin_anew(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return permission_begin_anew(task, db, &alice_grant, STR("mail.read"));
}

static enum err forbid_reading(struct task *task, struct db *db, void *arg)
{
	struct permission permission = alice_grant.permissions[0];
	struct grant grant = alice_grant;
	struct str id = STR_NONE;

	(void)arg;
	permission.mode = MODE_NEVER;
	grant.permissions = &permission;
	grant.permission_count = 1;
	return grant_put(task, db, &grant, &id);
}

static void a_permission_says_since_which_yes_it_was_there_all_the_time(void **state)
{
	struct world *world = *state;
	int64_t soon = CHECK_NOW + 1, late = CHECK_NOW + 2 * DAY_MS;
	struct str scope = STR("mail.read");

	nouns_insert(world);
	CHECK(since_yes(world) == 1);
	CHECK_ERR(world_write(world, allow_reading, &soon), OK);
	CHECK(since_yes(world) == 1);
	CHECK_ERR(world_write(world, remove_scope, &scope), OK);
	CHECK(since_yes(world) == 0);
	CHECK_ERR(world_write(world, allow_reading, &soon), OK);
	CHECK(since_yes(world) == 3);
	CHECK_ERR(world_write(world, allow_reading, &late), OK); /* it had run out */
	CHECK(since_yes(world) == 4);
	CHECK_ERR(world_write(world, forbid_reading, NULL), OK);
	CHECK_ERR(world_write(world, allow_reading, &soon), OK);
	CHECK(since_yes(world) == 6);
	CHECK_ERR(world_write(world, begin_anew, NULL), OK);
	CHECK_ERR(world_write(world, allow_reading, &soon), OK);
	CHECK(since_yes(world) == 7);
	CHECK_ERR(world_write(world, allow_reading, &soon), OK);
	CHECK(since_yes(world) == 7);
}

/* Allowed by the grant's last yes, or by none. */
static enum err allow_request(struct task *task, struct db *db, void *arg)
{
	struct auth_request request = alice_request, *ret = arg;

	TRY(auth_request_insert(task, db, &request));
	request.state = REQUEST_CODE;
	request.user_id = alice.id;
	request.granted = alice_request.scope;
	request.decided_at = CHECK_NOW;
	request.grant_id = ret->grant_id;
	TRY(auth_request_decide(task, db, &request));
	TRY(auth_request_find(task, db, request.id, ret));
	return ERR_CONFLICT; /* so that it can be asked once more */
}

static void a_request_is_allowed_by_the_last_yes_of_its_grant(void **state)
{
	struct world *world = *state;
	struct auth_request known = { .grant_id = alice_grant.id }, unknown = { 0 };
	int64_t soon = CHECK_NOW + 1;

	nouns_insert(world);
	CHECK_ERR(world_write(world, allow_reading, &soon), OK);
	CHECK_ERR(world_write(world, allow_request, &known), ERR_CONFLICT);
	CHECK(known.yes == 2);
	CHECK_ERR(world_write(world, allow_request, &unknown), ERR_CONFLICT);
	CHECK(unknown.yes == 0);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_permission_says_since_which_yes_it_was_there_all_the_time),
		cmocka_unit_test(a_request_is_allowed_by_the_last_yes_of_its_grant),
		cmocka_unit_test(what_is_taken_away_leaves_each_ceiling_and_no_other_name_does),
		cmocka_unit_test(a_yes_to_what_is_over_is_not_for_those_who_had_it));
}

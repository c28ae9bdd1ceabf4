/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, grants, families and what a decision looks at, on both databases. */
#include "both.h"
#include "nouns.h"

static const struct str code_hash = STR_INIT("\0\x01 hash of a code");

static enum err add_request(struct task *task, struct db *db, void *arg)
{
	return auth_request_insert(task, db, arg);
}

static enum err show_request(struct task *task, struct db *db, void *arg)
{
	return auth_request_show(task, db, alice_request.id, *(struct str *)arg, CHECK_NOW + 1);
}

static enum err decide(struct task *task, struct db *db, void *arg)
{
	return auth_request_decide(task, db, arg);
}

static enum err spend(struct task *task, struct db *db, void *arg)
{
	struct auth_request *request = arg;

	request->code_hash = code_hash;
	request->spent_at = CHECK_NOW + 3;
	request->family_id = alice_family.id;
	return auth_request_spend(task, db, request);
}

static enum err sweep(struct task *task, struct db *db, void *arg)
{
	int64_t *times = arg; /* now, deleted */

	return auth_request_sweep(task, db, times[0], 10, &times[1]);
}

static struct auth_request allowed(void)
{
	struct auth_request request = alice_request;

	request.state = REQUEST_CODE;
	request.user_id = alice.id;
	request.decided_at = CHECK_NOW + 2;
	request.decision = STR("allow mail.read");
	request.grant_id = alice_grant.id;
	request.granted = alice_request.scope;
	request.auth_time = CHECK_NOW;
	request.acr = STR("pwd");
	request.code_hash = code_hash;
	request.code_expires_at = CHECK_NOW + MINUTE_MS;
	return request;
}

static void insert_request(struct world *world)
{
	struct auth_request request = alice_request;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_request, &request), OK);
}

static void a_request_is_found_as_kept(void **state)
{
	struct world *world = *state;
	struct auth_request found = { 0 };

	insert_request(world);
	CHECK_ERR(
		auth_request_find(world_task(world), world_reader(world), alice_request.id, &found),
		OK);
	CHECK(found.state == REQUEST_PENDING && found.max_age == -1 && found.shown_at == 0);
	CHECK_STR(found.browser_hash, alice_request.browser_hash);
	CHECK_STR(found.redirect_uri, alice_request.redirect_uri);
	CHECK(found.scope.count == 2 && found.granted.count == 0);
	CHECK(found.oauth_state.at != NULL && found.oauth_state.len == 0);
	CHECK(found.nonce.at == NULL && found.user_id.at == NULL && found.code_hash.at == NULL);
}

static void a_request_shown_to_one_person_is_not_shown_to_another(void **state)
{
	struct world *world = *state;
	struct str first = alice.id;
	struct str second = bob.id;
	struct auth_request found = { 0 };

	insert_request(world);
	CHECK_ERR(world_write(world, show_request, &first), OK);
	CHECK_ERR(world_write(world, show_request, &first), OK);
	CHECK_ERR(world_write(world, show_request, &second), ERR_CONFLICT);
	CHECK_ERR(
		auth_request_find(world_task(world), world_reader(world), alice_request.id, &found),
		OK);
	CHECK_STR(found.user_id, alice.id);
	CHECK(found.shown_at == CHECK_NOW + 1);
}

static void a_request_is_decided_once_and_its_code_spent_once(void **state)
{
	struct world *world = *state;
	struct auth_request request = allowed();
	struct auth_request spent = { 0 };
	struct str person = alice.id;

	insert_request(world);
	CHECK_ERR(world_write(world, spend, &spent), ERR_CONFLICT);
	CHECK_ERR(world_write(world, decide, &request), OK);
	request.state = REQUEST_DENIED;
	CHECK_ERR(world_write(world, decide, &request), ERR_CONFLICT);
	CHECK_ERR(world_write(world, show_request, &person), ERR_CONFLICT);
	CHECK_ERR(world_write(world, spend, &spent), OK);
	CHECK(spent.state == REQUEST_SPENT && spent.spent_at == CHECK_NOW + 3);
	CHECK(spent.granted.count == 2 && spent.auth_time == CHECK_NOW);
	CHECK_STR(spent.family_id, alice_family.id);
	CHECK_STR(spent.decision, STR("allow mail.read"));
	CHECK_ERR(world_write(world, spend, &spent), ERR_CONFLICT);
	CHECK_ERR(auth_request_find_code(world_task(world), world_reader(world), code_hash, &spent),
		  OK);
	CHECK(spent.state == REQUEST_SPENT);
	CHECK_ERR(auth_request_find_code(world_task(world), world_reader(world), STR("no code"),
					 &spent),
		  ERR_NOT_FOUND);
}

static void sweep_at(struct world *world, int64_t now, int64_t expected)
{
	int64_t times[2] = { now, 0 };

	CHECK_ERR(world_write(world, sweep, times), OK);
	CHECK(times[1] == expected);
}

/* So that a second use of its code is met for as long as a token of it lives. */
static void a_spent_code_stays_until_no_token_of_it_can_live(void **state)
{
	struct world *world = *state;
	struct auth_request request = allowed();
	struct auth_request spent = { 0 };

	insert_request(world);
	CHECK_ERR(world_write(world, decide, &request), OK);
	CHECK_ERR(world_write(world, spend, &spent), OK);
	sweep_at(world, CHECK_NOW + 15 * MINUTE_MS, 0);
	sweep_at(world, alice_request.created_at + REQUEST_KEEP_MS + 1, 1);
}

static void an_unanswered_request_is_swept_two_hours_after_it_was_asked(void **state)
{
	struct world *world = *state;

	insert_request(world);
	sweep_at(world, alice_request.expires_at + 1, 0);
	sweep_at(world, alice_request.created_at + 2 * HOUR_MS, 0);
	sweep_at(world, alice_request.created_at + 2 * HOUR_MS + 1, 1);
}

static enum err take(struct task *task, struct db *db, void *arg)
{
	return auth_request_take(task, db, arg);
}

static void insert_pushed(struct world *world, struct auth_request *pushed)
{
	*pushed = alice_request;
	pushed->state = REQUEST_PUSHED;
	pushed->browser_hash = STR("");
	pushed->expires_at = CHECK_NOW + PUSHED_LIFE_MS;
	nouns_insert(world);
	CHECK_ERR(world_write(world, add_request, pushed), OK);
}

static void a_pushed_request_that_nobody_opens_is_swept_at_its_end(void **state)
{
	struct world *world = *state;
	struct auth_request pushed;

	insert_pushed(world, &pushed);
	sweep_at(world, pushed.expires_at, 0);
	sweep_at(world, pushed.expires_at + 1, 1);
}

static void one_that_was_opened_stays_as_any_other(void **state)
{
	struct world *world = *state;
	struct auth_request pushed, opened;

	insert_pushed(world, &pushed);
	opened = pushed;
	opened.browser_hash = alice_request.browser_hash;
	opened.expires_at = CHECK_NOW + REQUEST_LIFE_MS;
	CHECK_ERR(world_write(world, take, &opened), OK);
	sweep_at(world, CHECK_NOW + 2 * HOUR_MS - MINUTE_MS, 0);
	sweep_at(world, CHECK_NOW + 2 * HOUR_MS + MINUTE_MS, 1);
}

struct put {
	struct grant grant;
	struct str id;
};

static enum err put_grant(struct task *task, struct db *db, void *arg)
{
	struct put *put = arg;

	return grant_put(task, db, &put->grant, &put->id);
}

static void a_grant_is_found_as_kept(void **state)
{
	struct world *world = *state;
	struct grant grant = { 0 };

	nouns_insert(world);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.permission_count == 2 && grant.expires_at == NEVER);
	CHECK_STR(grant.permissions[0].scope, STR("mail.read"));
	CHECK(grant.permissions[0].expires_at == CHECK_NOW + DAY_MS);
	CHECK(grant.permissions[1].mode == MODE_ASK && grant.permissions[1].expires_at == NEVER);
	CHECK_STR(grant.permissions[1].words, alice_grant.permissions[1].words);
	CHECK(grant.paused_at == 0 && grant.revoked_at == 0);
	CHECK(grant.last_used_at == 0);
	CHECK_ERR(grant_find_live(world_task(world), world_reader(world), alice.id, mail_agent.id,
				  alice_grant.resource, &grant),
		  OK);
	CHECK_ERR(grant_find_live(world_task(world), world_reader(world), bob.id, mail_agent.id,
				  alice_grant.resource, &grant),
		  ERR_NOT_FOUND);
}

static void a_second_yes_adds_to_the_first_and_touches_no_other_permission(void **state)
{
	struct world *world = *state;
	struct permission more = { .scope = STR("mail.delete"),
				   .mode = MODE_ALLOW,
				   .expires_at = CHECK_NOW + 1,
				   .granted_at = CHECK_NOW + 1 };
	struct put put = { .grant = alice_grant };
	struct grant grant = { 0 };

	nouns_insert(world);
	put.grant.id = STR("gra_other");
	put.grant.permissions = &more;
	put.grant.permission_count = 1;
	CHECK_ERR(world_write(world, put_grant, &put), OK);
	CHECK_STR(put.id, alice_grant.id);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), put.id, &grant), OK);
	CHECK(grant.permission_count == 3 && grant.expires_at == NEVER);
	CHECK(grant.permissions[0].expires_at == CHECK_NOW + DAY_MS);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), STR("gra_other"), &grant),
		  ERR_NOT_FOUND);
}

static enum err pause_grant(struct task *task, struct db *db, void *arg)
{
	return grant_set_paused(task, db, alice_grant.id, *(int64_t *)arg, CHECK_NOW + 9);
}

static enum err revoke_grant(struct task *task, struct db *db, void *arg)
{
	return grant_revoke(task, db, alice_grant.id, CHECK_NOW + 10, STR("user"), arg);
}

static void a_second_yes_does_not_unpause(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW + 8;
	struct put put = { .grant = alice_grant };
	struct grant grant = { 0 };

	nouns_insert(world);
	CHECK_ERR(world_write(world, pause_grant, &at), OK);
	CHECK_ERR(world_write(world, put_grant, &put), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), put.id, &grant), OK);
	CHECK(grant.paused_at == at);
	at = 0;
	CHECK_ERR(world_write(world, pause_grant, &at), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), put.id, &grant), OK);
	CHECK(grant.paused_at == 0);
}

static void revoking_ends_the_grant_and_its_families_for_good(void **state)
{
	struct world *world = *state;
	int64_t at = 0;
	bool now = false;
	struct put put = { .grant = alice_grant };
	struct family family = { 0 };
	struct grant grant = { 0 };

	nouns_insert(world);
	CHECK_ERR(world_write(world, revoke_grant, &now), OK);
	CHECK(now);
	CHECK_ERR(world_write(world, revoke_grant, &now), OK);
	CHECK(!now);
	CHECK_ERR(family_find(world_task(world), world_reader(world), alice_family.id, &family),
		  OK);
	CHECK(family.revoked_at == CHECK_NOW + 10);
	CHECK_STR(family.revoked_why, STR("revoked_by_user"));
	CHECK_ERR(world_write(world, pause_grant, &at), ERR_CONFLICT);
	put.grant.id = STR("gra_new");
	CHECK_ERR(world_write(world, put_grant, &put), OK);
	CHECK_STR(put.id, STR("gra_new"));
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.revoked_at == CHECK_NOW + 10);
}

struct end {
	struct str scope;
	int64_t at;
};

static enum err set_end(struct task *task, struct db *db, void *arg)
{
	const struct end *end = arg;

	return grant_set_end(task, db, alice_grant.id, end->scope, end->at, CHECK_NOW + 5);
}

static enum err remove_permission(struct task *task, struct db *db, void *arg)
{
	return grant_remove_permission(task, db, alice_grant.id, *(struct str *)arg, CHECK_NOW + 5);
}

static void ends_are_set_for_one_permission_or_all(void **state)
{
	struct world *world = *state;
	struct end end = { STR_INIT("mail.send"), CHECK_NOW + HOUR_MS };
	struct grant grant = { 0 };
	bool now = false;

	nouns_insert(world);
	CHECK_ERR(world_write(world, set_end, &end), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.expires_at == CHECK_NOW + DAY_MS);
	CHECK(grant.permissions[1].expires_at == end.at);
	end = (struct end){ STR_NONE, CHECK_NOW + 7 };
	CHECK_ERR(world_write(world, set_end, &end), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.expires_at == end.at && grant.permissions[0].expires_at == end.at);
	end.scope = STR("mail.admin");
	CHECK_ERR(world_write(world, set_end, &end), ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, revoke_grant, &now), OK);
	end.scope = STR_NONE;
	CHECK_ERR(world_write(world, set_end, &end), ERR_CONFLICT);
}

static void one_permission_is_taken_away_and_the_end_follows(void **state)
{
	struct world *world = *state;
	struct str scope = STR("mail.send");
	struct grant grant = { 0 };

	nouns_insert(world);
	CHECK_ERR(world_write(world, remove_permission, &scope), OK);
	CHECK_ERR(world_write(world, remove_permission, &scope), ERR_NOT_FOUND);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.permission_count == 1 && grant.expires_at == CHECK_NOW + DAY_MS);
}

static void grants_are_listed_newest_first_in_pages(void **state)
{
	struct world *world = *state;
	struct put put = { .grant = alice_grant };
	struct grant *grants = NULL;
	size_t count = 0;

	nouns_insert(world);
	put.grant.resource = STR("https://other.example/");
	put.grant.id = STR("gra_newer");
	put.grant.created_at = CHECK_NOW + 1;
	CHECK_ERR(world_write(world, put_grant, &put), OK);
	put.grant.user_id = bob.id;
	put.grant.id = STR("gra_bob");
	put.grant.created_at = CHECK_NOW + 2;
	CHECK_ERR(world_write(world, put_grant, &put), OK);
	CHECK_ERR(grant_list(world_task(world), world_reader(world),
			     &(struct grant_page){ alice.id, STR_NONE, 10 }, &grants, &count),
		  OK);
	CHECK(count == 2 && grants[1].permission_count == 2);
	CHECK_STR(grants[0].id, STR("gra_newer"));
	CHECK_ERR(grant_list(world_task(world), world_reader(world),
			     &(struct grant_page){ STR_NONE, STR_NONE, 1 }, &grants, &count),
		  OK);
	CHECK(count == 1);
	CHECK_STR(grants[0].id, STR("gra_bob"));
	CHECK_ERR(grant_list(world_task(world), world_reader(world),
			     &(struct grant_page){ STR_NONE, STR("gra_bob"), 10 }, &grants, &count),
		  OK);
	CHECK(count == 2);
	CHECK_STR(grants[1].id, alice_grant.id);
}

static void grants_that_ended_between_two_times_are_found(void **state)
{
	struct world *world = *state;
	struct end end = { STR_NONE, CHECK_NOW + 100 };
	struct grant *grants = NULL;
	size_t count = 0;

	nouns_insert(world);
	CHECK_ERR(world_write(world, set_end, &end), OK);
	CHECK_ERR(grant_list_expired(world_task(world), world_reader(world),
				     &(struct grant_span){ CHECK_NOW, CHECK_NOW + 99, 10 }, &grants,
				     &count),
		  OK);
	CHECK(count == 0);
	CHECK_ERR(grant_list_expired(world_task(world), world_reader(world),
				     &(struct grant_span){ CHECK_NOW + 99, CHECK_NOW + 100, 10 },
				     &grants, &count),
		  OK);
	CHECK(count == 1);
	CHECK_ERR(grant_list_expired(world_task(world), world_reader(world),
				     &(struct grant_span){ CHECK_NOW + 100, CHECK_NOW + 200, 10 },
				     &grants, &count),
		  OK);
	CHECK(count == 0);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_request_is_found_as_kept),
		cmocka_unit_test(a_request_shown_to_one_person_is_not_shown_to_another),
		cmocka_unit_test(a_request_is_decided_once_and_its_code_spent_once),
		cmocka_unit_test(a_spent_code_stays_until_no_token_of_it_can_live),
		cmocka_unit_test(an_unanswered_request_is_swept_two_hours_after_it_was_asked),
		cmocka_unit_test(a_pushed_request_that_nobody_opens_is_swept_at_its_end),
		cmocka_unit_test(one_that_was_opened_stays_as_any_other),
		cmocka_unit_test(a_grant_is_found_as_kept),
		cmocka_unit_test(a_second_yes_adds_to_the_first_and_touches_no_other_permission),
		cmocka_unit_test(a_second_yes_does_not_unpause),
		cmocka_unit_test(revoking_ends_the_grant_and_its_families_for_good),
		cmocka_unit_test(ends_are_set_for_one_permission_or_all),
		cmocka_unit_test(one_permission_is_taken_away_and_the_end_follows),
		cmocka_unit_test(grants_are_listed_newest_first_in_pages),
		cmocka_unit_test(grants_that_ended_between_two_times_are_found));
}

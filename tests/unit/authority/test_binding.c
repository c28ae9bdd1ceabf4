/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a family is once somebody came with a key: the thief must not be the one it stays with. */
#include "at_office.h"

#define THIEF_KEY  STR("a-thumbprint-of-the-thief-is-as-long-as-this")
#define SECOND_KEY STR("another-thumbprint-is-of-the-same-length-too")

static enum err refresh_as(const char *client, struct str token, struct str jkt, struct str *ret)
{
	struct token_wish wish = office_wish(&office, client);
	enum err err;

	wish.refresh_token = token;
	wish.jkt = jkt;
	err = office_refresh(&office, &wish);
	*ret = err == OK ? wish.answer.refresh_token : wish.reason;
	return err;
}

static enum err refresh_by(struct str token, struct str jkt, struct str *ret)
{
	return refresh_as("agent", token, jkt, ret);
}

/* Whoever comes first with a key has the family bound to it: that must not hide that two came. */
static void a_thief_who_brings_a_key_ends_with_the_installation_that_has_none(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str copy, said;

	(void)state;
	CHECK_ERR(refresh_by(first.refresh_token, THIEF_KEY, &copy), OK);
	/* within the windows of a repeat: refused, and nothing ends */
	CHECK_ERR(refresh_by(first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("proof_missing"));
	office_wait(&office, ROTATION_LOST_ANSWER_MS);
	CHECK_ERR(refresh_by(first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("proof_missing"));
	CHECK(office_events(&office, "family.ended") == 0);
	office_wait(&office, 1);
	CHECK_ERR(refresh_by(first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("reused"));
	CHECK_ERR(refresh_by(copy, THIEF_KEY, &said), ERR_GRANT);
	CHECK_STR(said, STR("reused"));
	CHECK_ERR(refresh_by(first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("reused"));
	CHECK(office_events(&office, "family.ended") == 1);
}

/* The successor was used: then the window is the short one. */
static void a_thief_who_went_on_with_a_key_ends_sooner(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str copy, said;

	(void)state;
	CHECK_ERR(refresh_by(first.refresh_token, THIEF_KEY, &copy), OK);
	CHECK_ERR(refresh_by(copy, THIEF_KEY, &copy), OK);
	office_wait(&office, ROTATION_PARALLEL_MS + 1);
	CHECK_ERR(refresh_by(first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("reused"));
	CHECK_ERR(refresh_by(copy, THIEF_KEY, &said), ERR_GRANT);
	CHECK(office_events(&office, "family.ended") == 1);
}

/* It may change its key, but what it shows no key for is judged like any reuse. */
static void a_confidential_client_without_its_proof_is_judged_too(void **state)
{
	struct token_answer first = office_tokens(&office, "service", "mail.read");
	struct str next, said;

	(void)state;
	CHECK_ERR(refresh_as("service", first.refresh_token, THIEF_KEY, &next), OK);
	CHECK_ERR(refresh_as("service", next, SECOND_KEY, &next), OK);
	CHECK_ERR(refresh_as("service", next, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("proof_missing"));
	office_wait(&office, ROTATION_PARALLEL_MS + 1);
	CHECK_ERR(refresh_as("service", first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("reused"));
	CHECK(office_events(&office, "family.ended") == 1);
}

/* As grantctl client update --refresh sender-constrained leaves it. */
static enum err refresh_kept(const char *client, struct str token, struct str jkt, struct str *ret)
{
	struct token_wish wish = office_wish(&office, client);
	enum err err;

	wish.client.refresh_kept_at = 1;
	wish.refresh_token = token;
	wish.jkt = jkt;
	err = office_refresh(&office, &wish);
	*ret = err == OK ? wish.answer.refresh_token : wish.reason;
	return err;
}

static void a_refresh_token_that_is_bound_to_its_key_may_stay_the_same(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str bound, again, said;

	(void)state;
	CHECK_ERR(refresh_kept("agent", first.refresh_token, THIEF_KEY, &bound), OK);
	CHECK(!str_equals(bound, first.refresh_token)); /* only from here on it is bound */
	for (int i = 0; i < 3; i++) {
		office_wait(&office, 2 * ROTATION_LOST_ANSWER_MS);
		CHECK_ERR(refresh_kept("agent", bound, THIEF_KEY, &again), OK);
		CHECK_STR(again, bound);
	}
	CHECK_ERR(refresh_kept("agent", bound, SECOND_KEY, &said), ERR_GRANT);
	CHECK_ERR(refresh_kept("agent", bound, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("proof_missing"));
	CHECK_ERR(refresh_kept("agent", first.refresh_token, STR_NONE, &said), ERR_GRANT);
	CHECK_STR(said, STR("reused"));
	CHECK_ERR(refresh_kept("agent", bound, THIEF_KEY, &said), ERR_GRANT);
}

/*
 * What nobody's key holds rotates, whatever was set; so does a key that only a secret vouches for.
 */
static void a_refresh_token_that_is_bound_to_no_key_rotates_all_the_same(void **state)
{
	struct token_answer bearer = office_tokens(&office, "agent", "mail.read");
	struct token_answer secret = office_tokens(&office, "service", "mail.read");
	struct str next, other;

	(void)state;
	CHECK_ERR(refresh_kept("agent", bearer.refresh_token, STR_NONE, &next), OK);
	CHECK(!str_equals(next, bearer.refresh_token));
	CHECK_ERR(refresh_kept("service", secret.refresh_token, THIEF_KEY, &next), OK);
	CHECK_ERR(refresh_kept("service", next, SECOND_KEY, &other), OK);
	CHECK(!str_equals(next, other));
}

static void a_client_that_is_set_back_to_rotation_rotates_from_its_next_refresh_on(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str bound, again, next;

	(void)state;
	CHECK_ERR(refresh_kept("agent", first.refresh_token, THIEF_KEY, &bound), OK);
	CHECK_ERR(refresh_kept("agent", bound, THIEF_KEY, &again), OK);
	CHECK_ERR(refresh_by(again, THIEF_KEY, &next), OK);
	CHECK(!str_equals(next, bound));
	office_wait(&office, 2 * ROTATION_LOST_ANSWER_MS);
	CHECK_ERR(refresh_by(bound, THIEF_KEY, &again), ERR_GRANT);
	CHECK_STR(again, STR("reused"));
}

struct racer {
	struct world_task home;
	struct token_wish wish;
};

static enum err race(struct task *task, void *arg)
{
	struct racer *racer = arg;

	return token_refresh(task, &office.authority, &racer->wish, office_finished);
}

/* On the writer's own thread: all have read the row before the first of them writes. */
static enum err begin_race(struct task *task, struct db *db, void *arg)
{
	struct racer *racers = arg;

	(void)task;
	(void)db;
	for (int i = 0; i < 2; i++)
		CHECK_ERR(race(&racers[i].home.task, &racers[i]), ERR_PARKED);
	return OK;
}

static enum err go_on(struct task *task, void *arg)
{
	(void)task;
	(void)arg;
	return ERR_PARKED;
}

/* Who comes second with the same token is judged under the row's lock. */
static enum err lose_race(struct str second_jkt, struct racer *racers)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	enum err err;

	for (int i = 0; i < 2; i++) {
		world_task_begin(&office.world, &racers[i].home);
		racers[i].wish = office_wish(&office, "agent");
		racers[i].wish.refresh_token = first.refresh_token;
		racers[i].wish.jkt = i == 0 ? THIEF_KEY : second_jkt;
	}
	CHECK_ERR(world_write(&office.world, begin_race, racers), OK);
	CHECK_ERR(world_run(&racers[0].home, go_on, NULL), OK);
	err = world_run(&racers[1].home, go_on, NULL);
	for (int i = 0; i < 2; i++)
		world_task_end(&racers[i].home);
	return err;
}

static void of_two_keys_that_come_at_once_with_one_token_neither_keeps_the_family(void **state)
{
	static struct racer racers[2];

	(void)state;
	CHECK_ERR(lose_race(SECOND_KEY, racers), ERR_GRANT);
	CHECK_STR(racers[1].wish.reason, STR("reused"));
	CHECK(office_events(&office, "family.ended") == 1);
}

static void who_comes_at_once_with_a_key_without_one_is_refused_and_ends_nothing(void **state)
{
	static struct racer racers[2];

	(void)state;
	CHECK_ERR(lose_race(STR_NONE, racers), ERR_GRANT);
	CHECK_STR(racers[1].wish.reason, STR("proof_missing"));
	CHECK(office_events(&office, "family.ended") == 0);
}

static struct token_wish kept_by_assertion(struct str token, struct str jkt)
{
	struct token_wish wish = office_wish(&office, "service");

	wish.client.auth = CLIENT_AUTH_PRIVATE_KEY;
	wish.client.refresh_kept_at = 1;
	wish.refresh_token = token;
	wish.jkt = jkt;
	return wish;
}

struct beside {
	struct racer racer;
	struct world_task neighbour;
};

static enum err refuse(struct task *task, struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return fail(task, ERR_CONFLICT, "as somebody's proof that was seen before");
}

/* On the writer's own thread: both come into one transaction, which the second has taken back. */
static enum err begin_beside(struct task *task, struct db *db, void *arg)
{
	struct beside *beside = arg;

	(void)task;
	(void)db;
	CHECK_ERR(race(&beside->racer.home.task, &beside->racer), ERR_PARKED);
	CHECK_ERR(store_submit(&beside->neighbour.task, office.world.store, refuse, NULL,
			       office_finished),
		  ERR_PARKED);
	return OK;
}

static void a_key_is_kept_though_a_neighbour_has_it_written_twice(void **state)
{
	static struct beside beside;
	struct token_answer first = office_tokens(&office, "service", "mail.read");
	struct token_wish unproven = kept_by_assertion(first.refresh_token, STR_NONE);

	(void)state;
	beside.racer.wish = kept_by_assertion(first.refresh_token, THIEF_KEY);
	world_task_begin(&office.world, &beside.racer.home);
	world_task_begin(&office.world, &beside.neighbour);
	CHECK_ERR(world_write(&office.world, begin_beside, &beside), OK);
	CHECK_ERR(world_run(&beside.racer.home, go_on, NULL), OK);
	CHECK_ERR(world_run(&beside.neighbour, go_on, NULL), ERR_CONFLICT);
	CHECK_STR(beside.racer.wish.answer.refresh_token, first.refresh_token);
	world_task_end(&beside.neighbour);
	world_task_end(&beside.racer.home);
	CHECK_ERR(office_refresh(&office, &unproven), ERR_GRANT);
	CHECK_STR(unproven.reason, STR("proof_missing"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_thief_who_brings_a_key_ends_with_the_installation_that_has_none),
		TEST(a_thief_who_went_on_with_a_key_ends_sooner),
		TEST(a_confidential_client_without_its_proof_is_judged_too),
		TEST(a_refresh_token_that_is_bound_to_its_key_may_stay_the_same),
		TEST(a_refresh_token_that_is_bound_to_no_key_rotates_all_the_same),
		TEST(a_client_that_is_set_back_to_rotation_rotates_from_its_next_refresh_on),
		TEST(of_two_keys_that_come_at_once_with_one_token_neither_keeps_the_family),
		TEST(who_comes_at_once_with_a_key_without_one_is_refused_and_ends_nothing),
		TEST(a_key_is_kept_though_a_neighbour_has_it_written_twice),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

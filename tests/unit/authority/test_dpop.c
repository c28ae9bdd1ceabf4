/* SPDX-License-Identifier: Apache-2.0 */
/* Which proofs count, for how long they are remembered, and what nobody can make us remember. */
#include "at_office.h"

#include "authority/dpop.h"
#include "crypto/client_key.h"
#include "store/spent.h"
#include "store/sql.h"

#define PLACE "https://grantd.test/token"

static struct client_key *key;

static int start(void **state)
{
	int result = office_start(state);

	CHECK_ERR(client_key_new(world_task(&office.world), &key), OK);
	return result;
}

static int end(void **state)
{
	client_key_free(&key);
	return office_end(state);
}

static struct str prove(struct proof_wish wish)
{
	struct str proof = STR_NONE;

	wish.method = wish.method.at == NULL ? STR("POST") : wish.method;
	wish.url = wish.url.at == NULL ? STR(PLACE) : wish.url;
	CHECK_ERR(client_key_prove(&office.world.home.task, key, &wish, &proof), OK);
	return proof;
}

static enum err check(struct str proof, struct dpop *ret_dpop)
{
	const struct dpop_asked asked = { .proof = proof,
					  .method = STR("POST"),
					  .path = STR("/token") };

	return dpop_check(world_task(&office.world), &office.authority, &asked, ret_dpop);
}

static enum err spend(struct task *task, struct db *db, void *arg)
{
	return spent_take(task, db, arg, task->now);
}

static enum err sweep(struct task *task, struct db *db, void *arg)
{
	return spent_sweep(task, db, task->now, 100, arg);
}

/* As the token endpoint does it: a proof that counts is spent with the token's own write. */
static enum err use(struct str proof)
{
	struct dpop dpop;

	TRY(check(proof, &dpop));
	return world_write(&office.world, spend, &dpop.spent);
}

static STATEMENT COUNT_SPENT = { "SELECT count(*) FROM spent" };

static int64_t count_spent(void)
{
	int64_t count = -1;

	CHECK_ERR(sql_one_int(world_task(&office.world), world_reader(&office.world), &COUNT_SPENT,
			      NO_ARGS, &count),
		  OK);
	return count;
}

static void a_proof_says_which_key_made_it(void **state)
{
	struct dpop dpop;

	(void)state;
	CHECK_ERR(check(prove((struct proof_wish){ 0 }), &dpop), OK);
	CHECK_STR(dpop.jkt, client_key_thumbprint(&office.world.home.task.arena, key));
	CHECK(dpop_jkt_is_valid(dpop.jkt));
	CHECK_ERR(check(STR_NONE, &dpop), OK);
	CHECK(dpop.jkt.at == NULL && dpop.spent.name.at == NULL);
}

static void a_proof_for_another_request_does_not_count(void **state)
{
	struct dpop dpop;

	(void)state;
	CHECK_ERR(check(prove((struct proof_wish){ .method = STR("GET") }), &dpop), ERR_DPOP);
	CHECK_ERR(check(prove((struct proof_wish){ .url = STR("https://grantd.test/par") }), &dpop),
		  ERR_DPOP);
	CHECK_ERR(
		check(prove((struct proof_wish){ .url = STR("https://other.test/token") }), &dpop),
		ERR_DPOP);
	CHECK_ERR(
		check(prove((struct proof_wish){ .url = STR("https://GRANTD.test:443/token?a#b") }),
		      &dpop),
		OK);
}

static void a_proof_goes_with_its_own_access_token(void **state)
{
	struct dpop_asked asked = { .method = STR("POST"), .path = STR("/token") };
	struct dpop dpop;

	(void)state;
	asked.access_token = STR("a.b.c");
	asked.proof = prove((struct proof_wish){ .access_token = STR("a.b.c") });
	CHECK_ERR(dpop_check(world_task(&office.world), &office.authority, &asked, &dpop), OK);
	asked.access_token = STR("a.b.d");
	CHECK_ERR(dpop_check(world_task(&office.world), &office.authority, &asked, &dpop),
		  ERR_DPOP);
	asked.proof = prove((struct proof_wish){ 0 });
	CHECK_ERR(dpop_check(world_task(&office.world), &office.authority, &asked, &dpop),
		  ERR_DPOP);
}

static void dp_009_a_proof_counts_a_minute_and_with_a_nonce_five(void **state)
{
	struct str bare = prove((struct proof_wish){ 0 }), with_nonce;
	struct dpop dpop;

	(void)state;
	bare = str_copy(&office.world.home.task.arena, bare);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(check(bare, &dpop), OK);
	office_wait(&office, SECOND_MS);
	CHECK_ERR(check(bare, &dpop), ERR_DPOP_NONCE);
	with_nonce = prove((struct proof_wish){
		.nonce = dpop_nonce(world_task(&office.world), &office.authority) });
	office_wait(&office, 4 * MINUTE_MS);
	CHECK_ERR(check(with_nonce, &dpop), OK);
	CHECK(dpop.nonce_is_old);
	office_wait(&office, 61 * SECOND_MS);
	CHECK_ERR(check(with_nonce, &dpop), ERR_DPOP_NONCE);
}

/* Signed by a client whose clock is ahead, and shown again until it is too old. */
static void dp_012_a_proof_is_remembered_for_as_long_as_it_counts(void **state)
{
	struct str early;
	int64_t deleted = 0;

	(void)state;
	office.world.clock.now += 10 * SECOND_MS;
	world_task(&office.world);
	early = prove((struct proof_wish){ 0 });
	office.world.clock.now -= 10 * SECOND_MS;
	CHECK_ERR(use(early), OK);
	for (int i = 0; i < 7; i++) {
		office_wait(&office, 10 * SECOND_MS);
		CHECK_ERR(world_write(&office.world, sweep, &deleted), OK);
		CHECK(deleted == 0);
		CHECK_ERR(use(early), ERR_CONFLICT);
	}
	office_wait(&office, SECOND_MS);
	CHECK_ERR(use(early), ERR_DPOP_NONCE);
	CHECK(count_spent() == 1);
	office_wait(&office, 10 * SECOND_MS);
	CHECK_ERR(world_write(&office.world, sweep, &deleted), OK);
	CHECK(deleted == 1 && count_spent() == 0);
}

static void a_proof_with_a_nonce_is_remembered_for_as_long_as_it_counts(void **state)
{
	struct str proof = prove((struct proof_wish){
		.nonce = dpop_nonce(world_task(&office.world), &office.authority) });
	int64_t deleted = 0;
	enum err err = OK;

	(void)state;
	CHECK_ERR(use(proof), OK);
	for (int i = 0; i < 60 && err != ERR_DPOP_NONCE; i++) {
		CHECK_ERR(world_write(&office.world, sweep, &deleted), OK);
		err = use(proof);
		CHECK(err == ERR_CONFLICT || err == ERR_DPOP_NONCE);
		office_wait(&office, 10 * SECOND_MS);
	}
	CHECK_ERR(err, ERR_DPOP_NONCE);
}

/* The daemon with that setting, after a reload. */
static void require_nonces(void)
{
	struct task *task = world_task(&office.world);
	struct config_source source = { .dir = office.world.dir };
	const struct config *config = NULL;

	office_write(&office, "grantd.conf",
		     "issuer = https://grantd.test\nrequire_dpop_nonce = yes\n");
	CHECK_ERR(config_load(task, &source, &config), OK);
	config_live_swap(office.live, config);
}

static void dp_014_a_required_nonce_that_is_absent_stale_or_another_servers(void **state)
{
	struct office elsewhere;
	struct str ours, theirs;
	struct dpop dpop;

	(void)state;
	require_nonces();
	CHECK_ERR(check(prove((struct proof_wish){ 0 }), &dpop), ERR_DPOP_NONCE);
	office_open(&elsewhere);
	elsewhere.world.clock.now = office.world.clock.now;
	theirs = str_copy(&office.world.home.task.arena,
			  dpop_nonce(world_task(&elsewhere.world), &elsewhere.authority));
	office_close(&elsewhere);
	CHECK_ERR(check(prove((struct proof_wish){ .nonce = theirs }), &dpop), ERR_DPOP_NONCE);
	CHECK_ERR(check(prove((struct proof_wish){ .nonce = STR("anything") }), &dpop),
		  ERR_DPOP_NONCE);
	ours = dpop_nonce(world_task(&office.world), &office.authority);
	CHECK_ERR(check(prove((struct proof_wish){ .nonce = ours }), &dpop), OK);
	office_wait(&office, 6 * MINUTE_MS);
	CHECK_ERR(check(prove((struct proof_wish){ .nonce = ours }), &dpop), ERR_DPOP_NONCE);
}

static enum err redeem_nothing(struct str proof)
{
	struct token_wish wish = office_wish(&office, "agent");
	struct dpop dpop;

	TRY(check(proof, &dpop));
	wish.code = STR("gac_nobody-has-this-one");
	wish.jkt = dpop.jkt;
	wish.single_use.proof = dpop.spent;
	return office_redeem(&office, &wish);
}

/* A stranger needs no more than a public client's id to come this far. */
static void dp_022_proofs_that_come_with_nothing_are_not_remembered(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		CHECK_ERR(redeem_nothing(prove((struct proof_wish){ 0 })), ERR_GRANT);
	CHECK(count_spent() == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_proof_says_which_key_made_it),
		TEST(a_proof_for_another_request_does_not_count),
		TEST(a_proof_goes_with_its_own_access_token),
		TEST(dp_009_a_proof_counts_a_minute_and_with_a_nonce_five),
		TEST(dp_012_a_proof_is_remembered_for_as_long_as_it_counts),
		TEST(a_proof_with_a_nonce_is_remembered_for_as_long_as_it_counts),
		TEST(dp_014_a_required_nonce_that_is_absent_stale_or_another_servers),
		TEST(dp_022_proofs_that_come_with_nothing_are_not_remembered),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

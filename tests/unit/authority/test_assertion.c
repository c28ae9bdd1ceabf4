/* SPDX-License-Identifier: Apache-2.0 */
/* private_key_jwt: until when an assertion counts, and until when it is remembered. */
#include "at_office.h"

#include "authority/client_auth.h"
#include "authority/clients.h"
#include "crypto/client_key.h"
#include "store/spent.h"

static struct client_key *key;

static void register_client(void)
{
	struct task *task = world_task(&office.world);
	struct new_client wish = {
		.client = { .id = STR("robot"),
			    .name = STR("Robot"),
			    .auth = CLIENT_AUTH_PRIVATE_KEY,
			    .grant_types = GRANT_CLIENT_CREDENTIALS },
	};
	struct client client;
	struct str secret;

	wish.client.jwks = STR_JOIN(&task->arena, STR("{\"keys\":["), client_key_jwk(key),
				    STR("]}"));
	CHECK_ERR(client_create(task, &office.authority, &wish, &client, &secret), OK);
	CHECK(secret.at == NULL && client.secret_hash.at == NULL);
}

static int start(void **state)
{
	int result = office_start(state);

	CHECK_ERR(client_key_new(world_task(&office.world), &key), OK);
	register_client();
	return result;
}

static int end(void **state)
{
	client_key_free(&key);
	return office_end(state);
}

/* Good from now for so long, by that name for itself. */
static struct str assert_for(int64_t seconds, const char *jti)
{
	struct task *task = world_task(&office.world);
	struct str jws = STR_NONE;
	struct str claims = str_printf(&task->arena,
				       "{\"iss\":\"robot\",\"sub\":\"robot\","
				       "\"aud\":\"https://grantd.test\",\"jti\":\"%s\","
				       "\"iat\":%lld,\"exp\":%lld}",
				       jti, (long long)(task->now / SECOND_MS),
				       (long long)(task->now / SECOND_MS + seconds));

	CHECK_ERR(client_key_sign(task, key, STR("{\"alg\":\"ES256\"}"), claims, &jws), OK);
	return jws;
}

static enum err authenticate(struct str assertion, struct single_use *ret_single_use)
{
	struct client_credentials credentials = { .method = CREDENTIAL_ASSERTION,
						  .secret = assertion };
	struct client client;

	TRY(client_authenticate(world_task(&office.world), &office.authority, &credentials,
				&client));
	CHECK_STR(credentials.client_id, STR("robot"));
	*ret_single_use = credentials.single_use;
	return OK;
}

static enum err spend(struct task *task, struct db *db, void *arg)
{
	return single_use_spend(task, db, arg);
}

static enum err sweep(struct task *task, struct db *db, void *arg)
{
	return spent_sweep(task, db, task->now, 100, arg);
}

static enum err use(struct str assertion)
{
	struct single_use single_use;

	TRY(authenticate(assertion, &single_use));
	return world_write(&office.world, spend, &single_use);
}

static void an_assertion_counts_until_its_end_and_no_longer_than_five_minutes(void **state)
{
	struct str minute = assert_for(60, "a");
	struct single_use single_use;

	(void)state;
	CHECK_ERR(authenticate(minute, &single_use), OK);
	CHECK(single_use.proof.name.at == NULL);
	CHECK_ERR(authenticate(assert_for(300, "b"), &single_use), OK);
	CHECK_ERR(authenticate(assert_for(301, "c"), &single_use), ERR_CLIENT);
	office_wait(&office, 59 * SECOND_MS);
	CHECK_ERR(authenticate(minute, &single_use), OK);
	office_wait(&office, 2 * SECOND_MS);
	CHECK_ERR(authenticate(minute, &single_use), ERR_CLIENT);
}

static void ca_020_an_assertion_is_remembered_for_longer_than_it_counts(void **state)
{
	struct str assertion = assert_for(30, "a");
	int64_t deleted = -1;

	(void)state;
	CHECK_ERR(use(assertion), OK);
	for (int i = 0; i < 30; i++) {
		CHECK_ERR(use(assertion), ERR_CLIENT);
		office_wait(&office, SECOND_MS);
		CHECK_ERR(world_write(&office.world, sweep, &deleted), OK);
		CHECK(deleted == 0);
	}
	CHECK_ERR(use(assertion), ERR_CLIENT);
	office_wait(&office, 12 * SECOND_MS);
	CHECK_ERR(world_write(&office.world, sweep, &deleted), OK);
	CHECK(deleted == 1);
	CHECK_ERR(use(assertion), ERR_CLIENT);
}

/* Who only knows a client's name cannot have us check signatures that would not count anyway. */
static void an_assertion_that_is_over_is_refused_before_its_signature_is_looked_at(void **state)
{
	struct client_key *own = key;
	struct single_use single_use;
	struct str foreign;

	(void)state;
	CHECK_ERR(client_key_new(world_task(&office.world), &key), OK);
	foreign = assert_for(60, "a");
	client_key_free(&key);
	key = own;
	CHECK_ERR(authenticate(foreign, &single_use), ERR_CLIENT);
	CHECK_STR(office.world.home.task.reason,
		  STR("the assertion is not signed by a registered key"));
	office_wait(&office, 61 * SECOND_MS);
	CHECK_ERR(authenticate(foreign, &single_use), ERR_CLIENT);
	CHECK_STR(office.world.home.task.reason, STR("the assertion is over"));
}

static void a_client_that_was_disabled_is_not_known_by_its_key(void **state)
{
	struct single_use single_use;

	(void)state;
	CHECK_ERR(client_disable(world_task(&office.world), &office.authority, STR("robot")), OK);
	CHECK_ERR(authenticate(assert_for(60, "a"), &single_use), ERR_CLIENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_assertion_counts_until_its_end_and_no_longer_than_five_minutes),
		TEST(ca_020_an_assertion_is_remembered_for_longer_than_it_counts),
		TEST(an_assertion_that_is_over_is_refused_before_its_signature_is_looked_at),
		TEST(a_client_that_was_disabled_is_not_known_by_its_key),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

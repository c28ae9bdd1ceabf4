/* SPDX-License-Identifier: Apache-2.0 */
/* A client's own key, its proofs, and what the reading side makes of them. */
#include "crypto/client_key.h"

#include "check.h"
#include "crypto/dpop_proof.h"
#include "crypto/key_cache.h"

static void a_proof_is_read_as_it_was_meant(void **state)
{
	CLEANUP(client_key_free) struct client_key *key = NULL;
	const struct proof_wish wish = { .method = STR("GET"),
					 .url = STR("https://as.test/x"),
					 .nonce = STR("n"),
					 .access_token = STR("token") };
	struct task *task = *state;
	struct dpop_proof read;
	struct str proof;

	CHECK_ERR(client_key_new(task, &key), OK);
	CHECK_ERR(client_key_prove(task, key, &wish, &proof), OK);
	CHECK_ERR(dpop_proof_read(task, NULL, proof, &read), OK);
	CHECK_STR(read.jkt, client_key_thumbprint(&task->arena, key));
	CHECK_STR(read.htm, wish.method);
	CHECK_STR(read.htu, wish.url);
	CHECK_STR(read.nonce, wish.nonce);
	CHECK(read.ath.len == 43 && read.jti.len == 22);
	CHECK(read.issued_at == task->now / SECOND_MS * SECOND_MS);
}

static void no_two_proofs_have_one_id(void **state)
{
	CLEANUP(client_key_free) struct client_key *key = NULL;
	const struct proof_wish wish = { .method = STR("GET"), .url = STR("https://as.test/x") };
	struct dpop_proof first, second;
	struct str proof;

	CHECK_ERR(client_key_new(*state, &key), OK);
	CHECK_ERR(client_key_prove(*state, key, &wish, &proof), OK);
	CHECK_ERR(dpop_proof_read(*state, NULL, proof, &first), OK);
	CHECK_ERR(client_key_prove(*state, key, &wish, &proof), OK);
	CHECK_ERR(dpop_proof_read(*state, NULL, proof, &second), OK);
	CHECK(!str_equals(first.jti, second.jti));
	CHECK_STR(first.jkt, second.jkt);
	CHECK(first.ath.at == NULL && first.nonce.at == NULL);
}

static void a_proof_that_was_changed_anywhere_is_refused(void **state)
{
	CLEANUP(client_key_free) struct client_key *key = NULL;
	const struct proof_wish wish = { .method = STR("GET"), .url = STR("https://as.test/x") };
	struct task *task = *state;
	struct str proof = STR_NONE;

	CHECK_ERR(client_key_new(task, &key), OK);
	CHECK_ERR(client_key_prove(task, key, &wish, &proof), OK);
	for (size_t i = 0; i < proof.len; i += 7) {
		struct str changed = str_copy(&task->arena, proof);
		struct dpop_proof read;

		((char *)(uintptr_t)changed.at)[i] = changed.at[i] == 'A' ? 'B' : 'A';
		CHECK_ERR(dpop_proof_read(task, NULL, changed, &read), ERR_TOKEN);
		task_forgive(task);
	}
}

/* The key is known by the header then; what it signed is not. */
static void a_key_that_is_known_verifies_its_own_proofs_only(void **state)
{
	CLEANUP(client_key_free) struct client_key *key = NULL, *other = NULL;
	CLEANUP(key_cache_free) struct key_cache *cache = key_cache_new();
	const struct proof_wish wish = { .method = STR("GET"), .url = STR("https://as.test/x") };
	struct task *task = *state;
	struct str proof = STR_NONE, forged;
	struct dpop_proof read;

	CHECK_ERR(client_key_new(task, &key), OK);
	CHECK_ERR(client_key_new(task, &other), OK);
	for (int i = 0; i < 3; i++) {
		CHECK_ERR(client_key_prove(task, key, &wish, &proof), OK);
		CHECK_ERR(dpop_proof_read(task, cache, proof, &read), OK);
		CHECK_STR(read.jkt, client_key_thumbprint(&task->arena, key));
	}
	/* the known header, and what another key has signed */
	CHECK_ERR(client_key_prove(task, other, &wish, &forged), OK);
	forged = STR_JOIN(&task->arena, str_sub(proof, 0, str_find(proof, '.')),
			  str_from(forged, str_find(forged, '.')));
	CHECK_ERR(dpop_proof_read(task, cache, forged, &read), ERR_TOKEN);
	task_forgive(task);
	CHECK_ERR(client_key_prove(task, other, &wish, &proof), OK);
	CHECK_ERR(dpop_proof_read(task, cache, proof, &read), OK);
	CHECK_STR(read.jkt, client_key_thumbprint(&task->arena, other));
}

static void however_many_keys_come_each_is_its_own(void **state)
{
	CLEANUP(key_cache_free) struct key_cache *cache = key_cache_new();
	const struct proof_wish wish = { .method = STR("GET"), .url = STR("https://as.test/x") };

	for (int i = 0; i < 1500; i++) {
		CLEANUP(client_key_free) struct client_key *key = NULL;
		struct dpop_proof read;
		struct task task;
		struct str proof;

		task_begin(&task, ((struct task *)*state)->clock, NULL);
		CHECK_ERR(client_key_new(&task, &key), OK);
		CHECK_ERR(client_key_prove(&task, key, &wish, &proof), OK);
		CHECK_ERR(dpop_proof_read(&task, cache, proof, &read), OK);
		CHECK_STR(read.jkt, client_key_thumbprint(&task.arena, key));
		task_end(&task);
	}
}

static void a_kept_key_is_the_same_when_it_is_read_again(void **state)
{
	CLEANUP(client_key_free) struct client_key *key = NULL, *again = NULL;
	CLEANUP(secret_wipe) struct secret pem = { 0 };

	CHECK_ERR(client_key_new(*state, &key), OK);
	CHECK_ERR(client_key_save(*state, key, &pem), OK);
	CHECK(str_starts_with(secret_reveal(&pem), STR("-----BEGIN PRIVATE KEY-----")));
	CHECK_ERR(client_key_load(*state, secret_reveal(&pem), &again), OK);
	CHECK_STR(client_key_jwk(key), client_key_jwk(again));
}

static void what_is_no_p256_key_is_refused(void **state)
{
	static const struct str ed25519 = STR_INIT(
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
		"-----END PRIVATE KEY-----\n");
	struct client_key *key = NULL;

	CHECK_ERR(client_key_load(*state, ed25519, &key), ERR_CRYPTO);
	CHECK_ERR(client_key_load(*state, STR("a key"), &key), ERR_CRYPTO);
	CHECK_ERR(client_key_load(*state, STR(""), &key), ERR_CRYPTO);
	CHECK(key == NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_proof_is_read_as_it_was_meant),
		TEST(no_two_proofs_have_one_id),
		TEST(a_proof_that_was_changed_anywhere_is_refused),
		TEST(a_key_that_is_known_verifies_its_own_proofs_only),
		TEST(however_many_keys_come_each_is_its_own),
		TEST(a_kept_key_is_the_same_when_it_is_read_again),
		TEST(what_is_no_p256_key_is_refused),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

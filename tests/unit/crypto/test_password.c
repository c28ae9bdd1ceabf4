/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "crypto/password_memory.h"

#define MEMORY (19 * 1024 * 1024)

static void a_hash_opens_to_its_password_and_no_other(void **state)
{
	struct str hash;

	CHECK_ERR(password_hash(*state, STR("correct horse"), &hash), OK);
	CHECK(str_starts_with(hash, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
	CHECK_ERR(password_verify(*state, hash, STR("correct horse")), OK);
	CHECK_ERR(password_verify(*state, hash, STR("correct horsf")), ERR_PASSWORD);
	CHECK_ERR(password_verify(*state, hash, STR("correct horse\0")), ERR_PASSWORD);
	CHECK_ERR(password_verify(*state, hash, STR("")), ERR_PASSWORD);
}

static void two_hashes_of_a_password_differ(void **state)
{
	struct str a, b;

	CHECK_ERR(password_hash(*state, STR("correct horse"), &a), OK);
	CHECK_ERR(password_hash(*state, STR("correct horse"), &b), OK);
	CHECK(!str_equals(a, b));
}

static void an_unknown_name_costs_the_same_run(void **state)
{
	struct str hash;
	uint64_t before;

	CHECK_ERR(password_hash(*state, STR("correct horse"), &hash), OK);
	before = password_runs();
	CHECK_ERR(password_verify(*state, hash, STR("wrong horse")), ERR_PASSWORD);
	CHECK(password_runs() == before + 1);
	CHECK_ERR(password_verify(*state, STR_NONE, STR("wrong horse")), ERR_PASSWORD);
	CHECK(password_runs() == before + 2);
}

static void lengths_outside_of_the_bounds_are_refused(void **state)
{
	char text[PASSWORD_MAX + 1];
	struct str hash = STR_NONE;
	uint64_t before = password_runs();

	memset(text, 'a', sizeof(text));
	CHECK_ERR(password_hash(*state, STR("seven.."), &hash), ERR_REQUEST);
	CHECK_ERR(password_hash(*state, STR_NONE, &hash), ERR_REQUEST);
	CHECK_ERR(password_hash(*state, (struct str){ text, sizeof(text) }, &hash), ERR_REQUEST);
	CHECK_ERR(password_verify(*state, STR_NONE, (struct str){ text, sizeof(text) }),
		  ERR_PASSWORD);
	CHECK(hash.at == NULL && password_runs() == before);
	CHECK_ERR(password_hash(*state, (struct str){ text, PASSWORD_MAX }, &hash), OK);
}

/*
 * Whoever can write into the database must neither choose a cheap hash nor one that costs minutes.
 */
static void hashes_that_we_did_not_write_never_match(void **state)
{
	static const char *const hashes[] = {
		"",
		"plain horse",
		"$2b$10$abcdefghijklmnopqrstuv",
		/* argon2i, one pass of 8 KiB, and 4 GiB; the first two are right for "password" */
		"$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
		"wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
		"nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$"
		"nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=19456,t=2,p=1$",
		"$argon2id$v=19$m=19456,t=2,p=1$!!!!$!!!!",
	};

	for (size_t i = 0; i < COUNT_OF(hashes); i++)
		CHECK_ERR(password_verify(*state, str_from_c(hashes[i]), STR("password")),
			  ERR_PASSWORD);
}

/* By libsodium, as all were made once. */
static void what_another_library_hashed_is_known(void **state)
{
	const struct str hash = STR(
		"$argon2id$v=19$m=19456,t=2,p=1$"
		"2Ff+bTEPR81Z+AFd0URUFw$et8F0yy5JwoBqLQ7IWeBTcv76p7524dDLgW06YfT7bY");

	CHECK_ERR(password_verify(*state, hash, STR("correct horse")), OK);
	CHECK_ERR(password_verify(*state, hash, STR("correct horsf")), ERR_PASSWORD);
}

static bool is_mapped(void *memory)
{
	return msync(memory, 1, MS_ASYNC) == 0;
}

static void memory_is_kept_for_a_minute_and_comes_back_clear(void **state)
{
	struct str hash = STR_NONE;
	uint8_t *memory = NULL, *again = NULL;
	int64_t now;

	password_memory_rest(INT64_MAX);
	CHECK_ERR(password_hash(*state, STR("correct horse"), &hash), OK);
	CHECK(password_memory_take(&memory, MEMORY) == 0);
	for (size_t i = MEMORY / 2; i < MEMORY; i++)
		CHECK(memory[i] == 0);
	password_memory_give(memory, MEMORY);
	now = clock_monotonic();
	password_memory_rest(now + MINUTE_MS / 2);
	CHECK(is_mapped(memory));
	CHECK(password_memory_take(&again, MEMORY) == 0);
	CHECK(again == memory);
	password_memory_give(again, MEMORY);
	password_memory_rest(now + 2 * MINUTE_MS);
	CHECK(!is_mapped(memory));
}

/* A wrong password would be counted against its owner. */
static void without_memory_a_right_password_is_not_called_wrong(void **state)
{
	FILE *file = fopen("/proc/self/statm", "r");
	struct rlimit before, limit;
	struct str hash = STR_NONE;
	uint64_t pages = 0;
	struct str size;
	char line[64];

	CHECK_ERR(password_hash(*state, STR("correct horse"), &hash), OK);
	password_memory_rest(INT64_MAX);
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(fclose(file), 0);
	size = str_from_c(line);
	CHECK(str_to_u64(str_sub(size, 0, str_find(size, ' ')), INT64_MAX, &pages));
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	limit = before;
	limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + 4 * 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	CHECK_ERR(password_verify(*state, hash, STR("correct horse")), ERR_INTERNAL);
	CHECK_ERR(password_hash(*state, STR("correct horse"), &hash), ERR_INTERNAL);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	CHECK_ERR(password_verify(*state, hash, STR("correct horse")), OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(a_hash_opens_to_its_password_and_no_other),
		   CASE(two_hashes_of_a_password_differ), CASE(an_unknown_name_costs_the_same_run),
		   CASE(lengths_outside_of_the_bounds_are_refused),
		   CASE(hashes_that_we_did_not_write_never_match),
		   CASE(what_another_library_hashed_is_known),
		   CASE(memory_is_kept_for_a_minute_and_comes_back_clear),
		   CASE(without_memory_a_right_password_is_not_called_wrong));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

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

/*
 * libsodium's own check takes that for a wrong password, which would be counted against its owner.
 */
static void without_memory_a_right_password_is_not_called_wrong(void **state)
{
	FILE *file = fopen("/proc/self/statm", "r");
	struct rlimit before, limit;
	struct str hash = STR_NONE;
	uint64_t pages = 0;
	struct str size;
	char line[64];

	CHECK_ERR(password_hash(*state, STR("correct horse"), &hash), OK);
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
		   CASE(without_memory_a_right_password_is_not_called_wrong));
}

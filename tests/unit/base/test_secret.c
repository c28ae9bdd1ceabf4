/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <string.h>

#include "check.h"

static void a_secret_is_a_copy_of_its_own(void **state)
{
	struct secret secret = { 0 };
	char bytes[] = "tok\0en";

	(void)state;
	secret_set(&secret, bytes, sizeof(bytes) - 1);
	memset(bytes, 0, sizeof(bytes));
	CHECK_STR(secret_reveal(&secret), STR("tok\0en"));
	secret_wipe(&secret);
}

static void wiping_leaves_an_empty_one_and_may_be_repeated(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	secret_wipe(&secret);
	secret_set(&secret, "abc", 3);
	secret_wipe(&secret);
	CHECK(secret.at == NULL && secret.len == 0);
	secret_wipe(&secret);
	CHECK(secret_reveal(&secret).len == 0);
}

static void a_secret_may_be_set_from_its_own_bytes(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	secret_set(&secret, "abcdef", 6);
	secret_set(&secret, secret.at + 2, 3);
	CHECK_STR(secret_reveal(&secret), STR("cde"));
	secret_set(&secret, NULL, 0);
	CHECK(secret.len == 0);
	secret_wipe(&secret);
}

static void cleanup_wipes_at_the_end_of_its_scope(void **state)
{
	struct secret *outside = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(secret_wipe) struct secret inside = { 0 };

		secret_set(&inside, "abc", 3);
		outside = &inside;
		CHECK(outside->len == 3);
	}
}

static void equal_bytes_are_equal_and_a_bit_is_enough_to_differ(void **state)
{
	(void)state;
	CHECK(secret_equals(STR("abc"), STR("abc")));
	CHECK(secret_equals(STR("a\0c"), STR("a\0c")));
	CHECK(!secret_equals(STR("a\0c"), STR("a\0d")));
	CHECK(!secret_equals(STR("abc"), STR("abC")));
	CHECK(!secret_equals(STR("abc"), STR("ab")));
	CHECK(!secret_equals(STR("abc"), STR("\xe1"
					     "bc")));
	CHECK(!secret_equals(STR("abc"), STR("")));
}

/*
 * A csrf token, a client secret or a hash that was never set must not be met by an empty parameter.
 */
static void an_absent_secret_equals_nothing(void **state)
{
	(void)state;
	CHECK(!secret_equals(STR_NONE, STR_NONE));
	CHECK(!secret_equals(STR(""), STR("")));
	CHECK(!secret_equals(STR_NONE, STR("")));
	CHECK(!secret_equals(STR_NONE, STR("a")));
}

int main(void)
{
	return RUN(cmocka_unit_test(a_secret_is_a_copy_of_its_own),
		   cmocka_unit_test(wiping_leaves_an_empty_one_and_may_be_repeated),
		   cmocka_unit_test(a_secret_may_be_set_from_its_own_bytes),
		   cmocka_unit_test(cleanup_wipes_at_the_end_of_its_scope),
		   cmocka_unit_test(equal_bytes_are_equal_and_a_bit_is_enough_to_differ),
		   cmocka_unit_test(an_absent_secret_equals_nothing));
}

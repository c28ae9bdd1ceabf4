/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "http/cookie.h"

static struct exchange exchange;

static int begin(void **state)
{
	static struct check_clock clock;

	(void)state;
	check_clock_start(&clock);
	exchange = (struct exchange){ 0 };
	task_begin(&exchange.task, &clock.clock, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	task_end(&exchange.task);
	return 0;
}

static void add(struct str name, struct str value)
{
	exchange.request.fields[exchange.request.field_count++] = (struct http_field){ name,
										       value };
}

static void a_cookie_is_found_by_its_exact_name(void **state)
{
	(void)state;
	add(STR("cookie"), STR("a=1; __Host-grant=abc=; b"));
	CHECK_STR(cookie_get(&exchange.request, STR("__Host-grant")), STR("abc="));
	CHECK_STR(cookie_get(&exchange.request, STR("a")), STR("1"));
	CHECK(cookie_get(&exchange.request, STR("b")).at == NULL);
	CHECK(cookie_get(&exchange.request, STR("__Host-gran")).at == NULL);
	CHECK(cookie_get(&exchange.request, STR("__host-grant")).at == NULL);
	CHECK(cookie_get(&exchange.request, STR("")).at == NULL);
}

static void of_two_cookies_the_first_counts(void **state)
{
	(void)state;
	add(STR("Cookie"), STR("x=1"));
	add(STR("Cookie"), STR("s=first;s=second"));
	add(STR("Cookie"), STR("s=third"));
	CHECK_STR(cookie_get(&exchange.request, STR("s")), STR("first"));
}

static void a_cookie_is_set_with_all_that_protects_it(void **state)
{
	(void)state;
	cookie_set(&exchange, STR("__Host-s"), STR("v"), -1);
	cookie_set(&exchange, STR("__Host-s"), STR(""), 0);
	CHECK(exchange.reply.field_count == 2);
	CHECK_STR(exchange.reply.fields[0].name, STR("Set-Cookie"));
	CHECK_STR(exchange.reply.fields[0].value,
		  STR("__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax"));
	CHECK_STR(exchange.reply.fields[1].value,
		  STR("__Host-s=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(a_cookie_is_found_by_its_exact_name), TEST(of_two_cookies_the_first_counts),
		   TEST(a_cookie_is_set_with_all_that_protects_it));
}

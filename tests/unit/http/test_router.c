/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "http/exchange_step.h"
#include "http/router.h"

static struct exchange exchange;

static enum err say_hello(struct exchange *x)
{
	reply_with(x, 200, STR("text/plain"), STR("hello"));
	return OK;
}

static enum err say_nothing(struct exchange *x)
{
	(void)x;
	return OK;
}

static enum err after_parking(struct task *task, enum err result, void *arg)
{
	assert_ptr_equal(arg, &exchange);
	return result == OK ? say_hello(exchange_of(task)) : result;
}

static enum err park(struct exchange *x)
{
	return task_park(&x->task, after_parking, x);
}

static void refuse(struct exchange *x, enum err err)
{
	reply_with(x, 418, STR("text/plain"), str_from_c(err_name(err)));
}

static void finish(struct exchange *x)
{
	reply_field(x, STR("X-Door"), *(const struct str *)x->door->context);
}

static const struct route api_routes[] = {
	{ "GET", "/jwks", say_hello, LANE_LOOP, ROUTE_CORS },
	{ "POST", "/token", say_hello, LANE_STORE, ROUTE_FORM | ROUTE_CORS },
	{ "POST", "/register", say_hello, LANE_STORE, ROUTE_JSON },
	{ "GET", "/empty", say_nothing, LANE_LOOP, 0 },
	{ "GET", "/park", park, LANE_LOOP, 0 },
};
static const struct route page_routes[] = {
	{ "GET", "/agents/{id}", say_hello, LANE_PAGES, 0 },
	{ "POST", "/agents/{id}/scopes/{scope}", say_hello, LANE_PAGES, ROUTE_FORM },
	{ "GET", "/agents/new/form", say_hello, LANE_PAGES, 0 },
	{ "GET", "/jwks", say_hello, LANE_PAGES, 0 },
	{ "DELETE", "/agents/{id}", say_hello, LANE_PAGES, 0 },
};
static struct str api_name = STR_INIT("api"), page_name = STR_INIT("pages");
static const struct door api = { api_routes, COUNT_OF(api_routes), &api_name, refuse, finish };
static const struct door pages = { page_routes, COUNT_OF(page_routes), &page_name, refuse, NULL };
static const struct door *const doors[] = { &api, &pages };

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

static enum err ask(struct str method, struct str path)
{
	exchange.request.method = method;
	exchange.request.path = exchange.request.target = path;
	exchange.reply = (struct reply){ 0 };
	return router_match(&exchange, doors, COUNT_OF(doors));
}

static void set_type(struct str type)
{
	exchange.request.field_count = 1;
	exchange.request.fields[0] = (struct http_field){ STR("content-type"), type };
}

static struct str reply_value(const char *name)
{
	for (size_t i = 0; i < exchange.reply.field_count; i++)
		if (str_equals(exchange.reply.fields[i].name, str_from_c(name)))
			return exchange.reply.fields[i].value;
	return STR_NONE;
}

static void the_first_door_with_the_path_has_it(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/jwks")), OK);
	CHECK(exchange.door == &api && exchange.route == &api_routes[0]);
	CHECK_ERR(ask(STR("HEAD"), STR("/jwks")), OK);
	CHECK(exchange.route == &api_routes[0]);
	CHECK_ERR(ask(STR("GET"), STR("/agents/new/form")), OK);
	CHECK(exchange.door == &pages && exchange.route == &page_routes[2]);
}

static void parameters_are_decoded_after_the_match(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/agents/a%2Fb+c")), OK);
	CHECK_STR(exchange.request.params[0], STR("a/b+c"));
	set_type(STR("application/x-www-form-urlencoded"));
	CHECK_ERR(ask(STR("POST"), STR("/agents/1/scopes/mail.read")), OK);
	CHECK_STR(exchange.request.params[0], STR("1"));
	CHECK_STR(exchange.request.params[1], STR("mail.read"));
	CHECK_ERR(ask(STR("GET"), STR("/agents/%zz")), ERR_REQUEST);
	CHECK(exchange.door == &pages);
	CHECK_ERR(ask(STR("GET"), STR("/agents/%00")), ERR_REQUEST);
}

static void nearly_the_path_is_not_the_path(void **state)
{
	static const struct str wrong[] = {
		STR_INIT("/jwks/"),	STR_INIT("//jwks"),	 STR_INIT("/JWKS"),
		STR_INIT("/%6Awks"),	STR_INIT("/agents"),	 STR_INIT("/agents/"),
		STR_INIT("/agents/a/"), STR_INIT("/agents/a/b"), STR_INIT("/x/../jwks"),
		STR_INIT("/"),		STR_INIT("*"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK_ERR(ask(STR("GET"), wrong[i]), ERR_NOT_FOUND);
		CHECK(exchange.door == &pages && exchange.route == NULL);
	}
}

static void another_method_is_refused_with_allow(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/token")), ERR_METHOD);
	CHECK_STR(reply_value("Allow"), STR("POST, OPTIONS"));
	CHECK_ERR(ask(STR("PUT"), STR("/agents/1")), ERR_METHOD);
	CHECK_STR(reply_value("Allow"), STR("GET, HEAD, DELETE"));
	CHECK_ERR(ask(STR("OPTIONS"), STR("/register")), ERR_METHOD);
	CHECK_STR(reply_value("Allow"), STR("POST"));
}

static void another_type_of_body_is_refused_with_accept(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("POST"), STR("/token")), ERR_MEDIA_TYPE);
	CHECK_STR(reply_value("Accept"), STR("application/x-www-form-urlencoded"));
	set_type(STR("multipart/form-data; boundary=x"));
	CHECK_ERR(ask(STR("POST"), STR("/token")), ERR_MEDIA_TYPE);
	set_type(STR("application/x-www-form-urlencoded"));
	CHECK_ERR(ask(STR("POST"), STR("/register")), ERR_MEDIA_TYPE);
	CHECK_STR(reply_value("Accept"), STR("application/json"));
	set_type(STR("Application/JSON ; charset=utf-8"));
	CHECK_ERR(ask(STR("POST"), STR("/register")), OK);
}

static void two_types_are_none(void **state)
{
	(void)state;
	set_type(STR("application/json"));
	exchange.request.fields[exchange.request.field_count++] = exchange.request.fields[0];
	CHECK_ERR(ask(STR("POST"), STR("/register")), ERR_MEDIA_TYPE);
}

static void other_origins_may_use_only_what_says_so(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("OPTIONS"), STR("/token")), OK);
	exchange_run(&exchange);
	CHECK(exchange.reply.status == 204);
	CHECK_STR(reply_value("Access-Control-Allow-Origin"), STR("*"));
	CHECK_STR(reply_value("Access-Control-Allow-Methods"), STR("POST, OPTIONS"));
	CHECK_ERR(ask(STR("GET"), STR("/jwks")), OK);
	CHECK_STR(reply_value("Access-Control-Allow-Origin"), STR("*"));
	CHECK_ERR(ask(STR("GET"), STR("/agents/1")), OK);
	CHECK(reply_value("Access-Control-Allow-Origin").at == NULL);
}

static void the_door_finishes_every_answer(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/jwks")), OK);
	exchange_run(&exchange);
	CHECK(exchange.reply.status == 200);
	CHECK_STR(reply_value("X-Door"), STR("api"));
}

static void a_handler_without_an_answer_is_an_internal_error(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/empty")), OK);
	exchange_run(&exchange);
	CHECK(exchange.reply.status == 418);
	CHECK_STR(exchange.reply.body, STR("ERR_INTERNAL"));
	CHECK_STR(reply_value("X-Door"), STR("api"));
}

static void a_parked_handler_goes_on_with_its_then(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/park")), OK);
	CHECK_ERR(exchange_step(&exchange), ERR_PARKED);
	CHECK(exchange.reply.status == 0);
	exchange.task.result = OK;
	CHECK_ERR(exchange_step(&exchange), OK);
	CHECK(exchange.reply.status == 200);
}

static void a_step_that_failed_is_refused_by_the_door(void **state)
{
	(void)state;
	CHECK_ERR(ask(STR("GET"), STR("/park")), OK);
	CHECK_ERR(exchange_step(&exchange), ERR_PARKED);
	exchange.task.result = ERR_STORE;
	CHECK_ERR(exchange_step(&exchange), OK);
	CHECK_STR(exchange.reply.body, STR("ERR_STORE"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(
		TEST(the_first_door_with_the_path_has_it),
		TEST(parameters_are_decoded_after_the_match), TEST(nearly_the_path_is_not_the_path),
		TEST(another_method_is_refused_with_allow),
		TEST(another_type_of_body_is_refused_with_accept), TEST(two_types_are_none),
		TEST(other_origins_may_use_only_what_says_so), TEST(the_door_finishes_every_answer),
		TEST(a_handler_without_an_answer_is_an_internal_error),
		TEST(a_parked_handler_goes_on_with_its_then),
		TEST(a_step_that_failed_is_refused_by_the_door));
}

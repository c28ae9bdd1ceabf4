/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "asked.h"

#include "oauth/parameters.h"

static void check_parameters(const char *query, const char *body, enum err expected)
{
	struct asked *asked = asked_new(query, "");
	struct form form = { 0 };

	asked->exchange.request.body = str_from_c(body);
	CHECK_ERR(parameters_read(&asked->exchange, &form), expected);
	asked_free(asked);
}

static void a_secret_in_the_query_string_is_refused(void **state)
{
	static const char *const queries[] = {
		"code=x",	   "a=b&token=x", "client_secret=",	"refresh_token=x",
		"code_verifier=x", "%74oken=x",	  "client_assertion=x", "access_token=x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(queries); i++)
		check_parameters(queries[i], "grant_type=authorization_code", ERR_REQUEST);
}

static void other_query_parameters_are_ignored(void **state)
{
	(void)state;
	check_parameters("callback=jsonp&foo=1&foo=2", "token=x", OK);
	check_parameters("", "token=x", OK);
	check_parameters(NULL, "token=x", OK);
}

static void repeated_parameters_are_refused_but_for_resource(void **state)
{
	(void)state;
	check_parameters(NULL, "code=a&code=a", ERR_REQUEST);
	check_parameters(NULL, "foo=a&foo=b", ERR_REQUEST);
	check_parameters(NULL, "resource=a&resource=b", OK);
}

static void one_resource_is_taken_and_several_are_an_invalid_target(void **state)
{
	struct asked *one = asked_new(NULL, "resource=https%3A%2F%2Fa&resource=");
	struct asked *two = asked_new(NULL, "resource=a&resource=a");
	struct str resource = STR_NONE;

	(void)state;
	CHECK_ERR(parameters_resource(&one->exchange.task, &one->form, &resource), OK);
	CHECK_STR(resource, STR("https://a"));
	CHECK_ERR(parameters_resource(&two->exchange.task, &two->form, &resource), ERR_TARGET);
	asked_free(one);
	asked_free(two);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_secret_in_the_query_string_is_refused),
		   cmocka_unit_test(other_query_parameters_are_ignored),
		   cmocka_unit_test(repeated_parameters_are_refused_but_for_resource),
		   cmocka_unit_test(one_resource_is_taken_and_several_are_an_invalid_target));
}

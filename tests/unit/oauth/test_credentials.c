/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "asked.h"

#include "crypto/base64.h"
#include "oauth/credentials.h"

static struct str basic(struct asked *asked, const char *pair)
{
	struct arena *arena = &asked->exchange.task.arena;

	return STR_JOIN(arena, STR("Basic "), base64_encode(arena, str_from_c(pair)));
}

static enum err read(struct asked *asked, struct client_credentials *ret_credentials)
{
	return credentials_read(&asked->exchange.task, &asked->exchange.request, &asked->form,
				ret_credentials);
}

static void check_refused(const char *authorization, const char *body, enum err expected)
{
	struct client_credentials credentials = { .client_id = STR("untouched") };
	struct asked *asked = asked_new(NULL, body);

	if (authorization != NULL)
		asked_field(asked, "Authorization", str_from_c(authorization));
	CHECK_ERR(read(asked, &credentials), expected);
	CHECK_STR(credentials.client_id, STR("untouched"));
	asked_free(asked);
}

static void check_pair_refused(const char *pair, enum err expected)
{
	struct asked *asked = asked_new(NULL, "");
	const char *value = str_to_c(&asked->exchange.task.arena, basic(asked, pair));

	check_refused(value, "", expected);
	asked_free(asked);
}

static void a_bare_client_id_is_method_none(void **state)
{
	struct asked *asked = asked_new(NULL, "client_id=agent&grant_type=refresh_token");
	struct client_credentials credentials;

	(void)state;
	CHECK_ERR(read(asked, &credentials), OK);
	CHECK(credentials.method == CREDENTIAL_NONE);
	CHECK_STR(credentials.client_id, STR("agent"));
	CHECK(credentials.secret.at == NULL);
	CHECK_STR(credentials.source, STR("192.0.2.7"));
	asked_free(asked);
}

static void a_secret_in_the_body_is_method_post(void **state)
{
	struct asked *asked = asked_new(NULL, "client_id=agent&client_secret=s%2Bs+s");
	struct client_credentials credentials;

	(void)state;
	CHECK_ERR(read(asked, &credentials), OK);
	CHECK(credentials.method == CREDENTIAL_POST);
	CHECK_STR(credentials.secret, STR("s+s s"));
	asked_free(asked);
}

static void basic_is_form_decoded_on_both_sides_of_the_first_colon(void **state)
{
	struct asked *asked = asked_new(NULL, "");
	struct client_credentials credentials;

	(void)state;
	asked_field(asked, "authorization", basic(asked, "a%3Agent:s%2B1+2:3"));
	CHECK_ERR(read(asked, &credentials), OK);
	CHECK(credentials.method == CREDENTIAL_BASIC);
	CHECK_STR(credentials.client_id, STR("a:gent"));
	CHECK_STR(credentials.secret, STR("s+1 2:3"));
	CHECK_STR(credentials.raw_secret, STR("s%2B1+2:3"));
	asked_free(asked);
}

static void basic_with_an_empty_password_says_only_who_it_is(void **state)
{
	struct asked *asked = asked_new(NULL, "");
	struct client_credentials credentials;

	(void)state;
	asked_field(asked, "Authorization", basic(asked, "agent:"));
	CHECK_ERR(read(asked, &credentials), OK);
	CHECK(credentials.method == CREDENTIAL_NONE);
	CHECK_STR(credentials.client_id, STR("agent"));
	CHECK(credentials.secret.at == NULL && credentials.raw_secret.at == NULL);
	asked_free(asked);
	check_refused("Basic YTo=", "client_secret=b", ERR_REQUEST);
	check_refused("Basic YTo=", "client_id=c", ERR_REQUEST);
}

static void the_scheme_is_read_without_case(void **state)
{
	struct asked *asked = asked_new(NULL, "");
	struct client_credentials credentials;

	(void)state;
	asked_field(asked, "Authorization", STR("bASIC YTpi"));
	CHECK_ERR(read(asked, &credentials), OK);
	CHECK_STR(credentials.client_id, STR("a"));
	CHECK_STR(credentials.secret, STR("b"));
	asked_free(asked);
}

static void empty_body_parameters_beside_basic_are_absent_as_dovecot_sends_them(void **state)
{
	struct asked *asked = asked_new(NULL, "client_id=&client_secret=&token=x");
	struct client_credentials credentials;

	(void)state;
	asked_field(asked, "Authorization", basic(asked, "mail-rs:secret"));
	CHECK_ERR(read(asked, &credentials), OK);
	CHECK(credentials.method == CREDENTIAL_BASIC);
	CHECK_STR(credentials.client_id, STR("mail-rs"));
	asked_free(asked);
}

static void the_same_client_id_beside_basic_is_accepted(void **state)
{
	struct asked *asked = asked_new(NULL, "client_id=agent");
	struct client_credentials credentials;

	(void)state;
	asked_field(asked, "Authorization", basic(asked, "agent:secret"));
	CHECK_ERR(read(asked, &credentials), OK);
	asked_free(asked);
}

static void another_client_id_beside_basic_is_refused(void **state)
{
	(void)state;
	check_refused("Basic YTpi", "client_id=c", ERR_REQUEST);
}

static void two_methods_at_once_are_refused(void **state)
{
	(void)state;
	check_refused("Basic YTpi", "client_id=a&client_secret=b", ERR_REQUEST);
	check_refused("Basic YTpi", "client_assertion=x.y.z", ERR_REQUEST);
	check_refused(NULL, "client_id=a&client_secret=b&client_assertion=x", ERR_REQUEST);
}

static void assertions_are_refused_as_a_method_we_do_not_have(void **state)
{
	(void)state;
	check_refused(NULL, "client_id=a&client_assertion=x.y.z", ERR_CLIENT);
	check_refused(NULL, "client_id=a&client_assertion_type=jwt", ERR_CLIENT);
}

static void other_schemes_are_refused(void **state)
{
	(void)state;
	check_refused("Bearer abc", "client_id=a", ERR_CLIENT);
	check_refused("Digest YTpi", "client_id=a", ERR_CLIENT);
}

static void malformed_basic_is_refused(void **state)
{
	static const char *const values[] = {
		"",
		"Basic",
		"Basic ",
		"Basic %%%",
		"Basic YTpi=",
		"Basic YTp",
		"Basic Y Tpi",
		"Basic YTpi, Basic YTpi",
		"Basic YWI=", /* ab, no colon */
		"Basic OmI=", /* :b, no id */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		check_refused(values[i], "", ERR_REQUEST);
}

static void basic_that_does_not_decode_to_text_is_refused(void **state)
{
	static const char *const pairs[] = {
		"a:%zz", "a%:b", "a:%2", "a:%00", "a%00b:c", "a:\x01", "a:\xC0\xAF", "a:b c",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		check_pair_refused(pairs[i], ERR_REQUEST);
}

static void two_authorization_headers_are_refused(void **state)
{
	struct asked *asked = asked_new(NULL, "");
	struct client_credentials credentials;

	(void)state;
	asked_field(asked, "Authorization", STR("Basic YTpi"));
	asked_field(asked, "Authorization", STR("Basic YTpi"));
	CHECK_ERR(read(asked, &credentials), ERR_REQUEST);
	asked_free(asked);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_bare_client_id_is_method_none),
		   cmocka_unit_test(a_secret_in_the_body_is_method_post),
		   cmocka_unit_test(basic_is_form_decoded_on_both_sides_of_the_first_colon),
		   cmocka_unit_test(basic_with_an_empty_password_says_only_who_it_is),
		   cmocka_unit_test(the_scheme_is_read_without_case),
		   cmocka_unit_test(
			   empty_body_parameters_beside_basic_are_absent_as_dovecot_sends_them),
		   cmocka_unit_test(the_same_client_id_beside_basic_is_accepted),
		   cmocka_unit_test(another_client_id_beside_basic_is_refused),
		   cmocka_unit_test(two_methods_at_once_are_refused),
		   cmocka_unit_test(assertions_are_refused_as_a_method_we_do_not_have),
		   cmocka_unit_test(other_schemes_are_refused),
		   cmocka_unit_test(malformed_basic_is_refused),
		   cmocka_unit_test(basic_that_does_not_decode_to_text_is_refused),
		   cmocka_unit_test(two_authorization_headers_are_refused));
}

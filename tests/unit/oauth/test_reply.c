/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "oauth/reply.h"

static const char error_chars[] = "abcdefghijklmnopqrstuvwxyz_";

static void every_error_has_an_answer_with_a_status_and_a_word(void **state)
{
	(void)state;
	for (unsigned err = ERR_REQUEST; err <= ERR_LAST; err++) {
		const struct oauth_answer *answer = oauth_answer_of((enum err)err);

		CHECK(answer->status >= 400 && answer->status < 600);
		CHECK(str_only(str_from_c(answer->word), error_chars));
	}
}

static void the_words_are_those_of_the_rfcs(void **state)
{
	static const struct {
		enum err err;
		unsigned status;
		struct str word;
	} cases[] = {
		{ ERR_REQUEST, 400, STR_INIT("invalid_request") },
		{ ERR_CLIENT, 401, STR_INIT("invalid_client") },
		{ ERR_GRANT, 400, STR_INIT("invalid_grant") },
		{ ERR_SCOPE, 400, STR_INIT("invalid_scope") },
		{ ERR_TARGET, 400, STR_INIT("invalid_target") },
		{ ERR_CLIENT_NOT_ALLOWED, 400, STR_INIT("unauthorized_client") },
		{ ERR_GRANT_TYPE, 400, STR_INIT("unsupported_grant_type") },
		{ ERR_RESPONSE_TYPE, 400, STR_INIT("unsupported_response_type") },
		{ ERR_REQUEST_OBJECT, 400, STR_INIT("request_not_supported") },
		{ ERR_REQUEST_URI, 400, STR_INIT("request_uri_not_supported") },
		{ ERR_DETAILS, 400, STR_INIT("invalid_authorization_details") },
		{ ERR_PUSHED, 400, STR_INIT("invalid_request_uri") },
		{ ERR_DENIED, 400, STR_INIT("access_denied") },
		{ ERR_LOGIN_REQUIRED, 400, STR_INIT("login_required") },
		{ ERR_CONSENT_REQUIRED, 400, STR_INIT("consent_required") },
		{ ERR_TOKEN, 401, STR_INIT("invalid_token") },
		{ ERR_METADATA, 400, STR_INIT("invalid_client_metadata") },
		{ ERR_REDIRECT_URI, 400, STR_INIT("invalid_redirect_uri") },
		{ ERR_SOFTWARE_STATEMENT, 400, STR_INIT("invalid_software_statement") },
		{ ERR_TOKEN_TYPE, 400, STR_INIT("unsupported_token_type") },
		{ ERR_INSUFFICIENT_SCOPE, 403, STR_INIT("insufficient_scope") },
		{ ERR_DPOP, 400, STR_INIT("invalid_dpop_proof") },
		{ ERR_DPOP_NONCE, 400, STR_INIT("use_dpop_nonce") },
		{ ERR_PAUSED, 503, STR_INIT("temporarily_unavailable") },
		{ ERR_THROTTLED, 429, STR_INIT("temporarily_unavailable") },
		{ ERR_MEDIA_TYPE, 415, STR_INIT("invalid_request") },
		{ ERR_METHOD, 405, STR_INIT("invalid_request") },
		{ ERR_STORE, 503, STR_INIT("temporarily_unavailable") },
		{ ERR_INTERNAL, 500, STR_INIT("server_error") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct oauth_answer *answer = oauth_answer_of(cases[i].err);

		assert_int_equal(answer->status, cases[i].status);
		CHECK_STR(str_from_c(answer->word), cases[i].word);
	}
}

static void each_401_has_a_challenge_and_each_429_and_503_says_when_to_come_back(void **state)
{
	(void)state;
	for (unsigned err = ERR_REQUEST; err <= ERR_LAST; err++) {
		const struct oauth_answer *answer = oauth_answer_of((enum err)err);

		if (answer->status == 401)
			CHECK(answer->scheme != NULL);
		CHECK((answer->status == 503 || answer->status == 429) ==
		      (answer->retry_after > 0));
	}
}

static void no_error_or_a_number_out_of_range_is_our_own_mistake(void **state)
{
	(void)state;
	assert_int_equal(oauth_answer_of(OK)->status, 500);
	assert_int_equal(oauth_answer_of(ERR_PARKED)->status, 500);
	assert_int_equal(oauth_answer_of((enum err)(ERR_LAST + 1))->status, 500);
}

static void a_description_has_only_the_characters_that_rfc_6749_allows(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	CHECK_STR(oauth_description(&arena, STR("a \"b\" \\ c\r\nSet-Cookie: x\x7F \xC3\xA9")),
		  STR("a 'b' ' c??Set-Cookie: x? ??"));
	CHECK_STR(oauth_description(&arena, STR_NONE), STR(""));
	arena_free(&arena);
}

static void a_long_description_is_cut(void **state)
{
	struct arena arena = { 0 };
	char long_text[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(long_text); i++)
		long_text[i] = 'x';
	assert_int_equal(
		oauth_description(&arena, (struct str){ long_text, sizeof(long_text) }).len, 200);
	arena_free(&arena);
}

int main(void)
{
	return RUN(cmocka_unit_test(every_error_has_an_answer_with_a_status_and_a_word),
		   cmocka_unit_test(the_words_are_those_of_the_rfcs),
		   cmocka_unit_test(
			   each_401_has_a_challenge_and_each_429_and_503_says_when_to_come_back),
		   cmocka_unit_test(no_error_or_a_number_out_of_range_is_our_own_mistake),
		   cmocka_unit_test(a_description_has_only_the_characters_that_rfc_6749_allows),
		   cmocka_unit_test(a_long_description_is_cut));
}

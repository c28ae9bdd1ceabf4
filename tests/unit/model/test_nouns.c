/* SPDX-License-Identifier: Apache-2.0 */
/* The small rules of scope, user, client and grant. */
#include "one_task.h"

#include "base/buf.h"
#include "model/client.h"
#include "model/grant.h"
#include "model/scope.h"
#include "model/user.h"

static struct scope_set set_of(const char *text)
{
	struct scope_set set = { 0 };

	CHECK_ERR(scope_parse(&task, str_from_c(text), &set), OK);
	return set;
}

static void a_scope_is_a_set_of_names(void **state)
{
	struct scope_set set = set_of("mail.read mail.send mail.read");

	(void)state;
	CHECK(set.count == 2);
	CHECK(scope_has(set, STR("mail.send")) && !scope_has(set, STR("mail")));
	CHECK(scope_contains(set, set_of("mail.send")) && scope_contains(set, set_of("")));
	CHECK(!scope_contains(set, set_of("mail.send x")));
	CHECK_STR(scope_text(&task.arena, scope_intersect(&task.arena, set, set_of("a mail.send"))),
		  STR("mail.send"));
	CHECK_STR(scope_text(&task.arena, scope_union(&task.arena, set, set_of("a mail.send"))),
		  STR("mail.read mail.send a"));
}

static void a_malformed_scope_is_refused(void **state)
{
	static const char *const bad[] = { " a",   "a ",    "a  b",	"a\tb", "a\"b",
					   "a\\b", "a\x7f", "\xC3\xA4", "a\nb" };
	struct scope_set set;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ERR(scope_parse(&task, str_from_c(bad[i]), &set), ERR_SCOPE);
}

static void too_many_or_too_long_scopes_are_refused(void **state)
{
	struct buf buf = buf_in(&task.arena, 100000);
	struct scope_set set;
	struct str text;

	(void)state;
	for (int i = 0; i < SCOPES_MAX + 1; i++) {
		buf_add_c(&buf, i == 0 ? "s" : " s");
		buf_add_i64(&buf, i);
	}
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(scope_parse(&task, text, &set), ERR_SCOPE);
	buf = buf_in(&task.arena, 100000);
	for (int i = 0; i < SCOPE_NAME_MAX + 1; i++)
		buf_add_char(&buf, 'a');
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(scope_parse(&task, text, &set), ERR_SCOPE);
}

static void lg_002_every_spelling_of_a_name_is_one_account(void **state)
{
	static const char *const same[] = { "alice", "Alice", "ALICE", " alice ", "\talice" };
	static const char *const refused[] = {
		"",	   " ",	  "al ice", "alic\xC3\xA9", "\xEF\xBD\x81lice",
		"alice\n", "a/b", "a\"b",   "-all"
	};
	struct str name;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		CHECK_ERR(username_normalise(&task, str_from_c(same[i]), &name), OK);
		CHECK_STR(name, STR("alice"));
	}
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		CHECK_ERR(username_normalise(&task, str_from_c(refused[i]), &name), ERR_REQUEST);
}

static void an_address_without_form_is_no_address(void **state)
{
	static const char *const bad[] = { "",	   "a",	   "@b.c",    "a@",	 "a@b",
					   "a@b.", "a@.b", "a@b@c.d", "a b@c.d", "a@b.c\n" };

	(void)state;
	CHECK_ERR(email_check(&task, STR("alice@example.org")), OK);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ERR(email_check(&task, str_from_c(bad[i])), ERR_REQUEST);
}

static struct client good_client(void)
{
	static const struct str uris[] = { STR_INIT("http://127.0.0.1/callback") };

	return (struct client){
		.id = STR("mail-agent"),
		.name = STR("Mail agent"),
		.auth = CLIENT_AUTH_NONE,
		.redirect_uris = uris,
		.redirect_count = 1,
		.grant_types = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN,
	};
}

static enum err checked(const struct client *client)
{
	return client_check(&task, client, NULL, 0);
}

/* A name stands in sentences: it must not turn, hide or break them. */
static void a_clients_name_is_seen_as_it_is(void **state)
{
	static const char *const good[] = { "M\xC3\xA4hrz", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
					    "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB" };
	static const char *const bad[] = {
		"a\nb",		 "a\tb",	  "a\x7F",	   "a\xC2\x85",
		"a\xE2\x80\xAE", "a\xE2\x80\x8F", "a\xE2\x81\xA7", "a\xD8\x9C",
		"a\xE2\x80\x8B", "a\xE2\x80\xA8", "a\xEF\xBB\xBF",
	};
	struct client client = good_client();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		client.name = str_from_c(good[i]);
		CHECK_ERR(checked(&client), OK);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		client.name = str_from_c(bad[i]);
		CHECK_ERR(checked(&client), ERR_REQUEST);
	}
}

static void a_client_is_checked_before_it_is_kept(void **state)
{
	struct client client = good_client();

	(void)state;
	CHECK_ERR(checked(&client), OK);
	client.id = STR("-rf");
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client.id = STR("usr_abc");
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client.id = STR("https://agent.example/x");
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client.id = STR("");
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client = good_client();
	client.name = STR("");
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client = good_client();
	client.redirect_count = 0;
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client = good_client();
	client.grant_types |= GRANT_CLIENT_CREDENTIALS;
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client.auth = CLIENT_AUTH_POST;
	CHECK_ERR(checked(&client), OK);
	client.grant_types = GRANT_REFRESH_TOKEN;
	CHECK_ERR(checked(&client), ERR_REQUEST);
}

static void who_delegates_names_others_and_who_acts_has_a_secret(void **state)
{
	static const struct str ids[] = { STR_INIT("helper"), STR_INIT("agent") };
	static const struct str many[CLIENT_DELEGATES + 1] = { 0 };
	struct client client = good_client();

	(void)state;
	client.delegates_to = (struct scope_set){ ids, 1 };
	CHECK_ERR(checked(&client), OK);
	client.id = STR("helper");
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client.id = STR("other");
	client.delegates_to = (struct scope_set){ many, COUNT_OF(many) };
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client = good_client();
	client.grant_types = GRANT_TOKEN_EXCHANGE;
	CHECK_ERR(checked(&client), ERR_REQUEST);
	client.auth = CLIENT_AUTH_BASIC;
	CHECK_ERR(checked(&client), OK);
}

static void grant_types_have_names(void **state)
{
	unsigned types;

	(void)state;
	CHECK_ERR(grant_types_parse(&task, STR("refresh_token authorization_code"), &types), OK);
	CHECK_STR(grant_types_text(&task.arena, types), STR("authorization_code refresh_token"));
	CHECK_ERR(grant_types_parse(&task, STR("token-exchange"), &types), OK);
	CHECK_STR(grant_types_text(&task.arena, types), STR(TOKEN_EXCHANGE));
	CHECK_ERR(grant_types_parse(&task, STR(TOKEN_EXCHANGE), &types), OK);
	CHECK(types == GRANT_TOKEN_EXCHANGE);
	CHECK_ERR(grant_types_parse(&task, STR("password"), &types), ERR_REQUEST);
	CHECK_ERR(grant_types_parse(&task, STR(""), &types), ERR_REQUEST);
}

static void a_grant_is_over_when_its_time_is(void **state)
{
	struct grant grant = { .expires_at = CHECK_NOW };

	(void)state;
	CHECK(grant_status_at(&grant, CHECK_NOW - 1) == GRANT_ACTIVE);
	CHECK(grant_status_at(&grant, CHECK_NOW) == GRANT_EXPIRED);
	grant.paused_at = 1;
	CHECK(grant_status_at(&grant, CHECK_NOW - 1) == GRANT_PAUSED);
	CHECK(grant_status_at(&grant, CHECK_NOW) == GRANT_EXPIRED);
	grant.revoked_at = 1;
	CHECK(grant_status_at(&grant, CHECK_NOW - 1) == GRANT_REVOKED);
	grant = (struct grant){ .expires_at = NEVER };
	CHECK(grant_status_at(&grant, INT64_MAX - 1) == GRANT_ACTIVE);
}

static void a_permission_that_is_over_or_never_gives_nothing(void **state)
{
	static const struct permission permissions[] = {
		{ .scope = STR_INIT("a"), .mode = MODE_ALLOW, .expires_at = CHECK_NOW + 1 },
		{ .scope = STR_INIT("b"), .mode = MODE_ALLOW, .expires_at = CHECK_NOW },
		{ .scope = STR_INIT("c"), .mode = MODE_NEVER, .expires_at = NEVER },
		{ .scope = STR_INIT("d"), .mode = MODE_ASK, .expires_at = NEVER },
	};
	struct grant grant = { .permissions = permissions,
			       .permission_count = COUNT_OF(permissions) };

	(void)state;
	CHECK_STR(scope_text(&task.arena, grant_scopes_at(&task.arena, &grant, CHECK_NOW)),
		  STR("a d"));
}

static void durations_are_five_words(void **state)
{
	int64_t end_at;

	(void)state;
	CHECK_ERR(duration_end(&task, STR("1h"), CHECK_NOW, &end_at), OK);
	CHECK(end_at == CHECK_NOW + HOUR_MS);
	CHECK_ERR(duration_end(&task, STR("today"), CHECK_NOW, &end_at), OK);
	CHECK(end_at > CHECK_NOW && end_at <= CHECK_NOW + DAY_MS && end_at % DAY_MS == 0);
	CHECK_ERR(duration_end(&task, STR("until-revoked"), CHECK_NOW, &end_at), OK);
	CHECK(end_at == NEVER);
	CHECK_ERR(duration_end(&task, STR("forever"), CHECK_NOW, &end_at), ERR_REQUEST);
	CHECK_ERR(duration_end(&task, STR(""), CHECK_NOW, &end_at), ERR_REQUEST);
	CHECK_ERR(duration_end(&task, STR_NONE, CHECK_NOW, &end_at), ERR_REQUEST);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scope_is_a_set_of_names),
		cmocka_unit_test(a_malformed_scope_is_refused),
		cmocka_unit_test(too_many_or_too_long_scopes_are_refused),
		cmocka_unit_test(lg_002_every_spelling_of_a_name_is_one_account),
		cmocka_unit_test(an_address_without_form_is_no_address),
		cmocka_unit_test(a_clients_name_is_seen_as_it_is),
		cmocka_unit_test(a_client_is_checked_before_it_is_kept),
		cmocka_unit_test(who_delegates_names_others_and_who_acts_has_a_secret),
		cmocka_unit_test(grant_types_have_names),
		cmocka_unit_test(a_grant_is_over_when_its_time_is),
		cmocka_unit_test(a_permission_that_is_over_or_never_gives_nothing),
		cmocka_unit_test(durations_are_five_words),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}

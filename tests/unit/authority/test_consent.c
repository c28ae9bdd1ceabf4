/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests a person is asked, and what an answer does. */
#include "at_office.h"

#include <string.h>

#include "authority/clients.h"
#include "authority/events.h"
#include "authority/people.h"
#include "model/redirect.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/grants.h"

static struct authorize_refusal refusal;

static enum err ask(const struct authorize_params *params, struct auth_request *ret_request)
{
	return office_ask(&office, params, ret_request, &refusal);
}

static enum err ask_changed(size_t offset, struct str value)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");
	struct auth_request request;

	*(struct str *)((char *)&params + offset) = value;
	return ask(&params, &request);
}

#define CHANGED(member, value) ask_changed(offsetof(struct authorize_params, member), (value))

static void a_request_without_a_proven_client_is_never_redirected(void **state)
{
	(void)state;
	CHECK_ERR(CHANGED(client_id, STR_NONE), ERR_REQUEST);
	CHECK(!refusal.may_redirect);
	CHECK_ERR(CHANGED(client_id, STR("nobody")), ERR_CLIENT);
	CHECK(!refusal.may_redirect);
	CHECK_ERR(CHANGED(redirect_uri, STR_NONE), ERR_REQUEST);
	CHECK(!refusal.may_redirect);
	CHECK_ERR(CHANGED(redirect_uri, STR("https://evil.example/cb")), ERR_REQUEST);
	CHECK(!refusal.may_redirect);
	CHECK_ERR(CHANGED(state, STR("a\r\nb")), ERR_REQUEST);
	CHECK(!refusal.may_redirect);
	CHECK_ERR(client_disable(world_task(&office.world), &office.authority, STR("agent")), OK);
	CHECK_ERR(CHANGED(scope, STR("mail.read")), ERR_CLIENT);
	CHECK(!refusal.may_redirect);
}

static void each_thing_wrong_with_a_request_has_its_own_word(void **state)
{
	(void)state;
	CHECK_ERR(CHANGED(response_type, STR_NONE), ERR_REQUEST);
	CHECK_ERR(CHANGED(response_type, STR("token")), ERR_RESPONSE_TYPE);
	CHECK_ERR(CHANGED(response_type, STR("code id_token")), ERR_RESPONSE_TYPE);
	CHECK_ERR(CHANGED(response_mode, STR("fragment")), ERR_REQUEST);
	CHECK_ERR(CHANGED(request, STR("x")), ERR_REQUEST_OBJECT);
	CHECK_ERR(CHANGED(request_uri, STR("http://169.254.169.254/")), ERR_REQUEST_URI);
	CHECK_ERR(CHANGED(code_challenge, STR_NONE), ERR_REQUEST);
	CHECK_ERR(CHANGED(code_challenge, STR("abc")), ERR_REQUEST);
	CHECK_ERR(CHANGED(code_challenge_method, STR_NONE), ERR_REQUEST);
	CHECK_ERR(CHANGED(code_challenge_method, STR("plain")), ERR_REQUEST);
	CHECK_ERR(CHANGED(resource, STR("https://grantd.test/r/nothing")), ERR_TARGET);
	CHECK_ERR(CHANGED(resource, STR("mail")), ERR_TARGET);
	CHECK_ERR(CHANGED(resource, STR(OFFICE_RESOURCE "#x")), ERR_TARGET);
	CHECK_ERR(CHANGED(resource, STR_NONE), ERR_TARGET);
	CHECK_ERR(CHANGED(scope, STR("mail.delete")), ERR_SCOPE);
	CHECK_ERR(CHANGED(scope, STR("a  b")), ERR_SCOPE);
	CHECK_ERR(CHANGED(acr_values, STR("phr")), ERR_UNMET_AUTHENTICATION);
	CHECK_ERR(CHANGED(max_age, STR("-1")), ERR_REQUEST);
	CHECK_ERR(CHANGED(prompt, STR("login none")), ERR_REQUEST);
	CHECK_ERR(CHANGED(prompt, STR("none")), ERR_LOGIN_REQUIRED);
	CHECK(refusal.may_redirect);
	CHECK_STR(refusal.state, STR("xyz"));
}

static void what_is_left_out_has_a_default(void **state)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");
	struct auth_request request;

	(void)state;
	params.scope = STR_NONE;
	CHECK_ERR(ask(&params, &request), OK);
	CHECK_STR(scope_text(&office.world.home.task.arena, request.scope), STR("mail.read"));
	params.scope = STR("openid offline_access");
	params.resource = STR_NONE;
	params.resource_count = 0;
	CHECK_ERR(ask(&params, &request), OK);
	CHECK_STR(request.resource, STR("https://grantd.test"));
	CHECK_STR(scope_text(&office.world.home.task.arena, request.scope), STR("openid"));
	params.client_id = STR("service");
	params.scope = STR("mail.read");
	CHECK_ERR(ask(&params, &request), OK);
	CHECK_STR(request.resource, STR(OFFICE_RESOURCE));
}

static const struct str words[] = { STR_INIT("{}"), STR_INIT("{}"), STR_INIT("{}") };

static struct consent_answer yes_to(struct scope_set scope)
{
	return (struct consent_answer){ .allow = true,
					.scope = scope,
					.duration = STR("7d"),
					.language = STR("en"),
					.version = STR("1"),
					.sentences = STR("[\"It can read your mail\"]"),
					.address = STR("127.0.0.1"),
					.user_agent = STR("test"),
					.words = words };
}

static struct session session_of_alice(void)
{
	return (struct session){ .user_id = office.alice.id, .created_at = office.world.clock.now };
}

static struct auth_request asked(void)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read mail.send");
	struct auth_request request;

	CHECK_ERR(ask(&params, &request), OK);
	return request;
}

static enum err show(struct str id, const char *browser, struct consent_view *ret_view)
{
	struct session session = session_of_alice();

	return office_show(&office,
			   &(struct consent_asked){ id, str_from_c(browser), STR("127.0.0.1"),
						    &session, &office.alice },
			   ret_view);
}

static enum err answer(struct str id, const struct consent_answer *wish, struct str *ret_location)
{
	struct session session = session_of_alice();

	return office_decide(&office,
			     &(struct consent_asked){ id, STR(OFFICE_BROWSER), STR("127.0.0.1"),
						      &session, &office.alice },
			     wish, ret_location);
}

static size_t grants_of_alice(void)
{
	struct grant *grants = NULL;
	size_t count = 0;

	CHECK_ERR(grant_list(world_task(&office.world), world_reader(&office.world),
			     &(struct grant_page){ office.alice.id, STR_NONE, 100 }, &grants,
			     &count),
		  OK);
	return count;
}

static void an_answer_carries_state_and_issuer_back(void **state)
{
	struct auth_request request = asked();
	struct consent_answer no = { .duration = STR("7d"), .sentences = STR("[]") };
	struct consent_view view;
	struct str location;

	(void)state;
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 1000);
	CHECK_ERR(answer(request.id, &no, &location), OK);
	CHECK_STR(location, STR(OFFICE_REDIRECT "?error=access_denied&error_description="
						"the%20person%20said%20no&state=xyz"
						"&iss=https%3A%2F%2Fgrantd.test"));
	CHECK(grants_of_alice() == 0);
	CHECK(office_events(&office, "grant.denied") == 1);
}

static void the_longest_state_fits_behind_the_longest_redirect_uri(void **state)
{
	static char redirect[REDIRECT_URI_MAX], oauth_state[STATE_MAX];
	struct str uri = { redirect, sizeof(redirect) }, location;
	struct authorize_answer answer = { .redirect_uri = uri,
					   .state = { oauth_state, sizeof(oauth_state) },
					   .code = STR("gac_code") };

	(void)state;
	memset(redirect, 'a', sizeof(redirect));
	memcpy(redirect, "https://a.example/", sizeof("https://a.example/") - 1);
	for (size_t i = 0; i < sizeof(oauth_state); i += 2)
		memcpy(oauth_state + i, "\xC3\xBC", 2);
	CHECK_ERR(authorize_redirect(world_task(&office.world), &office.authority, &answer,
				     &location),
		  OK);
	CHECK(str_starts_with(location, uri));
}

static void cs_009_a_request_is_answered_in_the_browser_that_began_it(void **state)
{
	struct auth_request request = asked();
	struct consent_view view;

	(void)state;
	CHECK_ERR(show(request.id, "another-browser", &view), ERR_FORBIDDEN);
	CHECK_ERR(show(request.id, "", &view), ERR_FORBIDDEN);
	CHECK_ERR(show(STR("req_aaaaaaaaaaaaaaaaaaaaaaaaaa"), OFFICE_BROWSER, &view),
		  ERR_NOT_FOUND);
	CHECK_ERR(show(STR("../../etc/passwd"), OFFICE_BROWSER, &view), ERR_NOT_FOUND);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
}

static void cs_019_nobody_reads_in_less_than_700_ms(void **state)
{
	struct auth_request request = asked();
	struct consent_answer yes = yes_to(request.scope);
	struct consent_view view;
	struct str location;

	(void)state;
	CHECK_ERR(answer(request.id, &yes, &location), ERR_REQUEST);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 699);
	CHECK_ERR(answer(request.id, &yes, &location), ERR_REQUEST);
	CHECK(grants_of_alice() == 0);
	office_wait(&office, 1);
	CHECK_ERR(answer(request.id, &yes, &location), OK);
	CHECK(grants_of_alice() == 1);
}

static void only_what_was_asked_can_be_ticked(void **state)
{
	static const struct str names[] = { STR_INIT("mail.read"), STR_INIT("mail.report") };
	struct auth_request request = asked();
	struct consent_answer yes = yes_to((struct scope_set){ names, 2 });
	struct consent_view view;
	struct str location;

	(void)state;
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 1000);
	CHECK_ERR(answer(request.id, &yes, &location), ERR_REQUEST);
	yes.scope.count = 0;
	CHECK_ERR(answer(request.id, &yes, &location), ERR_REQUEST);
	yes.scope.count = 1;
	yes.duration = STR("forever");
	CHECK_ERR(answer(request.id, &yes, &location), ERR_REQUEST);
	CHECK(grants_of_alice() == 0);
	yes.duration = STR("1h");
	CHECK_ERR(answer(request.id, &yes, &location), OK);
	CHECK(office_grant(&office, "agent").permission_count == 1);
}

static void cs_003_a_double_click_gets_the_same_redirect_and_a_change_of_mind_does_not(void **state)
{
	struct auth_request request = asked();
	struct consent_answer yes = yes_to(request.scope), no = { .sentences = STR("[]") };
	struct consent_view view;
	struct str first, again;

	(void)state;
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 1000);
	CHECK_ERR(answer(request.id, &yes, &first), OK);
	CHECK_ERR(answer(request.id, &yes, &again), OK);
	CHECK_STR(again, first);
	CHECK_ERR(answer(request.id, &no, &again), ERR_CONFLICT);
	yes.duration = STR("30d");
	CHECK_ERR(answer(request.id, &yes, &again), ERR_CONFLICT);
	yes.duration = STR("7d");
	office_wait(&office, 61000);
	CHECK_ERR(answer(request.id, &yes, &again), ERR_CONFLICT);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), ERR_CONFLICT);
	CHECK(office_events(&office, "grant.allowed") == 1);
}

static void ru_028_a_client_that_changed_meanwhile_gets_no_code(void **state)
{
	struct auth_request request = asked();
	struct consent_answer yes = yes_to(request.scope);
	struct consent_view view;
	struct str location;

	(void)state;
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 1000);
	CHECK_ERR(client_disable(world_task(&office.world), &office.authority, STR("agent")), OK);
	CHECK_ERR(answer(request.id, &yes, &location), ERR_NOT_FOUND);
	CHECK(grants_of_alice() == 0);
}

static void cs_018_a_person_disabled_in_another_tab_gives_no_code(void **state)
{
	struct auth_request request = asked();
	struct consent_answer yes = yes_to(request.scope);
	struct consent_view view;
	struct str location;

	(void)state;
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 1000);
	CHECK_ERR(user_disable(world_task(&office.world), &office.authority, STR("alice")), OK);
	CHECK_ERR(answer(request.id, &yes, &location), OK);
	CHECK(memmem(location.at, location.len, "error=access_denied", 19) != NULL);
	CHECK(memmem(location.at, location.len, "code=", 5) == NULL);
	CHECK(grants_of_alice() == 0);
}

static void cs_010_another_person_does_not_answer_what_alice_was_shown(void **state)
{
	struct new_user wish = { .username = STR("bob"), .password = STR("long enough") };
	struct auth_request request = asked();
	struct session session = session_of_alice();
	struct consent_view view;
	struct user bob;

	(void)state;
	CHECK_ERR(user_create(world_task(&office.world), &office.authority, &wish, &bob), OK);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	session.user_id = bob.id;
	CHECK_ERR(consent_reopen(world_task(&office.world), &office.authority,
				 &(struct consent_asked){ request.id, STR(OFFICE_BROWSER),
							  STR("127.0.0.1"), &session, &bob },
				 &view),
		  ERR_FORBIDDEN);
}

static void prompt_login_and_max_age_ask_for_a_new_sign_in(void **state)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");
	struct auth_request request;
	struct session old = session_of_alice();
	struct consent_view view;

	(void)state;
	office_wait(&office, 60000);
	params.prompt = STR("login");
	CHECK_ERR(ask(&params, &request), OK);
	CHECK_ERR(consent_show(world_task(&office.world), &office.authority,
			       &(struct consent_asked){ request.id, STR(OFFICE_BROWSER),
							STR("127.0.0.1"), &old, &office.alice },
			       &view),
		  ERR_LOGIN_REQUIRED);
	params.prompt = STR_NONE;
	params.max_age = STR("59");
	CHECK_ERR(ask(&params, &request), OK);
	CHECK_ERR(consent_show(world_task(&office.world), &office.authority,
			       &(struct consent_asked){ request.id, STR(OFFICE_BROWSER),
							STR("127.0.0.1"), &old, &office.alice },
			       &view),
		  ERR_LOGIN_REQUIRED);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
}

/* Once a sign-in after the question began counted for the question's whole hour. */
static void a_sign_in_for_a_question_is_new_for_as_long_as_it_takes_to_read_it(void **state)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");
	struct session session = session_of_alice();
	struct auth_request request;
	struct consent_asked asked;
	struct consent_view view;

	(void)state;
	params.max_age = STR("60");
	CHECK_ERR(ask(&params, &request), OK);
	asked = (struct consent_asked){ request.id, STR(OFFICE_BROWSER), STR("127.0.0.1"), &session,
					&office.alice };
	session.created_at = office.world.clock.now;
	office_wait(&office, 5 * MINUTE_MS);
	CHECK_ERR(office_show(&office, &asked, &view), OK);
	office_wait(&office, 1);
	CHECK_ERR(consent_reopen(world_task(&office.world), &office.authority, &asked, &view),
		  ERR_LOGIN_REQUIRED);
	session.created_at = office.world.clock.now;
	CHECK_ERR(consent_reopen(world_task(&office.world), &office.authority, &asked, &view), OK);
}

static void an_hour_later_a_request_is_over(void **state)
{
	struct auth_request request = asked();
	struct consent_view view;

	(void)state;
	office_wait(&office, HOUR_MS - 1);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), OK);
	office_wait(&office, 1);
	CHECK_ERR(show(request.id, OFFICE_BROWSER, &view), ERR_NOT_FOUND);
}

static void a_consent_keeps_exactly_the_sentences_that_were_shown(void **state)
{
	struct event_filter filter = { 0 };
	struct event *events = NULL;
	size_t count = 0;
	struct str personal;
	struct task *task;

	(void)state;
	office_code(&office, "agent", "mail.read", "1h");
	task = world_task(&office.world);
	CHECK_ERR(event_list(task, world_reader(&office.world), &filter, 1, &events, &count), OK);
	CHECK_STR(events[0].kind, STR("grant.allowed"));
	CHECK(memmem(events[0].sealed.at, events[0].sealed.len, "Read your mail", 14) == NULL);
	CHECK_ERR(event_unseal(task, &office.authority, &office.alice, &events[0], &personal), OK);
	CHECK(memmem(personal.at, personal.len, "[\"Read your mail\"]", 18) != NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_request_without_a_proven_client_is_never_redirected),
		TEST(each_thing_wrong_with_a_request_has_its_own_word),
		TEST(what_is_left_out_has_a_default),
		TEST(an_answer_carries_state_and_issuer_back),
		TEST(the_longest_state_fits_behind_the_longest_redirect_uri),
		TEST(cs_009_a_request_is_answered_in_the_browser_that_began_it),
		TEST(cs_019_nobody_reads_in_less_than_700_ms),
		TEST(only_what_was_asked_can_be_ticked),
		TEST(cs_003_a_double_click_gets_the_same_redirect_and_a_change_of_mind_does_not),
		TEST(ru_028_a_client_that_changed_meanwhile_gets_no_code),
		TEST(cs_018_a_person_disabled_in_another_tab_gives_no_code),
		TEST(cs_010_another_person_does_not_answer_what_alice_was_shown),
		TEST(prompt_login_and_max_age_ask_for_a_new_sign_in),
		TEST(a_sign_in_for_a_question_is_new_for_as_long_as_it_takes_to_read_it),
		TEST(an_hour_later_a_request_is_over),
		TEST(a_consent_keeps_exactly_the_sentences_that_were_shown),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

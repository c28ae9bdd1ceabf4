/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "authority/events.h"
#include "base/json.h"
#include "desk.h"
#include "store/events.h"

#define ALLOW_READ "decision=allow&duration=1h&scope=mail.read"

static void every_page_has_the_headers_that_protect_it(void **state)
{
	static const char *const targets[] = { "/",
					       "/login",
					       "/account",
					       "/account/activity",
					       "/errors",
					       "/account/security",
					       "/nowhere",
					       "/logout",
					       "/consent?request=req_x" };
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		desk_get(&desk, str_from_c(targets[i]));
		CHECK_STR(desk_field(&desk, "Content-Security-Policy"),
			  STR("default-src 'none'; style-src 'self'; script-src 'self'; img-src "
			      "'self'; connect-src 'self'; form-action 'self'; frame-ancestors "
			      "'none'; base-uri 'none'"));
		CHECK_STR(desk_field(&desk, "X-Frame-Options"), STR("DENY"));
		CHECK_STR(desk_field(&desk, "X-Content-Type-Options"), STR("nosniff"));
		CHECK_STR(desk_field(&desk, "Cache-Control"), STR("no-store"));
		CHECK_STR(desk_field(&desk, "Referrer-Policy"), STR("same-origin"));
		CHECK(desk_field(&desk, "Strict-Transport-Security").len > 0);
		CHECK(desk_field(&desk, "Cross-Origin-Opener-Policy").at == NULL);
	}
	desk_close(&desk);
}

static void the_consent_page_names_where_its_form_leads(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	assert_int_equal(desk_get(&desk, desk_question(&desk, "mail.read")), 200);
	CHECK_STR(desk_field(&desk, "Content-Security-Policy"),
		  STR("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
		      "connect-src 'self'; form-action 'self' http://127.0.0.1:5000; "
		      "frame-ancestors 'none'; base-uri 'none'"));
	desk_close(&desk);
}

static void what_is_dangerous_starts_unticked(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	assert_int_equal(desk_get(&desk, desk_question(&desk, "mail.read mail.send")), 200);
	CHECK(desk_says(&desk, "value=\"mail.read\" checked"));
	CHECK(desk_says(&desk, "value=\"mail.send\" >"));
	CHECK(desk_says(&desk, "It cannot, as Mail promises"));
	CHECK(desk_says(&desk, "a program on this computer (127.0.0.1:5000)"));
	CHECK(desk_says(&desk, "Any program on this computer can say that it is Mail agent."));
	desk_close(&desk);
}

static void without_a_session_one_signs_in_and_comes_back(void **state)
{
	struct desk desk;
	struct str question;

	(void)state;
	desk_open(&desk);
	question = desk_question(&desk, "mail.read");
	assert_int_equal(desk_get(&desk, question), 303);
	CHECK(str_starts_with(desk_field(&desk, "Location"),
			      STR("/login?next=%2Fconsent%3Frequest%3Dreq_")));
	assert_int_equal(
		desk_get(&desk, str_copy(desk_arena(&desk), desk_field(&desk, "Location"))), 200);
	CHECK(desk_says(&desk, "You are signing in to answer Mail agent."));
	CHECK_STR(desk_value(&desk, "next"), question);
	desk_close(&desk);
}

static void nobody_is_sent_elsewhere_after_signing_in(void **state)
{
	static const char *const wrong[] = {
		"https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example",
		"%2Fauthorize%3Fclient_id%3Dx",	 "javascript%3Aalert", "%2Faccountant",
	};
	struct desk desk;

	(void)state;
	desk_open(&desk);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct str target = STR_JOIN(desk_arena(&desk), STR("/login?next="),
					     str_from_c(wrong[i]));

		assert_int_equal(desk_get(&desk, target), 200);
		CHECK_STR(desk_value(&desk, "next"), STR(""));
	}
	desk_close(&desk);
}

static void a_new_session_ends_the_old_one(void **state)
{
	struct desk desk;
	char old[256];

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	memcpy(old, desk.session, sizeof(old));
	desk_sign_in(&desk);
	CHECK(strcmp(old, desk.session) != 0);
	assert_int_equal(desk_get(&desk, STR("/account")), 200);
	memcpy(desk.session, old, sizeof(old));
	assert_int_equal(desk_get(&desk, STR("/account")), 303);
	desk_close(&desk);
}

static void a_wrong_password_says_the_same_as_an_unknown_name(void **state)
{
	struct desk desk;
	struct str csrf, wrong, unknown;
	struct arena *arena;

	(void)state;
	desk_open(&desk);
	arena = desk_arena(&desk);
	desk_get(&desk, STR("/login"));
	csrf = str_copy(arena, desk_value(&desk, "csrf"));
	wrong = STR_JOIN(arena, STR("username=alice&password=wrong+password&csrf="), csrf);
	unknown = STR_JOIN(arena, STR("username=ghost&password=wrong+password&csrf="), csrf);
	assert_int_equal(desk_ask(&desk, "POST", STR("/login"), wrong), 403);
	CHECK(desk_says(&desk, "User name and password do not belong together."));
	assert_int_equal(desk_ask(&desk, "POST", STR("/login"), unknown), 403);
	CHECK(desk_says(&desk, "User name and password do not belong together."));
	CHECK(desk.session[0] == '\0');
	assert_int_equal(desk_ask(&desk, "POST", STR("/login"),
				  STR_JOIN(arena, STR("username=alice&password=&csrf="), csrf)),
			 400);
	desk_close(&desk);
}

static enum err write_nothing(struct task *task, struct db *db, void *arg)
{
	(void)task;
	(void)db;
	(void)arg;
	return OK;
}

static void a_form_without_its_token_is_refused(void **state)
{
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	assert_int_equal(desk_ask(&desk, "POST", STR("/login"),
				  STR("username=alice&password=correct+horse+battery+staple")),
			 403);
	CHECK(desk.session[0] == '\0');
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read");
	desk_get(&desk, target);
	office_wait(&desk.office, 1000);
	assert_int_equal(desk_ask(&desk, "POST", target, STR(ALLOW_READ)), 403);
	CHECK(office_events(&desk.office, "grant.allowed") == 0);
	/* recorded without waiting: a write behind it in the queue ends later */
	CHECK_ERR(world_write(&desk.office.world, write_nothing, NULL), OK);
	CHECK(office_events(&desk.office, "form.refused") == 1);
	desk_close(&desk);
}

static void a_token_is_good_for_its_own_form_only(void **state)
{
	struct desk desk;
	struct str first, second;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	first = desk_question(&desk, "mail.read");
	second = desk_question(&desk, "mail.read");
	desk_get(&desk, second);
	desk_get(&desk, first);
	office_wait(&desk.office, 1000);
	assert_int_equal(desk_answer(&desk, second, ALLOW_READ), 403);
	CHECK(office_events(&desk.office, "grant.allowed") == 0);
	desk_close(&desk);
}

static void a_form_from_elsewhere_is_refused(void **state)
{
	static const char *const origins[] = { "https://evil.example", "null",
					       "https://grantd.test:444", "http://grantd.test" };
	static const char *const sites[] = { "cross-site", "same-site" };
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read");
	for (size_t i = 0; i < COUNT_OF(origins); i++) {
		desk_get(&desk, target);
		office_wait(&desk.office, 1000);
		desk.origin = str_from_c(origins[i]);
		assert_int_equal(desk_answer(&desk, target, ALLOW_READ), 403);
	}
	desk.origin = STR_NONE;
	for (size_t i = 0; i < COUNT_OF(sites); i++) {
		desk_get(&desk, target);
		office_wait(&desk.office, 1000);
		desk.site = str_from_c(sites[i]);
		assert_int_equal(desk_answer(&desk, target, ALLOW_READ), 403);
	}
	CHECK(office_events(&desk.office, "grant.allowed") == 0);
	desk_close(&desk);
}

static void an_answer_goes_back_to_the_agent_and_again_to_the_same_place(void **state)
{
	struct desk desk;
	struct str target, location, csrf, shown;
	struct arena *arena;

	(void)state;
	desk_open(&desk);
	arena = desk_arena(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read mail.send");
	desk_get(&desk, target);
	csrf = str_copy(arena, desk_value(&desk, "csrf"));
	shown = str_copy(arena, desk_value(&desk, "shown"));
	office_wait(&desk.office, 1000);
	assert_int_equal(desk_answer(&desk, target, ALLOW_READ), 303);
	location = str_copy(arena, desk_field(&desk, "Location"));
	CHECK(str_starts_with(location, STR("http://127.0.0.1:5000/callback?code=gac_")));
	CHECK(office_grant(&desk.office, "agent").permission_count == 1);
	assert_int_equal(desk_ask(&desk, "POST", target,
				  STR_JOIN(arena, STR("csrf="), csrf, STR("&shown="), shown,
					   STR("&language=en&" ALLOW_READ))),
			 303);
	CHECK_STR(desk_field(&desk, "Location"), location);
	CHECK(office_events(&desk.office, "grant.allowed") == 1);
	assert_int_equal(desk_ask(&desk, "POST", target,
				  STR_JOIN(arena, STR("csrf="), csrf, STR("&shown="), shown,
					   STR("&language=en&decision=deny"))),
			 409);
	CHECK(desk_says(&desk, "This question was answered"));
	desk_close(&desk);
}

static void a_no_gives_nothing(void **state)
{
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read");
	desk_get(&desk, target);
	office_wait(&desk.office, 1000);
	assert_int_equal(desk_answer(&desk, target, "decision=deny"), 303);
	CHECK(str_starts_with(desk_field(&desk, "Location"),
			      STR("http://127.0.0.1:5000/callback?error=access_denied")));
	CHECK(office_events(&desk.office, "grant.allowed") == 0);
	desk_close(&desk);
}

static void what_cannot_be_an_answer_is_asked_again(void **state)
{
	static const char *const answers[] = {
		"decision=allow&duration=1h",
		"decision=allow&scope=mail.read",
		"decision=allow&duration=1y&scope=mail.read",
		"decision=allow&duration=1h&scope=mail.read&scope=mail.send",
		"decision=maybe&duration=1h&scope=mail.read",
		"duration=1h&scope=mail.read",
		"decision=allow&duration=1h&scope=%22%5C",
	};
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read");
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		desk_get(&desk, target);
		office_wait(&desk.office, 1000);
		assert_int_equal(desk_answer(&desk, target, answers[i]), 400);
		CHECK(desk_says(&desk, "role=\"alert\""));
	}
	desk_get(&desk, target);
	assert_int_equal(desk_answer(&desk, target, ALLOW_READ), 400); /* within 700 ms */
	CHECK(office_events(&desk.office, "grant.allowed") == 0);
	desk_close(&desk);
}

static void another_browser_gets_no_answer(void **state)
{
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	target = desk_question(&desk, "mail.read");
	desk.browser[0] = 'B';
	desk_sign_in(&desk);
	assert_int_equal(desk_get(&desk, target), 403);
	CHECK(desk_says(&desk, "This question is not yours to answer"));
	assert_int_equal(desk_get(&desk, STR("/consent?request=req_aaaaaaaaaaaaaaaaaaaaaaaaaa")),
			 404);
	assert_int_equal(desk_get(&desk, STR("/consent")), 404);
	desk_close(&desk);
}

static const json_t *read_kept(struct desk *desk, json_t **ret_kept)
{
	struct grant grant = office_grant(&desk->office, "agent");
	struct task *task = world_task(&desk->office.world);
	struct str personal;
	struct event event;

	CHECK_ERR(event_find(task, world_reader(&desk->office.world),
			     grant.permissions[0].consent_event, &event),
		  OK);
	CHECK_ERR(
		event_unseal(task, &desk->office.authority, &desk->office.alice, &event, &personal),
		OK);
	CHECK_ERR(json_parse(task, personal, 65536, ret_kept), OK);
	return json_object_get(*ret_kept, "sentences");
}

static struct str strip_tags(struct arena *arena, struct str html)
{
	struct buf buf = buf_in(arena, html.len + 1);
	struct str text;
	bool in_tag = false;

	for (size_t i = 0; i < html.len; i++) {
		if (html.at[i] == '<')
			in_tag = true;
		else if (html.at[i] == '>')
			in_tag = false;
		else if (!in_tag && html.at[i] != '\n')
			buf_add_char(&buf, html.at[i]);
	}
	CHECK_ERR(buf_finish(&buf, &text), OK);
	return text;
}

/* The question between the hidden fields and the end of the form, tags aside. */
static struct str question_text(struct desk *desk)
{
	struct str body = desk_body(desk);
	const char *begin = memmem(body.at, body.len, "<p class=\"you\">", 15);
	const char *end = memmem(body.at, body.len, "</form>", 7);

	assert_non_null(begin);
	assert_non_null(end);
	return strip_tags(desk_arena(desk), (struct str){ begin, (size_t)(end - begin) });
}

static void what_is_kept_is_what_was_shown(void **state)
{
	CLEANUP(json_unref) json_t *kept = NULL;
	struct str target, shown, joined = STR("");
	const json_t *sentences;
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk.language = STR("de");
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read mail.send");
	desk_get(&desk, target);
	shown = question_text(&desk);
	office_wait(&desk.office, 1000);
	desk.language = STR("en"); /* the answer is kept in the language of the page */
	assert_int_equal(desk_answer(&desk, target, ALLOW_READ), 303);
	sentences = read_kept(&desk, &kept);
	CHECK(json_array_size(sentences) > 10);
	for (size_t i = 0; i < json_array_size(sentences); i++)
		joined = STR_JOIN(desk_arena(&desk), joined,
				  str_from_c(json_string_value(json_array_get(sentences, i))),
				  STR("|"));
	/* the monogram and the space before a link are the page's only other characters */
	for (struct str rest = joined, part; str_next(&rest, '|', &part);)
		if (part.len > 0)
			CHECK(memmem(shown.at, shown.len, part.at, part.len) != NULL);
	CHECK(memmem(joined.at, joined.len, "Sie sind angemeldet als alice.", 30) != NULL);
	desk_close(&desk);
}

static void the_question_has_no_sentence_of_its_own(void **state)
{
	static char text[65536];
	FILE *file = fopen(GRANTD_UNIT_DIR "/../../share/pages/consent_question.html", "r");
	size_t len;

	(void)state;
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	CHECK(len > 100);
	CHECK(strstr(text, "{{t ") == NULL);
	CHECK(strstr(text, "{{>") == NULL);
}

int main(void)
{
	return RUN(cmocka_unit_test(every_page_has_the_headers_that_protect_it),
		   cmocka_unit_test(the_consent_page_names_where_its_form_leads),
		   cmocka_unit_test(what_is_dangerous_starts_unticked),
		   cmocka_unit_test(without_a_session_one_signs_in_and_comes_back),
		   cmocka_unit_test(nobody_is_sent_elsewhere_after_signing_in),
		   cmocka_unit_test(a_new_session_ends_the_old_one),
		   cmocka_unit_test(a_wrong_password_says_the_same_as_an_unknown_name),
		   cmocka_unit_test(a_form_without_its_token_is_refused),
		   cmocka_unit_test(a_token_is_good_for_its_own_form_only),
		   cmocka_unit_test(a_form_from_elsewhere_is_refused),
		   cmocka_unit_test(an_answer_goes_back_to_the_agent_and_again_to_the_same_place),
		   cmocka_unit_test(a_no_gives_nothing),
		   cmocka_unit_test(what_cannot_be_an_answer_is_asked_again),
		   cmocka_unit_test(another_browser_gets_no_answer),
		   cmocka_unit_test(what_is_kept_is_what_was_shown),
		   cmocka_unit_test(the_question_has_no_sentence_of_its_own));
}

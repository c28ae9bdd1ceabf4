/* SPDX-License-Identifier: Apache-2.0 */
/* What a person or a programmer may meet has a sentence, in every language. */
#include <stdio.h>
#include <string.h>

#include "authority/reason.h"
#include "crypto/random.h"
#include "desk.h"
#include "http/locale.h"
#include "oauth/reply.h"
#include "store/events.h"

#define ROOT GRANTD_UNIT_DIR "/../../"

static struct str read_file(struct arena *arena, const char *path)
{
	char *text = arena_alloc(arena, 65536);
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, 65535, file);
	(void)fclose(file);
	return (struct str){ text, len };
}

static void must(bool is_there, struct str what)
{
	if (!is_there)
		print_error("missing: %.*s\n", STR_FMT(what));
	CHECK(is_there);
}

static size_t check_kinds(struct task *task, const struct locale *locale, struct str table)
{
	struct str line, kind, key;
	size_t count = 0;

	while (str_next(&table, '\n', &line)) {
		if (!str_starts_with(line, STR("| `")))
			continue;
		kind = str_from(line, 3);
		kind = str_sub(kind, 0, str_find(kind, '`'));
		key = STR_JOIN(&task->arena, STR("event."), kind);
		must(locale_find(locale, key).at != NULL, key);
		count++;
	}
	return count;
}

static void every_kind_of_event_has_a_sentence(void **state)
{
	struct locale_set *locales = NULL;
	struct str table;
	struct desk desk;
	struct task *task;

	(void)state;
	desk_open(&desk);
	task = world_task(&desk.office.world);
	table = read_file(&task->arena, ROOT "docs/events.md");
	CHECK_ERR(locale_set_load(task, STR(ROOT "share/locales"), &locales), OK);
	CHECK(check_kinds(task, locale_choose(locales, STR("en"), STR_NONE), table) > 25);
	locale_set_free(&locales);
	desk_close(&desk);
}

static void both_languages_have_the_same_sentences(void **state)
{
	CLEANUP(json_unref) json_t *english = NULL;
	CLEANUP(json_unref) json_t *german = NULL;
	const char *key;
	json_t *value;
	struct desk desk;
	struct task *task;

	(void)state;
	desk_open(&desk);
	task = world_task(&desk.office.world);
	CHECK_ERR(json_parse(task, read_file(&task->arena, ROOT "share/locales/en.json"), 65536,
			     &english),
		  OK);
	CHECK_ERR(json_parse(task, read_file(&task->arena, ROOT "share/locales/de.json"), 65536,
			     &german),
		  OK);
	json_object_foreach(english, key, value)
		must(json_object_get(german, key) != NULL, str_from_c(key));
	desk_close(&desk);
}

static void check_word(const struct desk *desk, const char *word)
{
	char id[128];

	(void)snprintf(id, sizeof(id), "<dt id=\"%s\">", word);
	must(desk_says(desk, id), str_from_c(word));
}

static void every_word_that_error_uri_points_to_is_explained(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk);
	assert_int_equal(desk_get(&desk, STR("/errors")), 200);
	for (enum err err = ERR_REQUEST; err <= ERR_LAST; err++)
		check_word(&desk, oauth_answer_of(err)->word);
	for (size_t i = 0; i < reason_count; i++)
		check_word(&desk, reasons[i]);
	CHECK(!desk_says(&desk, "reason."));
	desk_close(&desk);
}

static enum err write_events(struct task *task, struct db *db, void *arg)
{
	const struct event *event = arg;

	return event_insert(task, db, event);
}

static void the_activity_page_says_why_an_installation_ended_and_who_did_it(void **state)
{
	static const struct {
		const char *kind, *actor, *details, *sentence;
	} told[] = {
		{ "family.ended", "system", "{\"why\":\"possible theft\"}",
		  "An old access key came back: it may have been stolen. The installation was "
		  "ended." },
		{ "family.ended", "system", "{\"why\":\"probably a lost answer\"}",
		  "An old access key came back, probably because an answer was lost on the way. "
		  "The installation was ended." },
		{ "family.ended", "system", "{\"why\":\"code_reused\"}",
		  "The same permission was picked up twice: it may have been copied. The "
		  "installation was ended." },
		{ "family.ended", "system", "{\"why\":\"code_answer_lost\"}",
		  "The same permission was asked for again, probably because the answer was lost "
		  "on the way. The installation was ended." },
		{ "family.ended", "agent", "{\"why\":\"revoked_by_client\"}",
		  "An installation signed itself out" },
		{ "grant.paused", "operator", "{\"why\":\"password_reset\"}",
		  "Paused, because your operator set a new password" },
		{ "grant.paused", "operator", NULL, "<td>Your operator</td>" },
		{ "login.failed", "system", NULL, "Somebody entered a wrong password" },
	};
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	for (size_t i = 0; i < COUNT_OF(told); i++) {
		struct task *task = world_task(&desk.office.world);
		struct event event = {
			.id = random_id_at(&task->arena, "evt_", task->now),
			.at = task->now,
			.kind = str_from_c(told[i].kind),
			.actor = str_from_c(told[i].actor),
			.user_id = desk.office.alice.id,
			.client_id = STR("agent"),
			.details = str_from_c(told[i].details),
		};

		CHECK_ERR(world_write(&desk.office.world, write_events, &event), OK);
	}
	assert_int_equal(desk_get(&desk, STR("/account/activity")), 200);
	for (size_t i = 0; i < COUNT_OF(told); i++)
		must(desk_says(&desk, told[i].sentence), str_from_c(told[i].sentence));
	desk_close(&desk);
}

int main(void)
{
	return RUN(
		cmocka_unit_test(every_kind_of_event_has_a_sentence),
		cmocka_unit_test(both_languages_have_the_same_sentences),
		cmocka_unit_test(every_word_that_error_uri_points_to_is_explained),
		cmocka_unit_test(the_activity_page_says_why_an_installation_ended_and_who_did_it));
}

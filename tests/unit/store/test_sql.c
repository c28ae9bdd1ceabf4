/* SPDX-License-Identifier: Apache-2.0 */
/* The text of the statements, every one of them. */
#include "both.h"
#include "nouns.h"
#include "store/counters.h"
#include "store/documents.h"
#include "store/driver.h"
#include "store/events.h"
#include "store/key_rows.h"
#include "store/outbox.h"
#include "store/sessions.h"

/* The numbers behind '$', as bits. */
static uint64_t parameters_of(const char *text)
{
	struct str rest = str_from_c(text);
	uint64_t found = 0;

	while (str_has(rest, '$')) {
		uint64_t number = 0;
		size_t digits = 0;

		rest = str_from(rest, str_find(rest, '$') + 1);
		while (digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9')
			digits++;
		CHECK(str_to_u64(str_sub(rest, 0, digits), SQL_ARGS_MAX, &number) && number > 0);
		found |= UINT64_C(1) << number;
	}
	return found;
}

static void each_statement_has_its_parameters_from_1_without_gap(void **state)
{
	(void)state;
	CHECK(sql_count() > 60);
	for (size_t i = 0; i < sql_count(); i++) {
		uint64_t found = parameters_of(sql_at(i)->text) >> 1;

		/* 1, 11, 111, … */
		if ((found & (found + 1)) != 0)
			print_error("%s\n", sql_at(i)->text);
		CHECK((found & (found + 1)) == 0);
	}
}

static const char *const foreign_words[] = { "LIKE",	   "ILIKE",   "FOR UPDATE", "ANY(",
					     "now()",	   "->>",     "x'",	    "OR IGNORE",
					     "OR REPLACE", "BOOLEAN", "SERIAL" };

static bool contains(const char *text, const char *word)
{
	struct str rest = str_from_c(text);

	for (; rest.len > 0; rest = str_from(rest, 1)) {
		if (str_starts_with(rest, str_from_c(word)))
			return true;
	}
	return false;
}

static void no_statement_uses_what_only_one_database_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < sql_count(); i++) {
		for (size_t j = 0; j < COUNT_OF(foreign_words); j++) {
			if (contains(sql_at(i)->text, foreign_words[j]))
				print_error("%s\n", sql_at(i)->text);
			CHECK(!contains(sql_at(i)->text, foreign_words[j]));
		}
	}
}

static enum err add_text(struct task *task, struct db *db, void *arg)
{
	return fact_set(task, db, STR("text"), *(struct str *)arg);
}

static void text_that_is_not_utf8_or_has_a_nul_never_reaches_the_store(void **state)
{
	struct world *world = *state;
	struct str refused[] = { STR("a\0b"), STR("\xff"), STR("\xc0\x80"), STR("\xed\xa0\x80") };
	struct str allowed = STR("caf\xc3\xa9 \xf0\x9f\x92\x8c");
	struct str found = STR_NONE;

	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		CHECK_ERR(world_write(world, add_text, &refused[i]), ERR_REQUEST);
		CHECK_ERR(fact_find(world_task(world), world_reader(world), refused[i], &found),
			  ERR_REQUEST);
	}
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("text"), &found),
		  ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, add_text, &allowed), OK);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("text"), &found), OK);
	CHECK_STR(found, allowed);
}

static void a_reader_cannot_write(void **state)
{
	struct world *world = *state;
	struct str value = STR("smuggled");
	struct str found = STR_NONE;

	CHECK_ERR(add_text(world_task(world), world_reader(world), &value), ERR_STORE);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("text"), &found),
		  ERR_NOT_FOUND);
}

/* So that the linker keeps every noun's statements in this program. */
static const void *const volatile nouns[] = { counter_add,	   event_insert,
					      outbox_insert,	   session_insert,
					      auth_request_insert, standing_find_by_grant,
					      document_put };

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(nouns); i++)
		CHECK(nouns[i] != NULL);
	return RUN_ON_BOTH(
		cmocka_unit_test(each_statement_has_its_parameters_from_1_without_gap),
		cmocka_unit_test(no_statement_uses_what_only_one_database_has),
		cmocka_unit_test(text_that_is_not_utf8_or_has_a_nul_never_reaches_the_store),
		cmocka_unit_test(a_reader_cannot_write));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was read of the keys that clients publish, on both databases. */
#include "store/key_sets.h"

#include "both.h"
#include "nouns.h"
#include "store/documents.h"
#include "store/registrations.h"

#define URI  "https://keys.example/set"
#define SET  "{\"keys\":[1]}"
#define LATE (CHECK_NOW + HOUR_MS)

struct wish {
	struct str uri;
	int64_t due_at;
};

static enum err write_want(struct task *task, struct db *db, void *arg)
{
	const struct wish *wish = arg;

	return key_set_want(task, db, mail_agent.id, wish->uri, wish->due_at);
}

static enum err write_put(struct task *task, struct db *db, void *arg)
{
	return key_set_put(task, db, arg);
}

static enum err write_problem(struct task *task, struct db *db, void *arg)
{
	return key_set_note_problem(task, db, arg);
}

struct claim {
	struct key_set_due due;
	int64_t tried_at;
	bool is_ours;
};

static enum err write_claim(struct task *task, struct db *db, void *arg)
{
	struct claim *claim = arg;

	return key_set_claim(task, db, &claim->due, claim->tried_at, LATE, &claim->is_ours);
}

static enum err write_hurry(struct task *task, struct db *db, void *arg)
{
	const int64_t *before = arg;

	return key_set_hurry(task, db, mail_agent.id, *before, CHECK_NOW);
}

static enum err write_disable(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return client_set_disabled(task, db, mail_agent.id, CHECK_NOW, CHECK_NOW);
}

static void want(struct world *world, const char *uri, int64_t due_at)
{
	struct wish wish = { uri == NULL ? STR_NONE : str_from_c(uri), due_at };

	CHECK_ERR(world_write(world, write_want, &wish), OK);
}

static void put(struct world *world, const char *uri, const char *set, int64_t read_at)
{
	struct key_set_row row = { .client_id = mail_agent.id,
				   .uri = str_from_c(uri),
				   .jwks = str_from_c(set),
				   .read_at = read_at,
				   .due_at = LATE };

	CHECK_ERR(world_write(world, write_put, &row), OK);
}

static struct key_set_row row_of(struct world *world)
{
	struct key_set_row row = { 0 };

	CHECK_ERR(key_set_find(world_task(world), world_reader(world), mail_agent.id, &row), OK);
	return row;
}

static size_t due(struct world *world, struct key_set_due *ret_first)
{
	struct key_set_due *list = NULL;
	size_t count = 0;

	CHECK_ERR(key_set_list_due(world_task(world), world_reader(world), CHECK_NOW, 10, &list,
				   &count),
		  OK);
	if (count > 0)
		*ret_first = list[0];
	return count;
}

static void what_was_read_of_another_address_is_gone(void **state)
{
	struct world *world = *state;
	struct key_set_row row;

	nouns_insert(world);
	want(world, URI, 0);
	put(world, URI, SET, CHECK_NOW);
	want(world, URI, 0);
	row = row_of(world);
	CHECK_STR(row.jwks, STR(SET));
	CHECK(row.due_at == LATE);
	want(world, URI "2", 0);
	row = row_of(world);
	CHECK(row.jwks.at == NULL && row.read_at == 0 && row.due_at == 0);
	/* a reading of the old one that comes late */
	put(world, URI, SET, CHECK_NOW);
	CHECK(row_of(world).jwks.at == NULL);
	want(world, NULL, 0);
	CHECK_ERR(key_set_find(world_task(world), world_reader(world), mail_agent.id, &row),
		  ERR_NOT_FOUND);
}

static void a_reading_that_began_earlier_replaces_none(void **state)
{
	struct world *world = *state;
	struct key_set_row bad = { .client_id = mail_agent.id,
				   .uri = STR(URI),
				   .problem = STR("gone") };

	nouns_insert(world);
	want(world, URI, 0);
	put(world, URI, SET, CHECK_NOW);
	put(world, URI, "{}", CHECK_NOW - 1);
	CHECK_STR(row_of(world).jwks, STR(SET));
	CHECK_ERR(world_write(world, write_problem, &bad), OK);
	CHECK_STR(row_of(world).jwks, STR(SET));
	CHECK_STR(row_of(world).problem, STR("gone"));
	put(world, URI, SET, CHECK_NOW);
	CHECK(row_of(world).problem.at == NULL);
}

static void what_a_clock_that_was_ahead_left_gives_way(void **state)
{
	struct world *world = *state;
	struct key_set_due found = { 0 };

	nouns_insert(world);
	want(world, URI, CHECK_NOW + 30 * DAY_MS);
	CHECK(due(world, &found) == 1);
	want(world, URI, LATE);
	CHECK(due(world, &found) == 0);
	put(world, URI, SET, CHECK_NOW + 30 * DAY_MS);
	put(world, URI, "{}", CHECK_NOW);
	CHECK(row_of(world).read_at == CHECK_NOW);
	CHECK_STR(row_of(world).jwks, STR("{}"));
}

static void another_address_is_not_tried_as_if_none_had_been(void **state)
{
	struct world *world = *state;
	struct claim claim = { .tried_at = CHECK_NOW };

	nouns_insert(world);
	want(world, URI, CHECK_NOW);
	CHECK(due(world, &claim.due) == 1);
	CHECK_ERR(world_write(world, write_claim, &claim), OK);
	want(world, URI "2", LATE);
	CHECK(row_of(world).tried_at == CHECK_NOW);
}

static void of_two_nodes_one_reads(void **state)
{
	struct world *world = *state;
	struct claim claim = { .tried_at = CHECK_NOW };

	nouns_insert(world);
	want(world, URI, 0);
	CHECK(due(world, &claim.due) == 0);
	want(world, URI, CHECK_NOW);
	CHECK(due(world, &claim.due) == 1);
	CHECK(claim.due.is_needed && claim.due.is_operators);
	CHECK_ERR(world_write(world, write_claim, &claim), OK);
	CHECK(claim.is_ours && row_of(world).tried_at == CHECK_NOW);
	CHECK_ERR(world_write(world, write_claim, &claim), OK);
	CHECK(!claim.is_ours);
	CHECK(due(world, &claim.due) == 0);
}

static void nothing_is_hurried_that_was_tried_or_read_a_moment_ago(void **state)
{
	struct world *world = *state;
	struct claim claim = { .tried_at = CHECK_NOW - 2 };
	int64_t before = CHECK_NOW - 3;

	nouns_insert(world);
	want(world, URI, CHECK_NOW);
	CHECK(due(world, &claim.due) == 1);
	CHECK_ERR(world_write(world, write_claim, &claim), OK);
	CHECK_ERR(world_write(world, write_hurry, &before), OK);
	CHECK(row_of(world).due_at == LATE);
	before = CHECK_NOW - 2;
	CHECK_ERR(world_write(world, write_hurry, &before), OK);
	CHECK(row_of(world).due_at == CHECK_NOW);
	put(world, URI, SET, CHECK_NOW - 1);
	CHECK_ERR(world_write(world, write_hurry, &before), OK);
	CHECK(row_of(world).due_at == LATE);
}

static void nobody_reads_for_a_client_that_is_disabled(void **state)
{
	struct world *world = *state;
	struct key_set_due found = { 0 };

	nouns_insert(world);
	want(world, URI, CHECK_NOW);
	CHECK_ERR(world_write(world, write_disable, NULL), OK);
	CHECK(due(world, &found) == 1 && !found.is_needed);
}

/* Who came with that token, or with none. */
static enum err write_own(struct task *task, struct db *db, void *arg)
{
	const struct registration *registration = arg;
	struct client client = mail_agent;

	client.id = registration->client_id;
	client.kind = STR("registered");
	TRY(client_insert(task, db, &client));
	TRY(registration_insert(task, db, registration));
	return key_set_want(task, db, client.id, STR(URI), CHECK_NOW);
}

static bool is_read_again_after_a_try(struct world *world, const char *id, const char *token)
{
	struct registration registration = { .client_id = str_from_c(id),
					     .token_hash = STR("hash"),
					     .metadata = STR("{}"),
					     .register_token = str_from_c(token),
					     .unused_since = CHECK_NOW };
	struct claim claim = { .tried_at = CHECK_NOW };
	struct key_set_due *list = NULL;
	size_t count = 0;

	CHECK_ERR(world_write(world, write_own, &registration), OK);
	CHECK(due(world, &claim.due) == 1 && claim.due.is_needed && !claim.due.is_operators);
	CHECK_STR(claim.due.client_id, registration.client_id);
	CHECK_ERR(world_write(world, write_claim, &claim), OK);
	CHECK_ERR(key_set_list_due(world_task(world), world_reader(world), LATE, 10, &list, &count),
		  OK);
	for (size_t i = 0; i < count; i++)
		if (str_equals(list[i].client_id, registration.client_id))
			return list[i].is_needed;
	return false;
}

static void after_a_try_that_failed_only_who_came_with_a_token_is_read_again(void **state)
{
	struct world *world = *state;

	CHECK(is_read_again_after_a_try(world, "cli_token", "rtk_1"));
	CHECK(!is_read_again_after_a_try(world, "cli_stranger", NULL));
}

static enum err write_document(struct task *task, struct db *db, void *arg)
{
	const struct document_row *row = arg;
	struct client client = mail_agent;
	bool is_kept = false;

	client.id = row->client_id;
	client.kind = STR("document");
	TRY(document_put(task, db, row, &client, &is_kept));
	return key_set_want(task, db, client.id, STR(URI), CHECK_NOW);
}

static void what_is_pinned_is_the_operators_and_no_other_document(void **state)
{
	struct world *world = *state;
	struct document_row row = { .client_id = STR("https://agent.example/c"),
				    .host = STR("agent.example"),
				    .hash = STR("hash"),
				    .identity = STR("identity"),
				    .fetched_at = CHECK_NOW };
	struct key_set_due found = { 0 };
	struct key_set_row set = { 0 };

	for (int i = 0; i < 2; i++) {
		row.pinned_at = i == 0 ? 0 : CHECK_NOW;
		CHECK_ERR(world_write(world, write_document, &row), OK);
		CHECK(due(world, &found) == 1 && found.is_operators == (row.pinned_at != 0));
		CHECK_ERR(key_set_find(world_task(world), world_reader(world), row.client_id, &set),
			  OK);
		CHECK(set.is_operators == (row.pinned_at != 0));
	}
	nouns_insert(world);
	want(world, URI, 0);
	CHECK(row_of(world).is_operators);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(what_was_read_of_another_address_is_gone),
		cmocka_unit_test(a_reading_that_began_earlier_replaces_none),
		cmocka_unit_test(what_a_clock_that_was_ahead_left_gives_way),
		cmocka_unit_test(another_address_is_not_tried_as_if_none_had_been),
		cmocka_unit_test(of_two_nodes_one_reads),
		cmocka_unit_test(nothing_is_hurried_that_was_tried_or_read_a_moment_ago),
		cmocka_unit_test(nobody_reads_for_a_client_that_is_disabled),
		cmocka_unit_test(after_a_try_that_failed_only_who_came_with_a_token_is_read_again),
		cmocka_unit_test(what_is_pinned_is_the_operators_and_no_other_document));
}

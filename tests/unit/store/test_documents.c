/* SPDX-License-Identifier: Apache-2.0 */
/* Agents that nobody registered, and whom they could be taken for, on both databases. */
#include "store/documents.h"

#include "both.h"
#include "model/document.h"
#include "nouns.h"

static enum err add_client(struct task *task, struct db *db, void *arg)
{
	return client_insert(task, db, arg);
}

static enum err put_document(struct task *task, struct db *db, void *arg)
{
	const struct document_row *row = arg;
	const struct client client = { .id = row->client_id,
				       .name = row->hash,
				       .kind = STR(DOCUMENT_KIND),
				       .grant_types = GRANT_AUTHORIZATION_CODE,
				       .created_at = CHECK_NOW };
	bool is_kept = false;

	TRY(document_put(task, db, row, &client, &is_kept));
	return is_kept ? OK : ERR_CONFLICT;
}

static void a_document_that_was_fetched_earlier_replaces_none(void **state)
{
	struct world *world = *state;
	struct document_row row = { .client_id = STR("https://agent.example/c"),
				    .host = STR("agent.example"),
				    .hash = STR("new"),
				    .identity = STR("identity"),
				    .fetched_at = CHECK_NOW };

	CHECK_ERR(world_write(world, put_document, &row), OK);
	row.hash = STR("old");
	row.fetched_at = CHECK_NOW - 1;
	CHECK_ERR(world_write(world, put_document, &row), ERR_CONFLICT);
	CHECK_ERR(document_find(world_task(world), world_reader(world), row.client_id, &row), OK);
	CHECK_STR(row.hash, STR("new"));
	/* but what the operator pins does */
	row.hash = STR("pinned");
	row.fetched_at = CHECK_NOW - 1;
	row.pinned_at = CHECK_NOW;
	CHECK_ERR(world_write(world, put_document, &row), OK);
}

static void whom_a_person_allowed_something_comes_first_of_those_they_may_know(void **state)
{
	struct world *world = *state;
	struct client other = mail_agent, *found = NULL;
	size_t count = 0;

	nouns_insert(world);
	other.id = STR("a-agent");
	CHECK_ERR(world_write(world, add_client, &other), OK);
	CHECK_ERR(client_list_trusted(world_task(world), world_reader(world), alice.id, 1, &found,
				      &count),
		  OK);
	CHECK(count == 1);
	CHECK_STR(found[0].id, mail_agent.id);
	CHECK_ERR(client_list_trusted(world_task(world), world_reader(world), bob.id, 1, &found,
				      &count),
		  OK);
	CHECK(count == 1);
	CHECK_STR(found[0].id, other.id);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_document_that_was_fetched_earlier_replaces_none),
		cmocka_unit_test(
			whom_a_person_allowed_something_comes_first_of_those_they_may_know));
}

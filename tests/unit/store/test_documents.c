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

static enum err put_published(struct task *task, struct db *db, void *arg)
{
	const struct client *client = arg;
	const struct document_row row = { .client_id = client->id,
					  .host = STR("agent.example"),
					  .hash = STR("hash"),
					  .identity = STR("identity"),
					  .fetched_at = CHECK_NOW };
	bool is_kept = false;

	TRY(document_put(task, db, &row, client, &is_kept));
	return is_kept ? OK : ERR_CONFLICT;
}

/* What counts once a document says that; 0: it does not ask for it. */
static struct client publish(struct world *world, int64_t dpop_bound_at, int64_t par_required_at)
{
	struct client client = { .id = STR("https://agent.example/c"),
				 .name = STR("Agent"),
				 .kind = STR(DOCUMENT_KIND),
				 .grant_types = GRANT_AUTHORIZATION_CODE,
				 .created_at = CHECK_NOW,
				 .dpop_bound_at = dpop_bound_at,
				 .par_required_at = par_required_at };

	CHECK_ERR(world_write(world, put_published, &client), OK);
	CHECK_ERR(client_find(world_task(world), world_reader(world), client.id, &client), OK);
	return client;
}

static void what_a_document_asks_for_goes_when_it_no_longer_does(void **state)
{
	struct world *world = *state;
	struct client client = publish(world, CHECK_NOW, CHECK_NOW);

	CHECK(client.dpop_bound_at == CHECK_NOW && client.par_required_at == CHECK_NOW);
	client = publish(world, CHECK_NOW + 1, CHECK_NOW + 1);
	CHECK(client.dpop_bound_at == CHECK_NOW && client.par_required_at == CHECK_NOW);
	client = publish(world, 0, 0);
	CHECK(client.dpop_bound_at == 0 && client.par_required_at == 0);
	client = publish(world, CHECK_NOW + 2, CHECK_NOW + 2);
	CHECK(client.dpop_bound_at == CHECK_NOW + 2 && client.par_required_at == CHECK_NOW + 2);
}

static enum err update_client(struct task *task, struct db *db, void *arg)
{
	return client_update(task, db, arg);
}

static void what_the_operator_set_holds_whatever_the_document_says(void **state)
{
	struct world *world = *state;
	struct client client = publish(world, 0, CHECK_NOW);

	client.dpop_bound_at = client.dpop_set_at = client.par_set_at = CHECK_NOW + 1;
	client.par_required_at = 0;
	CHECK_ERR(world_write(world, update_client, &client), OK);
	client = publish(world, 0, CHECK_NOW + 2);
	CHECK(client.dpop_bound_at == CHECK_NOW + 1 && client.par_required_at == 0);
	CHECK(client.dpop_set_at == CHECK_NOW + 1 && client.par_set_at == CHECK_NOW + 1);
	client.dpop_bound_at = 0;
	client.par_required_at = CHECK_NOW + 3;
	CHECK_ERR(world_write(world, update_client, &client), OK);
	client = publish(world, CHECK_NOW + 4, 0);
	CHECK(client.dpop_bound_at == 0 && client.par_required_at == CHECK_NOW + 3);
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
		cmocka_unit_test(what_a_document_asks_for_goes_when_it_no_longer_does),
		cmocka_unit_test(what_the_operator_set_holds_whatever_the_document_says),
		cmocka_unit_test(
			whom_a_person_allowed_something_comes_first_of_those_they_may_know));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /account/agents/{id}: one agent with one resource; id is the grant's. Looking only;
 * agent_change.c acts.
 */
#include "authority/installation.h"
#include "model/document.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/families.h"
#include "web/acting.h"
#include "web/agents.h"
#include "web/csrf.h"
#include "web/room.h"
#include "web/sub_agents.h"
#include "web/words.h"

#define TIMELINE_SHOWN 20
#define LIVE_MAX       200

static enum err describe(const struct page *page, const struct family *family, struct data *item)
{
	struct installation known;

	TRY(installation_read(page->task, page->authority, &page->user, family, &known));
	data_str(item, "family_id", family->id);
	data_str(item, "own_name", known.name);
	data_str(item, "last_address", known.last_address);
	if (family->paused_at != 0)
		data_true(item, "is_paused_alone");
	words_time(page, data_object(item, "since"), family->created_at);
	words_time(page, data_object(item, "used"), family->last_used_at);
	return OK;
}

static enum err add_installations(const struct page *page, struct db *db, struct str grant_id)
{
	struct data *list = data_array(page->data, "installations");
	struct family *families = NULL;
	size_t count = 0;

	TRY(family_list(page->task, db, grant_id, &families, &count));
	for (size_t i = 0; i < count; i++) {
		const struct family *family = &families[i];
		struct data *item;

		if (!family_is_live(family, page->task->now))
			continue;
		item = data_item(list);
		data_int(item, "number", (int64_t)(count - i));
		TRY(describe(page, family, item));
		TRY(sub_agents_add(page, db, family, item));
	}
	return OK;
}

/* With more installations than that the words as consented are what is sure. */
static enum err add_scopes(const struct page *page, struct db *db, const struct grant *grant)
{
	const struct family_page live = { grant->id, page->task->now, LIVE_MAX + 1 };
	struct family *families = NULL;
	size_t count = 0;

	TRY(family_list_live(page->task, db, &live, &families, &count));
	if (count > LIVE_MAX)
		count = 0;
	return agents_add_scopes(page, grant, &(struct agents_installed){ families, count },
				 data_get(page->data, STR("agent")));
}

static enum err add_timeline(const struct page *page, struct db *db, struct str grant_id)
{
	const struct event_filter filter = { .user_id = page->user.id, .grant_id = grant_id };
	struct data *list = data_array(page->data, "timeline");
	struct event *events = NULL;
	size_t count = 0;

	TRY(event_list(page->task, db, &filter, TIMELINE_SHOWN, &events, &count));
	for (size_t i = 0; i < count; i++)
		TRY(agents_add_event(page, db, &events[i], list));
	return OK;
}

static void add_durations(const struct page *page)
{
	int64_t max = authority_config(page->authority)->grant_max_ms;
	struct data *list = data_array(page->data, "durations");

	for (size_t i = 0; i < duration_choice_count; i++) {
		struct data *item;

		if (!duration_is_allowed(&duration_choices[i], max))
			continue;
		item = data_item(list);
		data_str(item, "value", str_from_c(duration_choices[i].value));
		data_str(item, "text", page_text(page, duration_choices[i].key, NULL));
	}
}

/* Whose word there is for its name, as on the consent page. */
static enum err add_proof(struct page *page, struct db *db, const struct grant *grant)
{
	struct data *agent = data_get(page->data, STR("agent"));
	const char *key = "agent.proof_registered";
	struct client client;
	enum err err = client_find(page->task, db, grant->client_id, &client);

	if (err == ERR_NOT_FOUND) {
		task_forgive(page->task);
		return OK;
	}
	TRY(err);
	if (client_is_operators(&client))
		key = "agent.proof_operator";
	if (document_is_meant(client.id)) {
		key = "agent.proof_document";
		data_str(agent, "publisher_host", document_host(client.id));
	}
	data_str(agent, "proof", page_text(page, key, agent));
	return OK;
}

static enum err open_agent(struct exchange *exchange, struct page *page, struct db **ret_db,
			   struct grant *ret_grant)
{
	TRY(page_open_signed_in(exchange, page));
	TRY(store_reader(page->task, page->authority->store, ret_db));
	TRY(agents_find(page, *ret_db, exchange->request.params[0], ret_grant));
	TRY(agents_describe(page, *ret_db, ret_grant, data_object(page->data, "agent")));
	data_str(page->data, "agent_name",
		 data_get_str(data_get(page->data, STR("agent")), "name"));
	TRY(add_proof(page, *ret_db, ret_grant));
	csrf_add(page, STR_JOIN(&page->task->arena, STR("agent:"), ret_grant->id));
	return OK;
}

enum err web_agent(struct exchange *exchange)
{
	struct page page = { 0 };
	struct db *db = NULL;
	struct grant grant;

	TRY(open_agent(exchange, &page, &db, &grant));
	TRY(add_scopes(&page, db, &grant));
	TRY(add_installations(&page, db, grant.id));
	TRY(add_timeline(&page, db, grant.id));
	TRY(agents_add_chart(&page, db, grant.client_id));
	add_durations(&page);
	TRY(acting_add_done(&page));
	return page_send(&page, 200, "agent", "agent.title");
}

/* What cannot be taken back is confirmed on a page of its own. */
enum err web_agent_revoke(struct exchange *exchange)
{
	struct page page = { 0 };
	struct db *db = NULL;
	struct grant grant;

	TRY(open_agent(exchange, &page, &db, &grant));
	TRY(agents_add_scopes(&page, &grant, &(struct agents_installed){ 0 },
			      data_get(page.data, STR("agent"))));
	return page_send(&page, 200, "revoke", "revoke.title");
}

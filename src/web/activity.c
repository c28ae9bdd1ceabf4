/* SPDX-License-Identifier: Apache-2.0 */
/* /account/activity: what happened, newest first, of all agents or of one. */
#include "crypto/random.h"
#include "model/document.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/grants.h"
#include "web/agents.h"
#include "web/room.h"

#define ROWS_SHOWN 50

struct wanted {
	struct str agent;  /* client id; STR_NONE: all */
	struct str before; /* event id; STR_NONE: from the newest */
};

static enum err read_query(const struct page *page, struct wanted *ret_wanted)
{
	struct form query;
	struct str before;

	TRY(form_parse(page->task, page->exchange->request.query, &query));
	before = form_get(&query, "before");
	*ret_wanted = (struct wanted){
		.agent = form_get(&query, "agent"),
		.before = id_is_valid(before, "evt_") ? before : STR_NONE,
	};
	if (ret_wanted->agent.len > DOCUMENT_URL_MAX)
		ret_wanted->agent = STR_NONE;
	return OK;
}

static bool is_listed(const struct data *list, struct str client_id)
{
	for (const struct data *one = data_first(list); one != NULL; one = data_next(one))
		if (str_equals(data_get_str(one, "client_id"), client_id))
			return true;
	return false;
}

/* The agents to choose from; each once, however many resources it has. */
static enum err add_filter(const struct page *page, struct db *db, const struct wanted *wanted)
{
	struct data *list = data_array(page->data, "agents");
	struct grant *grants = NULL;
	size_t count = 0;

	TRY(grant_list(page->task, db,
		       &(struct grant_page){ page->user.id, STR_NONE, AGENTS_SHOWN }, &grants,
		       &count));
	for (size_t i = 0; i < count; i++) {
		struct data *item;

		if (is_listed(list, grants[i].client_id))
			continue;
		item = data_item(list);
		TRY(agents_describe(page, db, &grants[i], item));
		if (str_equals(grants[i].client_id, wanted->agent))
			data_true(item, "selected");
	}
	return OK;
}

static enum err add_rows(const struct page *page, struct db *db, const struct wanted *wanted)
{
	const struct event_filter filter = {
		.user_id = page->user.id,
		.client_id = wanted->agent,
		.before = wanted->before,
	};
	struct data *list = data_array(page->data, "rows");
	struct event *events = NULL;
	size_t count = 0;

	TRY(event_list(page->task, db, &filter, ROWS_SHOWN + 1, &events, &count));
	for (size_t i = 0; i < count && i < ROWS_SHOWN; i++)
		TRY(agents_add_event(page, db, &events[i], list));
	if (count > 0)
		data_true(page->data, "has_rows");
	if (count > ROWS_SHOWN)
		data_str(page->data, "older", events[ROWS_SHOWN - 1].id);
	if (wanted->before.len > 0)
		data_true(page->data, "is_later_page");
	return OK;
}

enum err web_activity(struct exchange *exchange)
{
	struct page page = { 0 };
	struct wanted wanted;
	struct db *db = NULL;

	TRY(page_open_signed_in(exchange, &page));
	TRY(read_query(&page, &wanted));
	TRY(store_reader(page.task, page.authority->store, &db));
	TRY(add_filter(&page, db, &wanted));
	TRY(add_rows(&page, db, &wanted));
	data_str(page.data, "agent_filter", wanted.agent);
	data_true(page.data, "nav_activity");
	return page_send(&page, 200, "activity", "activity.title");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /account/agents/{id}/receipt: the sentences that were on the page when the person said yes, as
 * kept.
 */
#include "authority/events.h"
#include "store/events.h"
#include "web/agents.h"
#include "web/room.h"
#include "web/words.h"

#define KEPT_MAX    (128 * 1024)
#define DETAILS_MAX (16 * 1024)

static enum err add_sentences(const struct page *page, const struct event *event, json_t *item)
{
	CLEANUP(json_unref) json_t *kept = NULL;
	struct str personal;

	TRY(event_unseal(page->task, page->authority, &page->user, event, &personal));
	TRY(json_parse(page->task, personal, KEPT_MAX, &kept));
	if (json_is_array(json_object_get(kept, "sentences")))
		json_object_set(item, "sentences", json_object_get(kept, "sentences"));
	data_str(item, "address", json_get_str(kept, "address"));
	data_str(item, "user_agent", json_get_str(kept, "user_agent"));
	return OK;
}

static enum err add_answer(const struct page *page, const struct event *event, json_t *item)
{
	CLEANUP(json_unref) json_t *details = NULL;
	struct str key;

	if (event->details.len == 0)
		return OK;
	TRY(json_parse(page->task, event->details, DETAILS_MAX, &details));
	key = STR_JOIN(&page->task->arena, STR("duration."), json_get_str(details, "duration"));
	data_str(item, "scope", json_get_str(details, "scope"));
	data_str(item, "duration", page_text(page, key.at, NULL));
	data_str(item, "language", json_get_str(details, "language"));
	data_str(item, "version", json_get_str(details, "version"));
	return OK;
}

static enum err add_consent(const struct page *page, struct db *db, struct str event_id,
			    json_t *list)
{
	json_t *item = data_item(list);
	struct event event;

	TRY(event_find(page->task, db, event_id, &event));
	if (!str_equals(event.user_id, page->user.id))
		return fail(page->task, ERR_NOT_FOUND, "no such consent");
	data_str(item, "event_id", event.id);
	words_time(page, data_object(item, "at"), event.at);
	TRY(add_answer(page, &event, item));
	return add_sentences(page, &event, item);
}

static bool seen_before(const struct grant *grant, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (str_equals(grant->permissions[i].consent_event,
			       grant->permissions[index].consent_event))
			return true;
	return false;
}

enum err web_receipt(struct exchange *exchange)
{
	CLEANUP(page_close) struct page page = { 0 };
	struct db *db = NULL;
	struct grant grant;
	json_t *agent, *list;

	TRY(page_open_signed_in(exchange, &page));
	TRY(store_reader(page.task, page.authority->store, &db));
	TRY(agents_find(&page, db, exchange->request.params[0], &grant));
	agent = data_object(page.data, "agent");
	TRY(agents_describe(&page, db, &grant, agent));
	data_str(page.data, "agent_name", json_get_str(agent, "name"));
	list = data_array(page.data, "consents");
	for (size_t i = 0; i < grant.permission_count; i++)
		if (!seen_before(&grant, i))
			TRY(add_consent(&page, db, grant.permissions[i].consent_event, list));
	return page_send(&page, 200, "receipt", "receipt.title");
}

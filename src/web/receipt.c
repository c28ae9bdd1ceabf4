/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /account/agents/{id}/receipt: the sentences that were on the page when the person said yes, as
 * kept.
 */
#include "authority/consent.h"
#include "authority/events.h"
#include "store/events.h"
#include "store/widenings.h"
#include "web/agents.h"
#include "web/room.h"
#include "web/words.h"

#define KEPT_MAX (128 * 1024)

static enum err add_sentences(const struct page *page, const struct event *event, struct data *item)
{
	CLEANUP(json_unref) json_t *kept = NULL;
	struct str personal;

	TRY(event_unseal(page->task, page->authority, &page->user, event, &personal));
	TRY(json_parse(page->task, personal, KEPT_MAX, &kept));
	if (json_is_array(json_object_get(kept, "sentences")))
		data_share(item, "sentences",
			   data_of_json(&page->task->arena, json_object_get(kept, "sentences")));
	data_str(item, "address", json_get_str(kept, "address"));
	data_str(item, "user_agent", json_get_str(kept, "user_agent"));
	return OK;
}

static enum err add_answer(const struct page *page, const struct event *event, struct data *item)
{
	CLEANUP(json_unref) json_t *details = NULL;
	struct str key;

	if (event->details.len == 0)
		return OK;
	TRY(json_parse(page->task, event->details, CONSENT_DETAILS_MAX, &details));
	key = STR_JOIN(&page->task->arena, STR("duration."), json_get_str(details, "duration"));
	data_str(item, "scope", json_get_str(details, "scope"));
	if (json_object_get(details, "duration") != NULL) /* else the sentences say it */
		data_str(item, "duration", page_text(page, key.at, NULL));
	data_str(item, "language", json_get_str(details, "language"));
	data_str(item, "version", json_get_str(details, "version"));
	return OK;
}

static enum err add_consent(const struct page *page, struct db *db, struct str event_id,
			    struct data *list)
{
	struct data *item = data_item(list);
	struct event event;

	TRY(event_find(page->task, db, event_id, &event));
	if (!str_equals(event.user_id, page->user.id))
		return fail(page->task, ERR_NOT_FOUND, "no such consent");
	data_str(item, "event_id", event.id);
	words_time(page, data_object(item, "at"), event.at);
	TRY(add_answer(page, &event, item));
	return add_sentences(page, &event, item);
}

/* Among the consents of the first permissions. */
static bool is_among(const struct grant *grant, size_t count, struct str consent)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(grant->permissions[i].consent_event, consent))
			return true;
	return false;
}

/* What the grant rests on, and then by what single installations have more of it. */
static enum err add_consents(const struct page *page, struct db *db, const struct grant *grant,
			     struct data *list)
{
	struct str *widenings = NULL;
	size_t count = 0;

	for (size_t i = 0; i < grant->permission_count; i++) {
		struct str consent = grant->permissions[i].consent_event;

		if (!is_among(grant, i, consent))
			TRY(add_consent(page, db, consent, list));
	}
	TRY(widening_list(page->task, db, grant, &widenings, &count));
	for (size_t i = 0; i < count; i++)
		if (!is_among(grant, grant->permission_count, widenings[i]))
			TRY(add_consent(page, db, widenings[i], list));
	return OK;
}

enum err web_receipt(struct exchange *exchange)
{
	struct page page = { 0 };
	struct db *db = NULL;
	struct grant grant;
	struct data *agent;

	TRY(page_open_signed_in(exchange, &page));
	TRY(store_reader(page.task, page.authority->store, &db));
	TRY(agents_find(&page, db, exchange->request.params[0], &grant));
	agent = data_object(page.data, "agent");
	TRY(agents_describe(&page, db, &grant, agent));
	data_str(page.data, "agent_name", data_get_str(agent, "name"));
	TRY(add_consents(&page, db, &grant, data_array(page.data, "consents")));
	return page_send(&page, 200, "receipt", "receipt.title");
}

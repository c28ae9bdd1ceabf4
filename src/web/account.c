/* SPDX-License-Identifier: Apache-2.0 */
/* /account: every agent with its state, and one button that stops them all. */
#include "authority/account.h"

#include "store/grants.h"
#include "web/acting.h"
#include "web/agents.h"
#include "web/csrf.h"
#include "web/room.h"
#include "web/words.h"

static enum err add_agents(struct page *page, struct db *db)
{
	struct data *live = data_array(page->data, "agents");
	struct data *past = data_array(page->data, "past");
	struct grant *grants = NULL;
	size_t count = 0, active = 0;

	TRY(grant_list(page->task, db,
		       &(struct grant_page){ page->user.id, STR_NONE, AGENTS_SHOWN }, &grants,
		       &count));
	for (size_t i = 0; i < count; i++) {
		enum grant_status status = grant_status_at(&grants[i], page->task->now);
		bool is_live = status == GRANT_ACTIVE || status == GRANT_PAUSED;

		active += status == GRANT_ACTIVE;
		TRY(agents_describe(page, db, &grants[i], data_item(is_live ? live : past)));
	}
	data_str(page->data, "summary", words_count(page, "account.active", (int64_t)active));
	if (data_count(past) > 0)
		data_true(page->data, "has_past");
	if (active > 0)
		data_true(page->data, "can_pause");
	return OK;
}

enum err web_account(struct exchange *exchange)
{
	struct page page = { 0 };
	struct db *db = NULL;

	TRY(page_open_signed_in(exchange, &page));
	TRY(store_reader(page.task, page.authority->store, &db));
	TRY(add_agents(&page, db));
	TRY(agents_add_chart(&page, db, STR_NONE));
	TRY(acting_add_done(&page));
	csrf_add(&page, STR("account"));
	data_true(page.data, "nav_home");
	return page_send(&page, 200, "account", "account.title");
}

enum err web_account_change(struct exchange *exchange)
{
	struct page page = { 0 };
	struct actor actor;
	int64_t paused = 0;
	struct form form;

	TRY(page_open_signed_in(exchange, &page));
	TRY(page_form(&page, &form));
	TRY(csrf_check(&page, &form, STR("account")));
	if (!str_equals(form_get(&form, "action"), STR("pause-all")))
		return fail(page.task, ERR_REQUEST, "an action that this page does not have");
	actor = acting_person(&page);
	TRY(account_pause_all(page.task, page.authority, &actor, &paused));
	log_info(page.task, "account.paused_all", LOG_INT("grants", paused));
	return page_go(&page, STR("/account?done=paused-all"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the buttons of an agent's page do: one table from the button's value to the rule. */
#include "authority/account.h"

#include "crypto/random.h"
#include "model/delegation.h"
#include "web/acting.h"
#include "web/csrf.h"
#include "web/room.h"

struct change {
	struct page *page;
	struct actor actor;
	struct str grant_id;
	const struct form *form;
};

static enum err do_pause(const struct change *change)
{
	return account_pause(change->page->task, change->page->authority, &change->actor,
			     change->grant_id);
}

static enum err do_resume(const struct change *change)
{
	return account_resume(change->page->task, change->page->authority, &change->actor,
			      change->grant_id);
}

static enum err do_revoke(const struct change *change)
{
	return account_revoke(change->page->task, change->page->authority, &change->actor,
			      change->grant_id);
}

static enum err do_set_duration(const struct change *change)
{
	struct str duration = form_get(change->form, "duration");

	return account_set_end(change->page->task, change->page->authority, &change->actor,
			       change->grant_id, STR_NONE, duration);
}

static enum err do_remove_scope(const struct change *change)
{
	struct str scope = form_get(change->form, "scope");

	if (scope.len == 0)
		return fail(change->page->task, ERR_REQUEST, "no scope is named");
	return account_remove_scope(change->page->task, change->page->authority, &change->actor,
				    change->grant_id, scope);
}

static enum err do_end_installation(const struct change *change)
{
	struct str family = form_get(change->form, "installation");

	if (!id_is_valid(family, "fam_"))
		return fail(change->page->task, ERR_NOT_FOUND, "no such installation");
	return account_end_family(change->page->task, change->page->authority, &change->actor,
				  change->grant_id, family);
}

/* "" is all of the installation's. */
static enum err name_sub_agent(const struct change *change, struct sub_agent_named *ret_named)
{
	struct str family = form_get(change->form, "installation");
	struct str path = form_get(change->form, "sub_agent");

	struct act act;

	if (!id_is_valid(family, "fam_"))
		return fail(change->page->task, ERR_NOT_FOUND, "no such installation");
	if (act_parse(change->page->task, path, &act) != OK)
		return fail(change->page->task, ERR_NOT_FOUND, "no such sub-agent");
	*ret_named = (struct sub_agent_named){ change->grant_id, family,
					       path.at == NULL ? STR("") : path };
	return OK;
}

static enum err do_stop_sub_agent(const struct change *change)
{
	struct sub_agent_named named;

	TRY(name_sub_agent(change, &named));
	return account_stop_sub_agent(change->page->task, change->page->authority, &change->actor,
				      &named);
}

static enum err do_allow_sub_agent(const struct change *change)
{
	struct sub_agent_named named;

	TRY(name_sub_agent(change, &named));
	return account_allow_sub_agent(change->page->task, change->page->authority, &change->actor,
				       &named);
}

static const struct {
	const char *action;
	enum err (*run)(const struct change *change);
} actions[] = {
	{ "pause", do_pause },
	{ "resume", do_resume },
	{ "revoke", do_revoke },
	{ "set-duration", do_set_duration },
	{ "remove-scope", do_remove_scope },
	{ "end-installation", do_end_installation },
	{ "stop-sub-agent", do_stop_sub_agent },
	{ "allow-sub-agent", do_allow_sub_agent },
};

static enum err run_action(const struct change *change, struct str action)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (str_equals(action, str_from_c(actions[i].action)))
			return actions[i].run(change);
	return fail(change->page->task, ERR_REQUEST, "an action that this page does not have");
}

static enum err go_back(struct page *page, struct str grant_id, struct str tail)
{
	return page_go(page, STR_JOIN(&page->task->arena, STR("/account/agents/"), grant_id, tail));
}

enum err web_agent_change(struct exchange *exchange)
{
	struct page page = { 0 };
	struct str action, grant_id = exchange->request.params[0];
	struct change change;
	struct form form;

	TRY(page_open_signed_in(exchange, &page));
	if (!id_is_valid(grant_id, "gra_"))
		return fail(page.task, ERR_NOT_FOUND, "no such agent");
	TRY(page_form(&page, &form));
	TRY(csrf_check(&page, &form, STR_JOIN(&page.task->arena, STR("agent:"), grant_id)));
	action = form_get(&form, "action");
	if (str_equals(action, STR("revoke")) && form_get(&form, "confirm").len == 0)
		return go_back(&page, grant_id, STR("/revoke"));
	change = (struct change){
		.page = &page,
		.actor = acting_person(&page),
		.grant_id = grant_id,
		.form = &form,
	};
	TRY(run_action(&change, action));
	log_info(page.task, "agent.changed", LOG_STR("action", action), LOG_STR("grant", grant_id));
	return go_back(&page, grant_id, STR_JOIN(&page.task->arena, STR("?done="), action));
}

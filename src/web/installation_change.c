/* SPDX-License-Identifier: Apache-2.0 */
/* What the buttons of an installation's page do: one table from the button's value to the rule. */
#include "web/acting.h"
#include "web/csrf.h"
#include "web/installation.h"
#include "web/room.h"

struct change {
	struct page *page;
	const struct installation_view *view;
	const struct form *form;
	struct actor actor;
	struct installation_named named;
};

static enum err do_name(const struct change *change)
{
	return installation_name(change->page->task, change->page->authority, &change->actor,
				 &change->named, form_get(change->form, "name"));
}

static enum err do_pause(const struct change *change)
{
	return installation_pause(change->page->task, change->page->authority, &change->actor,
				  &change->named);
}

static enum err do_resume(const struct change *change)
{
	return installation_resume(change->page->task, change->page->authority, &change->actor,
				   &change->named);
}

static enum err do_end(const struct change *change)
{
	return account_end_family(change->page->task, change->page->authority, &change->actor,
				  change->named.grant_id, change->named.family_id);
}

/* Each ticked box is one name. */
static enum err read_ticked(const struct change *change, struct widening *widening)
{
	struct page *page = change->page;
	size_t count = form_count(change->form, "scope");
	struct str joined = STR(""), *words;

	if (count > SCOPES_MAX)
		return fail(page->task, ERR_REQUEST, "this was not offered");
	for (size_t i = 0; i < count; i++) {
		struct str name = form_get_nth(change->form, "scope", i);

		if (str_has(name, ' '))
			return fail(page->task, ERR_REQUEST, "a scope's name has a space");
		joined = STR_JOIN(&page->task->arena, joined, i == 0 ? STR("") : STR(" "), name);
	}
	if (scope_parse(page->task, joined, &widening->scope) != OK)
		return ERR_REQUEST;
	words = NEW_ARRAY(&page->task->arena, struct str, widening->scope.count);
	for (size_t i = 0; i < widening->scope.count; i++)
		TRY(installation_words(page, change->view, widening->scope.names[i], &words[i]));
	widening->words = words;
	return OK;
}

static enum err do_widen(const struct change *change)
{
	struct page *page = change->page;
	struct widening widening = {
		.named = change->named,
		.sentences = change->view->sentences,
		.language = locale_tag(page->locale),
		.version = STR(INSTALLATION_VERSION),
		.user_agent = request_field(&page->exchange->request, STR("User-Agent")),
	};

	TRY(read_ticked(change, &widening));
	return installation_widen(page->task, page->authority, &change->actor, &widening);
}

static const struct {
	const char *action;
	enum err (*run)(const struct change *change);
	const char *problem; /* what the page says when the rule wants something else */
} actions[] = {
	{ "name-installation", do_name, "installation.bad_name" },
	{ "pause-installation", do_pause, NULL },
	{ "resume-installation", do_resume, NULL },
	{ "end-installation", do_end, NULL },
	{ "widen-installation", do_widen, "installation.nothing_ticked" },
};

static enum err ask_again(struct page *page, const struct installation_view *view,
			  const char *problem)
{
	log_info(page->task, "installation.asked_again", LOG_STR("reason", page->task->reason));
	task_forgive(page->task);
	data_str(page->data, "problem", page_text(page, problem, NULL));
	return installation_send(page, view, 400);
}

static enum err go_back(struct page *page, const struct change *change, const char *action)
{
	struct arena *arena = &page->task->arena;
	struct str agent = STR_JOIN(arena, STR("/account/agents/"), change->named.grant_id);

	log_info(page->task, "installation.changed", LOG_STR("action", str_from_c(action)),
		 LOG_STR("family", change->named.family_id));
	if (!str_equals(str_from_c(action), STR("end-installation")))
		agent = STR_JOIN(arena, agent, STR("/installations/"), change->named.family_id);
	return page_go(page, STR_JOIN(arena, agent, STR("?done="), str_from_c(action)));
}

static enum err run_action(struct page *page, const struct change *change)
{
	struct str asked = form_get(change->form, "action");

	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		enum err err;

		if (!str_equals(asked, str_from_c(actions[i].action)))
			continue;
		err = actions[i].run(change);
		if (err == ERR_REQUEST && actions[i].problem != NULL)
			return ask_again(page, change->view, actions[i].problem);
		TRY(err);
		return go_back(page, change, actions[i].action);
	}
	return fail(page->task, ERR_REQUEST, "an action that this page does not have");
}

/* The form of the question is for the very words that it showed. */
static enum err check_form(struct page *page, const struct form *form,
			   const struct installation_view *view)
{
	struct arena *arena = &page->task->arena;
	struct str family = page->exchange->request.params[1];
	struct str purpose = STR_JOIN(arena, STR("installation:"), family);

	if (str_equals(form_get(form, "action"), STR("widen-installation")))
		purpose = installation_purpose(arena, &view->family, form_get(form, "shown"));
	return csrf_check(page, form, purpose);
}

enum err web_installation_change(struct exchange *exchange)
{
	struct page page = { 0 };
	struct installation_view view = { 0 };
	struct change change = { .page = &page, .view = &view };
	struct form form;

	TRY(page_open_signed_in(exchange, &page));
	TRY(page_form(&page, &form));
	page.locale = locale_choose(page.web->locales, form_get(&form, "language"),
				    locale_tag(page.locale));
	TRY(installation_view_open(&page, &view));
	TRY(check_form(&page, &form, &view));
	change.form = &form;
	change.actor = acting_person(&page);
	change.named = (struct installation_named){ view.grant.id, view.family.id };
	if (str_equals(form_get(&form, "action"), STR("widen-installation")) &&
	    !str_equals(form_get(&form, "shown"), view.fingerprint))
		return ask_again(&page, &view, "installation.changed");
	return run_action(&page, &change);
}

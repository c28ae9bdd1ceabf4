/* SPDX-License-Identifier: Apache-2.0 */
/* /account/security: the password, and the browsers that are signed in. */
#include "authority/login.h"
#include "authority/people.h"
#include "crypto/base64.h"
#include "crypto/password.h"
#include "store/sessions.h"
#include "web/acting.h"
#include "web/csrf.h"
#include "web/room.h"
#include "web/user_agent.h"
#include "web/words.h"

static void add_browser(const struct page *page, struct str user_agent, struct data *item)
{
	struct str browser = user_agent_browser(user_agent);
	struct str system = user_agent_system(user_agent);

	data_str(item, "user_agent", user_agent);
	data_str(item, "browser", browser);
	data_str(item, "system", system);
	if (browser.at == NULL)
		data_str(item, "browser", page_text(page, "security.unknown", NULL));
	else if (system.at != NULL)
		data_str(item, "browser", page_text(page, "security.browser", item));
}

static enum err add_session(struct page *page, const struct session *session, struct data *item)
{
	struct str user_agent, address;

	TRY(session_describe(page->task, page->authority, &page->user, session, &user_agent,
			     &address));
	add_browser(page, user_agent, item);
	data_str(item, "address", address);
	data_str(item, "session", base64url_encode(&page->task->arena, session->hash));
	words_time(page, data_object(item, "since"), session->created_at);
	words_time(page, data_object(item, "seen"), session->last_seen_at);
	if (str_equals(session->hash, page->session.hash))
		data_true(item, "is_this");
	return OK;
}

static enum err list_sessions(struct page *page, struct session **ret_sessions, size_t *ret_count)
{
	struct db *db = NULL;

	TRY(store_reader(page->task, page->authority->store, &db));
	return session_list(page->task, db, page->user.id, page->task->now, ret_sessions,
			    ret_count);
}

static enum err send_form(struct page *page, unsigned status)
{
	struct data *list = data_array(page->data, "sessions");
	struct session *sessions = NULL;
	size_t count = 0;

	TRY(list_sessions(page, &sessions, &count));
	for (size_t i = 0; i < count; i++)
		TRY(add_session(page, &sessions[i], data_item(list)));
	csrf_add(page, STR("security"));
	data_int(page->data, "password_min", PASSWORD_MIN);
	data_true(page->data, "nav_security");
	return page_send(page, status, "security", "security.title");
}

enum err web_security(struct exchange *exchange)
{
	struct page page = { 0 };

	TRY(page_open_signed_in(exchange, &page));
	TRY(acting_add_done(&page));
	return send_form(&page, 200);
}

static enum err send_problem(struct page *page, enum err err, int64_t retry_after)
{
	static const struct {
		enum err err;
		unsigned status;
		const char *key;
	} problems[] = {
		{ ERR_PASSWORD, 403, "security.wrong" },
		{ ERR_REQUEST, 400, "security.too_short" },
		{ ERR_THROTTLED, 429, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(problems); i++) {
		if (problems[i].err != err)
			continue;
		data_int(page->data, "password_min", PASSWORD_MIN);
		data_str(page->data, "problem",
			 err == ERR_THROTTLED ? words_wait(page, retry_after)
					      : page_text(page, problems[i].key, page->data));
		log_info(page->task, "password.refused",
			 LOG_STR("error", str_from_c(err_name(err))));
		return send_form(page, problems[i].status);
	}
	return err;
}

static enum err change_password(struct page *page, const struct form *form)
{
	struct password_change change = {
		.user = &page->user,
		.session = &page->session,
		.old_password = form_get(form, "password"),
		.new_password = form_get(form, "new_password"),
		.source = page->exchange->request.peer.address,
	};
	enum err err = ERR_REQUEST;

	if (change.old_password.len > 0)
		err = user_change_password(page->task, page->authority, &change);
	if (err != OK)
		return send_problem(page, err, change.retry_after);
	return page_go(page, STR("/account/security?done=password"));
}

static enum err sign_out_everywhere(struct page *page, const struct form *form)
{
	int64_t ended = 0;

	(void)form;
	TRY(logout_everywhere(page->task, page->authority, &page->user, page->session.hash,
			      &ended));
	log_info(page->task, "account.signed_out_everywhere", LOG_INT("sessions", ended));
	return page_go(page, STR("/account/security?done=sign-out-everywhere"));
}

static enum err end_session(struct page *page, const struct form *form)
{
	struct str wanted = form_get(form, "session");
	struct session *sessions = NULL;
	size_t count = 0;

	TRY(list_sessions(page, &sessions, &count));
	for (size_t i = 0; i < count; i++) {
		struct str name = base64url_encode(&page->task->arena, sessions[i].hash);

		if (!str_equals(name, wanted))
			continue;
		TRY(logout(page->task, page->authority, &sessions[i]));
		return page_go(page, STR("/account/security?done=end-session"));
	}
	return fail(page->task, ERR_NOT_FOUND, "no such session");
}

static const struct {
	const char *action;
	enum err (*run)(struct page *page, const struct form *form);
} actions[] = {
	{ "password", change_password },
	{ "sign-out-everywhere", sign_out_everywhere },
	{ "end-session", end_session },
};

enum err web_security_change(struct exchange *exchange)
{
	struct page page = { 0 };
	struct form form;

	TRY(page_open_signed_in(exchange, &page));
	TRY(page_form(&page, &form));
	TRY(csrf_check(&page, &form, STR("security")));
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (str_equals(form_get(&form, "action"), str_from_c(actions[i].action)))
			return actions[i].run(&page, &form);
	return fail(page.task, ERR_REQUEST, "an action that this page does not have");
}

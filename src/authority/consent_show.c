/* SPDX-License-Identifier: Apache-2.0 */
/* What the person is shown. */
#include "authority/consent.h"

#include "authority/device.h"
#include "authority/issue.h"
#include "authority/request.h"
#include "http/address.h"
#include "model/redirect.h"
#include "store/clients.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/requests.h"

/* One that was let in before the newest so many is asked as if it were another program. */
#define FAMILIES_MAX 64

#define SIGN_IN_FRESH_MS (5 * MINUTE_MS)

static enum err check_way_back(struct task *task, const struct authority *authority,
			       const struct consent_view *view)
{
	const struct auth_request *request = &view->request;

	if (auth_request_is_device(request))
		return device_is_for(authority, &view->client)
			       ? OK
			       : fail(task, ERR_NOT_FOUND,
				      "this agent may not ask from a device any more");
	if (client_find_redirect(&view->client, request->redirect_uri).at == NULL)
		return fail(task, ERR_NOT_FOUND,
			    "the address to go back to is not registered any more");
	return OK;
}

/* Client, redirect URI and resource may have changed while the page was open (RU-028). */
static enum err check_still_stands(struct task *task, const struct authority *authority,
				   struct db *db, struct consent_view *view)
{
	const struct auth_request *request = &view->request;
	enum err err = client_find(task, db, request->client_id, &view->client);

	if (err == ERR_NOT_FOUND || (err == OK && view->client.status != CLIENT_ACTIVE))
		return fail(task, ERR_NOT_FOUND, "this agent is not registered here any more");
	TRY(err);
	TRY(check_way_back(task, authority, view));
	view->resource = authority_resource(authority, request->resource);
	if (view->resource == NULL)
		return fail(task, ERR_NOT_FOUND,
			    "what this agent asks for is not offered any more");
	return OK;
}

/* When a browser began with it: a pushed one was waiting until then. */
static int64_t opened_at(const struct auth_request *request)
{
	if (auth_request_is_device(request))
		return request->created_at;
	return request->expires_at - REQUEST_LIFE_MS;
}

/*
 * The person must have signed in recently enough, and, where asked, after the request began. Who
 * signed in for it has time to read, however short max_age is.
 */
static enum err check_sign_in(struct task *task, const struct auth_request *request,
			      const struct session *session, const struct user *user)
{
	bool is_for_it = session->created_at >= opened_at(request);
	int64_t longest = request->max_age * SECOND_MS;

	if (is_for_it && longest < SIGN_IN_FRESH_MS)
		longest = SIGN_IN_FRESH_MS;
	if (request->user_id.at != NULL && !str_equals(request->user_id, user->id))
		return fail(task, ERR_FORBIDDEN,
			    "somebody else was asked; start again at the agent");
	if (str_equals(request->prompt, STR("login")) && !is_for_it)
		return fail(task, ERR_LOGIN_REQUIRED, "the agent asks you to sign in again");
	if (request->max_age >= 0 && task->now - session->created_at > longest)
		return fail(task, ERR_LOGIN_REQUIRED, "the agent asks you to sign in again");
	return OK;
}

static enum err find_grant(struct task *task, struct db *db, struct consent_view *view)
{
	enum err err = grant_find_live(task, db, view->user.id, view->client.id,
				       view->request.resource, &view->grant);

	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	return err;
}

static enum err list_installations(struct task *task, const struct authority *authority,
				   struct consent_view *view)
{
	struct db *db = NULL;

	if (view->grant.id.len == 0)
		return OK;
	TRY(store_reader(task, authority->store, &db));
	return family_list_live(
		task, db, &(struct family_page){ view->grant.id, task->now, CONSENT_INSTALLATIONS },
		&view->installations, &view->installation_count);
}

/* One that is gone or disabled is named all the same: it may come back. */
static enum err find_delegates(struct task *task, struct db *db, struct consent_view *view)
{
	struct scope_set ids = view->client.delegates_to;

	view->delegates = NEW_ARRAY(&task->arena, struct client, ids.count);
	for (size_t i = 0; i < ids.count; i++) {
		struct client *delegate = &view->delegates[i];
		enum err err = client_find(task, db, ids.names[i], delegate);

		if (err != OK && err != ERR_NOT_FOUND)
			return err;
		if (err == ERR_NOT_FOUND) {
			task_forgive(task);
			delegate->id = delegate->name = ids.names[i];
		}
	}
	return OK;
}

static enum err add_device(struct task *task, const struct authority *authority, struct str source,
			   struct consent_view *view)
{
	if (!auth_request_is_device(&view->request))
		return OK;
	view->is_from_elsewhere =
		!str_equals(address_network(&task->arena, view->request.asked_from),
			    address_network(&task->arena, source));
	return device_user_code(task, authority, &view->request, &view->user_code);
}

/* A document that describes another agent than was allowed is no proof of being that one. */
static enum err find_difference(struct task *task, const struct authority *authority, struct db *db,
				struct consent_view *view)
{
	struct standing now = { .user = view->user, .client = view->client, .grant = view->grant };
	struct difference_asked asked = {
		.request = &view->request,
		.now = &now,
		.target = view->resource,
		.offered = issue_offered(task, authority, view->request.resource),
	};
	struct family *families = NULL;

	if (view->grant.id.len == 0 || view->who.has_changed ||
	    difference_proof_of(&view->request, &view->client) == PROOF_NONE)
		return OK;
	TRY(family_list_live(task, db,
			     &(struct family_page){ view->grant.id, task->now, FAMILIES_MAX },
			     &families, &asked.family_count));
	asked.families = families;
	view->difference = difference_find(&task->arena, &asked, task->now);
	return OK;
}

/* Of a request and a client that stand. */
static enum err look_around(struct task *task, const struct authority *authority,
			    const struct consent_asked *asked, struct consent_view *view)
{
	struct db *db = NULL;

	view->user = *asked->user;
	view->duration_max = authority_config(authority)->grant_max_ms;
	view->redirect_is_loopback = redirect_is_loopback(view->request.redirect_uri);
	view->redirect_host = redirect_host(view->request.redirect_uri);
	TRY(store_reader(task, authority->store, &db));
	TRY(find_delegates(task, db, view));
	TRY(find_grant(task, db, view));
	TRY(recognise(task, db,
		      &(struct recognise_wish){ &view->client, view->user.id,
						view->request.redirect_uri, &view->grant },
		      &view->who));
	return find_difference(task, authority, db, view);
}

static enum err open_view(struct task *task, const struct authority *authority,
			  const struct consent_asked *asked, struct consent_view *view)
{
	struct db *db = NULL;

	TRY(auth_request_load(task, authority, asked->request_id, asked->browser, &view->request));
	TRY(check_sign_in(task, &view->request, asked->session, asked->user));
	TRY(store_reader(task, authority->store, &db));
	TRY(check_still_stands(task, authority, db, view));
	TRY(add_device(task, authority, asked->source, view));
	return look_around(task, authority, asked, view);
}

enum err consent_show(struct task *task, const struct authority *authority,
		      const struct consent_asked *asked, struct consent_view *ret_view)
{
	struct consent_view *view = NEW(&task->arena, struct consent_view);

	TRY(open_view(task, authority, asked, view));
	if (view->request.state != REQUEST_PENDING)
		return fail(task, ERR_CONFLICT, "this request was answered already");
	TRY(list_installations(task, authority, view));
	*ret_view = *view;
	return OK;
}

enum err consent_show_new(struct task *task, const struct authority *authority,
			  const struct consent_asked *asked, struct authorize_wish *wish,
			  struct consent_view *ret_view)
{
	struct consent_view *view = NEW(&task->arena, struct consent_view);
	struct auth_request *request = &wish->request;

	TRY(check_sign_in(task, request, asked->session, asked->user));
	view->request = *request;
	view->client = wish->client;
	view->resource = wish->resource;
	TRY(look_around(task, authority, asked, view));
	TRY(list_installations(task, authority, view));
	request->user_id = asked->user->id;
	request->shown_at = task->now;
	*ret_view = *view;
	return OK;
}

static enum err write_shown(struct task *task, struct db *db, void *arg)
{
	const struct consent_view *view = arg;

	return auth_request_show(task, db, view->request.id, view->user.id, task->now);
}

enum err consent_shown(struct task *task, const struct authority *authority,
		       struct consent_view *view, then_fn *then)
{
	return store_submit_relaxed(task, authority->store, write_shown, view, then);
}

enum err consent_reopen(struct task *task, const struct authority *authority,
			const struct consent_asked *asked, struct consent_view *ret_view)
{
	struct consent_view *view = NEW(&task->arena, struct consent_view);

	TRY(open_view(task, authority, asked, view));
	*ret_view = *view;
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/recognise.h"

#include "authority/documents.h"
#include "base/json.h"
#include "base/url.h"
#include "base/url_domain.h"
#include "base/url_spoof.h"
#include "crypto/base64.h"
#include "store/clients.h"
#include "store/events.h"

#define DETAILS_MAX (64 * 1024)
#define TWINS_MAX   200 /* agents whose names are compared */

/* https to the domain that publishes the document: nobody else can receive the answer there. */
static bool is_sent_to(struct arena *arena, struct str redirect_uri, struct str domain)
{
	struct url url;

	return url_parse(redirect_uri, &url) == OK && str_equals(url.scheme, STR("https")) &&
	       str_equals_nocase(url_registrable_domain(arena, url.host), domain);
}

/* The newest consent that the grant rests on; STR_NONE when it has none. */
static struct str consent_of(const struct grant *grant)
{
	const struct permission *newest = NULL;

	for (size_t i = 0; i < grant->permission_count; i++)
		if (newest == NULL || grant->permissions[i].granted_at > newest->granted_at)
			newest = &grant->permissions[i];
	return newest == NULL ? STR_NONE : newest->consent_event;
}

/* A consent says what it was about; one that does not, or is gone, says nothing. */
enum err recognise_consented(struct task *task, struct db *db, const struct grant *grant,
			     struct str *ret_identity)
{
	CLEANUP(json_unref) json_t *details = NULL;
	struct str consent = consent_of(grant);
	struct event event = { 0 };
	enum err err;

	*ret_identity = STR_NONE;
	if (grant->id.len == 0 || consent.at == NULL)
		return OK;
	err = event_find(task, db, consent, &event);
	if (err == ERR_NOT_FOUND || (err == OK && event.details.at == NULL)) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	TRY(json_parse(task, event.details, DETAILS_MAX, &details));
	*ret_identity = str_copy(&task->arena, json_get_str(details, "identity"));
	return OK;
}

static enum err find_change(struct task *task, struct db *db, const struct recognise_wish *wish,
			    bool *ret_has)
{
	struct str then, now;

	TRY(recognise_consented(task, db, wish->grant, &then));
	now = base64url_encode(&task->arena, document_identity(&task->arena, wish->client));
	*ret_has = then.len > 0 && !str_equals(then, now);
	return OK;
}

/* Of the same publisher it is no other agent that is meant to be taken for it. */
static bool is_relative(struct arena *arena, const struct client *one, const struct client *other)
{
	if (!document_is_meant(one->id) || !document_is_meant(other->id))
		return false;
	return str_equals(url_registrable_domain(arena, document_domain(one->id)),
			  url_registrable_domain(arena, document_domain(other->id)));
}

static enum err find_twin(struct task *task, struct db *db, const struct recognise_wish *wish,
			  struct str *ret_name)
{
	struct str own = name_skeleton(&task->arena, wish->client->name);
	struct client *others = NULL;
	size_t count = 0;

	*ret_name = STR_NONE;
	TRY(client_list_trusted(task, db, wish->user_id, TWINS_MAX, &others, &count));
	for (size_t i = 0; i < count; i++) {
		if (str_equals(others[i].id, wish->client->id) ||
		    is_relative(&task->arena, wish->client, &others[i]) ||
		    !str_equals(name_skeleton(&task->arena, others[i].name), own))
			continue;
		*ret_name = others[i].name;
		return OK;
	}
	return OK;
}

/* What cannot be read is taken for what it may be. */
static bool host_mixes_scripts(struct arena *arena, struct str host)
{
	struct str text;

	return !url_host_unicode(arena, host, &text) || name_mixes_scripts(text);
}

enum err recognise(struct task *task, struct db *db, const struct recognise_wish *wish,
		   struct recognised *ret)
{
	const struct client *client = wish->client;
	struct document_row row = { 0 };
	struct arena *arena = &task->arena;
	bool is_known = false;

	*ret = (struct recognised){ .is_operators = str_equals(client->kind, STR("operator")) };
	if (ret->is_operators)
		return OK;
	TRY(client_was_allowed(task, db, client->id, STR_NONE, &is_known));
	ret->is_first = !is_known;
	ret->mixes_scripts = name_mixes_scripts(client->name);
	TRY(find_twin(task, db, wish, &ret->twin));
	TRY(find_change(task, db, wish, &ret->has_changed));
	if (!document_is_meant(client->id))
		return OK;
	TRY(document_find(task, db, client->id, &row));
	ret->document_hash = row.hash;
	ret->host = document_host(client->id);
	ret->domain = url_registrable_domain(arena, document_domain(client->id));
	ret->is_proven = client->auth == CLIENT_AUTH_PRIVATE_KEY ||
			 is_sent_to(arena, wish->redirect_uri, ret->domain);
	ret->mixes_scripts = ret->mixes_scripts ||
			     host_mixes_scripts(arena, document_domain(client->id));
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/document_keep.h"

#include "authority/events.h"
#include "authority/key_sets.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jwk.h"
#include "crypto/jwk_set.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/key_sets.h"

#define DETAILS_MAX 512

struct str document_identity(struct arena *arena, const struct client *client)
{
	struct str text = client->name;

	/* neither a name nor a URI has a line break */
	for (size_t i = 0; i < client->redirect_count; i++)
		text = STR_JOIN(arena, text, STR("\n"), client->redirect_uris[i]);
	return sha256_str(arena, text);
}

/* What the operator pins is what the operator wrote. */
static enum err check_keys_uri(struct task *task, const struct config *config,
			       const struct key_set_place *place)
{
	if (document_check_jwks_uri(task, place->uri, config->client_metadata_loopback) != OK)
		return ERR_CLIENT_DOCUMENT; /* the reason is noted */
	if (key_set_check_place(task, config, place) != OK)
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "jwks_uri: keys are not read from that domain here");
	return OK;
}

enum err document_keep_plan(struct task *task, struct str url, struct str text,
			    struct document_keep *keep)
{
	const struct config *config = authority_config(keep->authority);
	struct document *document = &keep->document;
	bool is_pinned = keep->user_id.at == NULL;
	enum alg alg;

	TRY(document_parse(task, url, text, config->redirect_schemes, config->redirect_scheme_count,
			   document));
	if (document->client.jwks.at != NULL &&
	    jwk_set_check(task, document->client.jwks, &document->client.jwks) != OK)
		return ERR_CLIENT_DOCUMENT; /* the reason is noted */
	if (document->client.jwks_uri.at != NULL)
		TRY(check_keys_uri(
			task, config,
			&(struct key_set_place){ url, document->client.jwks_uri, is_pinned }));
	if (document->client.auth_alg.at != NULL &&
	    alg_from_name(task, document->client.auth_alg, &alg) != OK)
		return ERR_CLIENT_DOCUMENT; /* the reason is noted */
	if (document->is_bound)
		document->client.dpop_bound_at = task->now;
	document->client.created_at = task->now;
	document->client.par_required_at = document->requires_par ? task->now : 0;
	keep->row = (struct document_row){
		.client_id = url,
		.host = document_host(url),
		.hash = sha256_str(&task->arena, text),
		.identity = document_identity(&task->arena, &document->client),
		.fetched_at = keep->began_at,
		.fresh_until = task->now + keep->life,
		.pinned_at = is_pinned ? task->now : 0,
	};
	if (document->keys.at != NULL)
		keep->row.keys = sha256_str(&task->arena, document->keys);
	keep->event = event_new(task, STR("client.document"),
				is_pinned ? STR("operator") : STR("user"));
	keep->event.user_id = keep->user_id;
	keep->event.client_id = url;
	return OK;
}

static bool has_same_uris(const struct client *one, const struct client *other)
{
	bool is_same = one->redirect_count == other->redirect_count;

	for (size_t i = 0; is_same && i < one->redirect_count; i++)
		is_same = str_equals(one->redirect_uris[i], other->redirect_uris[i]);
	return is_same;
}

/* What is another than before; nothing of a client that is new. */
struct difference {
	bool is_new, name, redirect_uris, keys, dpop_bound, is_pinned;
};

/* *ret_before is the client as it was, if it was. */
static enum err compare(struct task *task, struct db *db, const struct document_keep *keep,
			struct client *ret_before, struct difference *ret)
{
	const struct client *client = &keep->document.client;
	struct document_row row = { 0 };
	struct client before = { 0 };
	enum err err = document_find(task, db, client->id, &row);

	*ret = (struct difference){ .is_new = err == ERR_NOT_FOUND,
				    .is_pinned = keep->row.pinned_at != 0 };
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	TRY(client_find(task, db, client->id, &before));
	*ret_before = before;
	ret->name = !str_equals(before.name, client->name);
	ret->redirect_uris = !has_same_uris(&before, client);
	ret->keys = !str_equals(row.keys, keep->row.keys);
	ret->dpop_bound = before.dpop_set_at == 0 &&
			  (before.dpop_bound_at != 0) != (client->dpop_bound_at != 0);
	return OK;
}

static bool is_worth_an_event(const struct difference *is)
{
	return is->is_new || is->is_pinned || is->name || is->redirect_uris || is->keys ||
	       is->dpop_bound;
}

static enum err describe(struct task *task, const struct difference *difference,
			 struct str *ret_details)
{
	const struct {
		const char *name;
		bool is;
	} members[] = {
		{ "new", difference->is_new }, { "pinned", difference->is_pinned },
		{ "name", difference->name },  { "redirect_uris", difference->redirect_uris },
		{ "keys", difference->keys },  { "dpop_bound", difference->dpop_bound }
	};
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_key(&json, "changed");
	json_open_array(&json);
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (members[i].is)
			json_add_str(&json, str_from_c(members[i].name));
	json_close(&json);
	json_close(&json);
	return buf_finish(&buf, ret_details);
}

/* Of one that somebody allowed something the jobs read the keys. */
static enum err check_reach(struct task *task, struct db *db, const struct document_keep *keep,
			    const struct client *before)
{
	struct client client = keep->document.client;
	bool is_in_use = false;

	if (before->par_set_at != 0)
		client.par_required_at = before->par_required_at;
	if (keep->row.pinned_at != 0 ||
	    !key_set_comes_too_late(authority_config(keep->authority), &client))
		return OK;
	TRY(client_was_allowed(task, db, client.id, STR_NONE, &is_in_use));
	if (is_in_use)
		return OK;
	return fail(task, ERR_CLIENT_DOCUMENT,
		    "it must push its requests before anybody is asked, and until then nobody "
		    "reads keys that are elsewhere: jwks has to take the place of jwks_uri");
}

enum err document_keep_write(struct task *task, struct db *db, void *arg)
{
	struct document_keep *keep = arg;
	struct event event = keep->event;
	struct difference difference;
	struct client before = { 0 };

	TRY(compare(task, db, keep, &before, &difference));
	TRY(check_reach(task, db, keep, &before));
	TRY(document_put(task, db, &keep->row, &keep->document.client, &keep->is_kept));
	if (keep->is_kept) /* of who was not pinned, when somebody is asked about it */
		TRY(key_set_want(task, db, keep->row.client_id, keep->document.client.jwks_uri,
				 keep->row.pinned_at == 0 ? 0 : task->now));
	if (!keep->is_kept || !is_worth_an_event(&difference))
		return OK;
	TRY(describe(task, &difference, &event.details));
	return event_insert(task, db, &event);
}

enum err document_pin(struct task *task, const struct authority *authority, struct str url,
		      struct str text)
{
	struct document_keep *keep = NEW(&task->arena, struct document_keep);

	keep->authority = authority;
	keep->began_at = task->now;
	TRY(document_check_url(task, url, authority_config(authority)->client_metadata_loopback));
	TRY(document_keep_plan(task, url, text, keep));
	return store_write(task, authority->store, document_keep_write, keep);
}

static enum err write_unpin(struct task *task, struct db *db, void *arg)
{
	const struct event *event = arg;

	TRY(document_unpin(task, db, event->client_id));
	return event_insert(task, db, event);
}

enum err document_unpin_for_operator(struct task *task, const struct authority *authority,
				     struct str url)
{
	struct event event = event_new(task, STR("client.unpinned"), STR("operator"));

	event.client_id = url;
	return store_write(task, authority->store, write_unpin, &event);
}

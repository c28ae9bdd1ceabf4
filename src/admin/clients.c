/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/clients.h"

#include "admin/room.h"
#include "authority/documents.h"
#include "authority/registration.h"
#include "crypto/jwk_set.h"
#include "store/clients.h"
#include "store/key_sets.h"

static const struct member create_members[] = {
	{ "client_id", MEMBER_TEXT, true },	  { "name", MEMBER_TEXT, true },
	{ "redirect_uris", MEMBER_ARRAY, false }, { "public", MEMBER_YES_NO, false },
	{ "client_secret", MEMBER_TEXT, false },  { "auth", MEMBER_TEXT, false },
	{ "grant_types", MEMBER_ARRAY, false },	  { "scope", MEMBER_TEXT, false },
	{ "resource", MEMBER_TEXT, false },	  { "jwks", MEMBER_OBJECT, false },
	{ "auth_alg", MEMBER_TEXT, false },	  { "dpop_bound", MEMBER_YES_NO, false },
	{ "delegates_to", MEMBER_ARRAY, false },  { "par_required", MEMBER_YES_NO, false },
	{ "refresh", MEMBER_TEXT, false },	  { "jwks_uri", MEMBER_TEXT, false },
};

static const struct member update_members[] = {
	{ "name", MEMBER_TEXT, false },		 { "redirect_uris", MEMBER_ARRAY, false },
	{ "grant_types", MEMBER_ARRAY, false },	 { "scope", MEMBER_TEXT, false },
	{ "resource", MEMBER_TEXT, false },	 { "delegates_to", MEMBER_ARRAY, false },
	{ "client_secret", MEMBER_TEXT, false }, { "generate_secret", MEMBER_YES_NO, false },
	{ "jwks", MEMBER_OBJECT, false },	 { "auth_alg", MEMBER_TEXT, false },
	{ "dpop_bound", MEMBER_YES_NO, false },	 { "par_required", MEMBER_YES_NO, false },
	{ "refresh", MEMBER_TEXT, false },	 { "jwks_uri", MEMBER_TEXT, false },
};

static const struct member pin_members[] = { { "document", MEMBER_TEXT, true } };

static void write_uris(struct json_writer *json, const struct client *client)
{
	json_key(json, "redirect_uris");
	json_open_array(json);
	for (size_t i = 0; i < client->redirect_count; i++)
		json_add_str(json, client->redirect_uris[i]);
	json_close(json);
}

static void write_delegates(struct json_writer *json, const struct client *client)
{
	json_key(json, "delegates_to");
	json_open_array(json);
	for (size_t i = 0; i < client->delegates_to.count; i++)
		json_add_str(json, client->delegates_to.names[i]);
	json_close(json);
}

static void write_grant_types(struct json_writer *json, struct arena *arena,
			      const struct client *client)
{
	struct str rest = grant_types_text(arena, client->grant_types), word;

	json_key(json, "grant_types");
	json_open_array(json);
	while (str_next(&rest, ' ', &word))
		if (word.len > 0)
			json_add_str(json, word);
	json_close(json);
}

/* Of keys that it publishes elsewhere: when they were read, and why not the last time. */
static enum err write_key_set(struct exchange *exchange, struct json_writer *json,
			      const struct client *client)
{
	struct task *task = &exchange->task;
	struct key_set_row row = { 0 };
	struct db *db = NULL;
	enum err err;

	if (client->jwks_uri.at == NULL)
		return OK;
	json_member_str(json, "jwks_uri", client->jwks_uri);
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	err = key_set_find(task, db, client->id, &row);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	if (row.jwks.at != NULL) {
		json_key(json, "jwks");
		json_add_raw(json, row.jwks);
	}
	member_time(json, &task->arena, "jwks_read_at", row.read_at);
	member_text(json, "jwks_problem", row.problem);
	return OK;
}

static enum err write_client(struct exchange *exchange, struct json_writer *json, const void *item)
{
	struct arena *arena = &exchange->task.arena;
	const struct client *client = item;

	json_member_str(json, "client_id", client->id);
	json_member_str(json, "name", client->name);
	json_member_str(json, "kind", client->kind);
	json_member_str(json, "status",
			client->status == CLIENT_ACTIVE ? STR("active") : STR("disabled"));
	json_member_str(json, "auth", client_auth_name(client->auth));
	write_uris(json, client);
	write_grant_types(json, arena, client);
	json_member_str(json, "scope", scope_text(arena, client->scope));
	member_text(json, "resource", client->resource);
	if (client->jwks.at != NULL) {
		json_key(json, "jwks");
		json_add_raw(json, client->jwks);
	}
	TRY(write_key_set(exchange, json, client));
	if (client->auth_alg.at != NULL)
		json_member_str(json, "auth_alg", client->auth_alg);
	json_member_bool(json, "dpop_bound", client->dpop_bound_at != 0);
	json_member_bool(json, "par_required", client->par_required_at != 0);
	json_member_str(json, "refresh",
			client->refresh_kept_at != 0 ? STR("sender-constrained") : STR("rotation"));
	write_delegates(json, client);
	member_time(json, arena, "created_at", client->created_at);
	member_time(json, arena, "disabled_at", client->disabled_at);
	return OK;
}

static const struct list_shape list_shape = { "clients", sizeof(struct client),
					      offsetof(struct client, id), write_client };

static enum err answer_client(struct exchange *exchange, unsigned status,
			      const struct client *client, struct str secret)
{
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	json_open_object(&json);
	TRY(write_client(exchange, &json, client));
	if (secret.at != NULL)
		json_member_str(&json, "client_secret", secret);
	json_close(&json);
	return admin_answer(exchange, status, &buf);
}

static enum err answer_found(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct client client = { 0 };
	struct db *db = NULL;

	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(client_find(task, db, exchange->request.params[0], &client));
	return answer_client(exchange, 200, &client, STR_NONE);
}

enum err clients_list(struct exchange *exchange)
{
	static const char *const allowed[] = { "after", "limit", NULL };
	struct task *task = &exchange->task;
	struct client *clients = NULL;
	struct list_query query;
	struct db *db = NULL;
	size_t count = 0;

	TRY(admin_query(exchange, allowed, &query));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(client_list(task, db, query.after, query.limit, &clients, &count));
	return admin_answer_list(exchange, &list_shape, clients, count, query.limit);
}

/* The texts of a list; ERR_REQUEST when one is something else. */
static enum err take_texts(struct task *task, const json_t *list, const char *name, size_t max,
			   struct str **ret_texts)
{
	size_t count = json_array_size(list);
	struct str *texts;

	if (count > max)
		return failf(task, ERR_REQUEST, "%s: at most %zu", name, max);
	texts = NEW_ARRAY(&task->arena, struct str, count);
	for (size_t i = 0; i < count; i++) {
		const json_t *text = json_array_get(list, i);

		if (!json_is_string(text))
			return failf(task, ERR_REQUEST, "%s[%zu]: must be a text in quotes", name,
				     i);
		texts[i] = str_copy(&task->arena, (struct str){ json_string_value(text),
								json_string_length(text) });
	}
	*ret_texts = texts;
	return OK;
}

static enum err take_redirects(struct task *task, const json_t *body, const struct str **ret_uris,
			       size_t *ret_count)
{
	const json_t *list = json_object_get(body, "redirect_uris");
	struct str *texts = NULL;

	TRY(take_texts(task, list, "redirect_uris", CLIENT_REDIRECTS, &texts));
	*ret_uris = texts;
	*ret_count = json_array_size(list);
	return OK;
}

static enum err take_delegates(struct task *task, const json_t *body, struct scope_set *ret_set)
{
	const json_t *list = json_object_get(body, "delegates_to");
	struct str *ids = NULL;

	TRY(take_texts(task, list, "delegates_to", CLIENT_DELEGATES, &ids));
	*ret_set = (struct scope_set){ ids, json_array_size(list) };
	return OK;
}

/* 0 when there are none. */
static enum err take_grant_types(struct task *task, const json_t *body, unsigned *ret_types)
{
	const json_t *list = json_object_get(body, "grant_types");
	struct str *words = NULL, text = STR("");

	*ret_types = 0;
	if (json_array_size(list) == 0)
		return OK;
	TRY(take_texts(task, list, "grant_types", 8, &words));
	for (size_t i = 0; i < json_array_size(list); i++)
		text = STR_JOIN(&task->arena, text, i > 0 ? STR(" ") : STR(""), words[i]);
	return grant_types_parse(task, text, ret_types);
}

/* STR_NONE when there are none. */
static enum err take_keys(struct task *task, const json_t *body, struct str *ret_jwks)
{
	const json_t *jwks = json_object_get(body, "jwks");

	*ret_jwks = STR_NONE;
	return jwks == NULL ? OK : json_print(task, jwks, JWK_SET_MAX, ret_jwks);
}

/* RFC 9700 4.14.2 names the two. */
static enum err take_refresh(struct task *task, const json_t *body, bool *ret_kept)
{
	struct str word = json_get_str(body, "refresh");

	*ret_kept = str_equals(word, STR("sender-constrained"));
	if (word.at == NULL || *ret_kept || str_equals(word, STR("rotation")))
		return OK;
	return fail(task, ERR_REQUEST, "refresh is rotation or sender-constrained");
}

static enum err take_auth(struct task *task, const json_t *body, struct client *client)
{
	struct str auth = json_get_str(body, "auth");
	bool is_public = json_is_true(json_object_get(body, "public")), is_kept;

	TRY(take_keys(task, body, &client->jwks));
	client->jwks_uri = json_get_str(body, "jwks_uri");
	client->auth_alg = json_get_str(body, "auth_alg");
	if (json_is_true(json_object_get(body, "dpop_bound")))
		client->dpop_bound_at = task->now;
	if (json_is_true(json_object_get(body, "par_required")))
		client->par_required_at = task->now;
	TRY(take_refresh(task, body, &is_kept));
	client->refresh_kept_at = is_kept ? task->now : 0;
	client->auth = is_public ? CLIENT_AUTH_NONE
		       : client->jwks.at != NULL || client->jwks_uri.at != NULL
			       ? CLIENT_AUTH_PRIVATE_KEY
			       : CLIENT_AUTH_POST; /* which lets Basic in, too */
	if (auth.at == NULL)
		return OK;
	TRY(client_auth_from_name(task, auth, &client->auth));
	if (is_public != (client->auth == CLIENT_AUTH_NONE))
		return fail(task, ERR_REQUEST,
			    "auth is \"none\" for a public client, and only then");
	return OK;
}

static enum err take_wish(struct task *task, const json_t *body, struct new_client *ret_wish)
{
	struct new_client wish = { .secret = json_get_str(body, "client_secret"),
				   .resource = json_get_str(body, "resource") };
	struct client *client = &wish.client;

	client->id = json_get_str(body, "client_id");
	client->name = json_get_str(body, "name");
	TRY(take_redirects(task, body, &client->redirect_uris, &client->redirect_count));
	TRY(take_grant_types(task, body, &client->grant_types));
	/* without a word: what an agent with a redirect URI needs, or one that acts as itself */
	if (client->grant_types == 0)
		client->grant_types = client->redirect_count > 0
					      ? GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN
					      : GRANT_CLIENT_CREDENTIALS;
	TRY(take_auth(task, body, client));
	TRY(scope_parse(task, json_get_str(body, "scope"), &client->scope));
	TRY(take_delegates(task, body, &client->delegates_to));
	*ret_wish = wish;
	return OK;
}

enum err clients_create(struct exchange *exchange)
{
	CLEANUP(json_unref) json_t *body = NULL;
	struct task *task = &exchange->task;
	struct client client = { 0 };
	struct str secret = STR_NONE;
	struct new_client wish;

	TRY(admin_body(exchange, create_members, COUNT_OF(create_members), &body));
	TRY(take_wish(task, body, &wish));
	TRY(client_create(task, admin_authority(exchange), &wish, &client, &secret));
	return answer_client(exchange, 201, &client, secret);
}

/* An empty list would be a wish to take all away, which no client can live with. */
static enum err refuse_empty(struct task *task, const json_t *body, const char *name)
{
	const json_t *list = json_object_get(body, name);

	if (list != NULL && json_array_size(list) == 0)
		return failf(task, ERR_REQUEST, "%s: may not be empty", name);
	return OK;
}

static enum err take_change(struct task *task, const json_t *body, struct client_change *change)
{
	struct scope_set *scope = NEW(&task->arena, struct scope_set);
	struct scope_set *delegates = NEW(&task->arena, struct scope_set);
	bool generates = json_is_true(json_object_get(body, "generate_secret")), is_kept;

	change->name = json_get_str(body, "name");
	change->resource = json_get_str(body, "resource");
	change->secret = json_get_str(body, "client_secret");
	change->new_secret = generates || change->secret.at != NULL;
	if (generates && change->secret.at != NULL)
		return fail(task, ERR_REQUEST, "client_secret or generate_secret, not both");
	TRY(refuse_empty(task, body, "redirect_uris"));
	TRY(refuse_empty(task, body, "grant_types"));
	TRY(take_redirects(task, body, &change->redirect_uris, &change->redirect_count));
	TRY(take_grant_types(task, body, &change->grant_types));
	TRY(take_keys(task, body, &change->jwks));
	change->jwks_uri = json_get_str(body, "jwks_uri");
	if (change->jwks.at != NULL && change->jwks_uri.at != NULL)
		return fail(task, ERR_REQUEST, "jwks or jwks_uri, not both");
	change->auth_alg = json_get_str(body, "auth_alg");
	if (json_object_get(body, "dpop_bound") != NULL)
		change->dpop = json_is_true(json_object_get(body, "dpop_bound")) ? DPOP_REQUIRED
										 : DPOP_OPTIONAL;
	if (json_object_get(body, "par_required") != NULL)
		change->par = json_is_true(json_object_get(body, "par_required")) ? PAR_REQUIRED
										  : PAR_OPTIONAL;
	TRY(take_refresh(task, body, &is_kept));
	if (json_object_get(body, "refresh") != NULL)
		change->refresh = is_kept ? REFRESH_KEPT : REFRESH_ROTATES;
	TRY(take_delegates(task, body, delegates));
	change->delegates_to = json_object_get(body, "delegates_to") == NULL ? NULL : delegates;
	if (json_object_get(body, "scope") == NULL)
		return OK;
	TRY(scope_parse(task, json_get_str(body, "scope"), scope));
	change->scope = scope;
	return OK;
}

enum err clients_update(struct exchange *exchange)
{
	CLEANUP(json_unref) json_t *body = NULL;
	struct task *task = &exchange->task;
	struct client_change change = { .id = exchange->request.params[0] };
	struct client client = { 0 };
	struct str secret = STR_NONE;

	TRY(admin_body(exchange, update_members, COUNT_OF(update_members), &body));
	TRY(take_change(task, body, &change));
	TRY(client_change(task, admin_authority(exchange), &change, &client, &secret));
	return answer_client(exchange, 200, &client, secret);
}

enum err clients_show(struct exchange *exchange)
{
	return answer_found(exchange);
}

enum err clients_remove(struct exchange *exchange)
{
	struct str id = exchange->request.params[0];
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(registration_forget(&exchange->task, admin_authority(exchange), id));
	json_open_object(&json);
	json_member_str(&json, "removed", id);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

enum err clients_disable(struct exchange *exchange)
{
	TRY(client_disable(&exchange->task, admin_authority(exchange),
			   exchange->request.params[0]));
	return answer_found(exchange);
}

enum err clients_enable(struct exchange *exchange)
{
	TRY(client_enable(&exchange->task, admin_authority(exchange), exchange->request.params[0]));
	return answer_found(exchange);
}

enum err clients_pin(struct exchange *exchange)
{
	CLEANUP(json_unref) json_t *body = NULL;

	TRY(admin_body(exchange, pin_members, COUNT_OF(pin_members), &body));
	TRY(document_pin(&exchange->task, admin_authority(exchange), exchange->request.params[0],
			 json_get_str(body, "document")));
	return answer_found(exchange);
}

enum err clients_unpin(struct exchange *exchange)
{
	TRY(document_unpin_for_operator(&exchange->task, admin_authority(exchange),
					exchange->request.params[0]));
	return answer_found(exchange);
}

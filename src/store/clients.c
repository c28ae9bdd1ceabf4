/* SPDX-License-Identifier: Apache-2.0 */
#include "store/clients.h"

#include "base/buf.h"
#include "base/task.h"
#include "model/details.h"
#include "model/redirect.h"
#include "store/ended.h"
#include "store/rows.h"

#define URIS_MAX ((REDIRECT_URI_MAX + 1) * CLIENT_REDIRECTS)

static STATEMENT CLIENT_INSERT = {
	"INSERT INTO clients (id, name, kind, auth, secret_hash, secret_expires_at, redirect_uris,"
	" grant_types, scope, resource, delegates_to, not_before, created_at, disabled_at, jwks,"
	" auth_alg, dpop_bound_at, par_required_at, refresh_kept_at, jwks_uri, dpop_set_at,"
	" par_set_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	" $16, $17, $18, $19, $20, $21, $22)"
	" ON CONFLICT DO NOTHING"
};

#define CLIENT_SELECT                                                                              \
	"SELECT id, name, kind, auth, secret_hash, secret_expires_at, redirect_uris, grant_types," \
	" scope, resource, delegates_to, not_before, created_at, disabled_at, jwks, auth_alg,"     \
	" dpop_bound_at, par_required_at, refresh_kept_at, jwks_uri, dpop_set_at, par_set_at"      \
	" FROM clients"

static STATEMENT CLIENT_FIND = { CLIENT_SELECT " WHERE id = $1" };
static STATEMENT CLIENT_LIST = { CLIENT_SELECT " WHERE id > $1 ORDER BY id LIMIT $2" };
static STATEMENT CLIENT_SET_DISABLED = {
	"UPDATE clients SET disabled_at = $2,"
	" not_before = CASE WHEN not_before < $3 THEN $3 ELSE not_before END WHERE id = $1"
	/* who deleted its registration does not come back */
	" AND NOT ($2 IS NULL AND EXISTS (SELECT 1 FROM registrations r"
	" WHERE r.client_id = $1 AND r.ended_at IS NOT NULL))"
};
static STATEMENT CLIENT_UPDATE = {
	"UPDATE clients SET name = $2, redirect_uris = $3, grant_types = $4, scope = $5,"
	" resource = $6, secret_hash = $7, jwks = $8, auth_alg = $9, dpop_bound_at = $10,"
	" delegates_to = $11, auth = $12, par_required_at = $13, refresh_kept_at = $14,"
	" jwks_uri = $15, dpop_set_at = $16, par_set_at = $17"
	" WHERE id = $1"
};

static STATEMENT CLIENT_ADD_DOCUMENT = {
	"INSERT INTO clients (id, name, kind, auth, redirect_uris, grant_types, scope,"
	" delegates_to, not_before, created_at, jwks, par_required_at, auth_alg, dpop_bound_at,"
	" jwks_uri) VALUES ($1, $2, $3, $4, $5, $6, '', '', 0, $7, $8, $9, $10, $11, $12)"
	" ON CONFLICT DO NOTHING"
};
static STATEMENT CLIENT_PUT_DOCUMENT = {
	"UPDATE clients SET name = $2, auth = $4, redirect_uris = $5, grant_types = $6, jwks = $7,"
	" auth_alg = $9, jwks_uri = $11,"
	/* the operator's word counts, and without one that of the document alone */
	" par_required_at = CASE WHEN par_set_at IS NOT NULL OR $8 > par_required_at"
	" THEN par_required_at ELSE $8 END,"
	" dpop_bound_at = CASE WHEN dpop_set_at IS NOT NULL OR $10 > dpop_bound_at"
	" THEN dpop_bound_at ELSE $10 END WHERE id = $1 AND kind = $3"
};

static STATEMENT CLIENT_TRUSTED = {
	"SELECT id, name FROM clients WHERE kind = 'operator' OR id IN"
	" (SELECT client_id FROM grants WHERE user_id = $1)"
	/* the person's own first: of so many of the operator's they must not fall off the end */
	" ORDER BY CASE WHEN id IN (SELECT client_id FROM grants WHERE user_id = $1) THEN 0"
	" ELSE 1 END, id LIMIT $2"
};

static STATEMENT CLIENT_ALLOWED = { "SELECT client_id, id FROM grants WHERE client_id = $1"
				    " LIMIT 1" };
static STATEMENT CLIENT_ALLOWED_BY = { "SELECT client_id, id FROM grants WHERE user_id = $2"
				       " AND client_id = $1 LIMIT 1" };

/* One per line: a URI has no white space. */
static enum err uris_text(struct task *task, const struct client *client, struct str *ret_text)
{
	struct buf buf = buf_in(&task->arena, URIS_MAX);

	for (size_t i = 0; i < client->redirect_count; i++) {
		if (i > 0)
			buf_add_char(&buf, '\n');
		buf_add(&buf, client->redirect_uris[i]);
	}
	return buf_finish(&buf, ret_text);
}

static enum err uris_read(struct task *task, struct str text, struct client *client)
{
	struct str *uris = NEW_ARRAY(&task->arena, struct str, CLIENT_REDIRECTS);
	struct str rest = text;

	client->redirect_uris = uris;
	client->redirect_count = 0;
	while (rest.len > 0) {
		if (client->redirect_count == CLIENT_REDIRECTS)
			return fail(task, ERR_STORE, "a client with too many redirect URIs");
		if (!str_next(&rest, '\n', &uris[client->redirect_count++]))
			break;
	}
	return OK;
}

/* What the row says is ours; if it does not parse, the row was tampered with. */
enum err row_scope(struct task *task, struct sql_row *row, struct scope_set *set)
{
	if (scope_parse(task, row_str(task, row), set) != OK)
		return fail(task, ERR_STORE, "a row with a malformed scope");
	return OK;
}

enum err row_details(struct task *task, struct sql_row *row, struct details *details)
{
	if (details_read(task, row_str(task, row), details) != OK)
		return fail(task, ERR_STORE, "a row with malformed authorization_details");
	return OK;
}

enum err row_client(struct task *task, struct sql_row *row, struct client *client)
{
	client->id = row_str(task, row);
	client->name = row_str(task, row);
	client->kind = row_str(task, row);
	if (client_auth_from_name(task, row_str(task, row), &client->auth) != OK)
		return fail(task, ERR_STORE, "a client with an unknown authentication");
	client->secret_hash = row_str(task, row);
	client->secret_expires_at = row_int(row);
	TRY(uris_read(task, row_str(task, row), client));
	if (grant_types_parse(task, row_str(task, row), &client->grant_types) != OK)
		return fail(task, ERR_STORE, "a client with an unknown grant type");
	TRY(row_scope(task, row, &client->scope));
	client->resource = row_str(task, row);
	TRY(row_scope(task, row, &client->delegates_to));
	client->not_before = row_int(row);
	client->created_at = row_int(row);
	client->disabled_at = row_int(row);
	client->jwks = row_str(task, row);
	client->auth_alg = row_str(task, row);
	client->dpop_bound_at = row_int(row);
	client->par_required_at = row_int(row);
	client->refresh_kept_at = row_int(row);
	client->jwks_uri = row_str(task, row);
	client->dpop_set_at = row_int(row);
	client->par_set_at = row_int(row);
	client->status = client->disabled_at == 0 ? CLIENT_ACTIVE : CLIENT_DISABLED;
	return OK;
}

static enum err read_client(struct task *task, struct sql_row *row, void *ret)
{
	return row_client(task, row, ret);
}

enum err client_insert(struct task *task, struct db *db, const struct client *client)
{
	struct str uris = STR_NONE;
	int64_t changed = 0;

	TRY(uris_text(task, client, &uris));
	TRY(sql_exec(task, db, &CLIENT_INSERT,
		     ARGS(sql_text(client->id), sql_text(client->name), sql_text(client->kind),
			  sql_text(client_auth_name(client->auth)), sql_blob(client->secret_hash),
			  sql_time(client->secret_expires_at), sql_text(uris),
			  sql_text(grant_types_text(&task->arena, client->grant_types)),
			  sql_text(scope_text(&task->arena, client->scope)),
			  sql_text(client->resource),
			  sql_text(scope_text(&task->arena, client->delegates_to)),
			  sql_int(client->not_before), sql_int(client->created_at),
			  sql_time(client->disabled_at), sql_text(client->jwks),
			  sql_text(client->auth_alg), sql_time(client->dpop_bound_at),
			  sql_time(client->par_required_at), sql_time(client->refresh_kept_at),
			  sql_text(client->jwks_uri), sql_time(client->dpop_set_at),
			  sql_time(client->par_set_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "a client of this id exists");
	return OK;
}

enum err client_find(struct task *task, struct db *db, struct str id, struct client *ret_client)
{
	return sql_one(task, db, &CLIENT_FIND, ARGS(sql_text(id)), read_client, ret_client);
}

enum err client_list(struct task *task, struct db *db, struct str after, int64_t limit,
		     struct client **ret_clients, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct client), .read = read_client };
	struct str behind = after.at == NULL ? STR("") : after;

	TRY(sql_all(task, db, &CLIENT_LIST, ARGS(sql_text(behind), sql_int(limit)), &list));
	*ret_clients = list.items;
	*ret_count = list.count;
	return OK;
}

enum err client_set_disabled(struct task *task, struct db *db, struct str id, int64_t disabled_at,
			     int64_t not_before)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &CLIENT_SET_DISABLED,
		     ARGS(sql_text(id), sql_time(disabled_at), sql_int(not_before)), &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "no such client, or it deleted its registration");
	ended_note(task, db, "client", id,
		   str_printf(&task->arena, "%lld/%lld", (long long)disabled_at,
			      (long long)not_before));
	return OK;
}

enum err client_update(struct task *task, struct db *db, const struct client *client)
{
	struct str uris = STR_NONE;
	int64_t changed = 0;

	TRY(uris_text(task, client, &uris));
	TRY(sql_exec(
		task, db, &CLIENT_UPDATE,
		ARGS(sql_text(client->id), sql_text(client->name), sql_text(uris),
		     sql_text(grant_types_text(&task->arena, client->grant_types)),
		     sql_text(scope_text(&task->arena, client->scope)), sql_text(client->resource),
		     sql_blob(client->secret_hash), sql_text(client->jwks),
		     sql_text(client->auth_alg), sql_time(client->dpop_bound_at),
		     sql_text(scope_text(&task->arena, client->delegates_to)),
		     sql_text(client_auth_name(client->auth)), sql_time(client->par_required_at),
		     sql_time(client->refresh_kept_at), sql_text(client->jwks_uri),
		     sql_time(client->dpop_set_at), sql_time(client->par_set_at)),
		&changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "no such client");
	return OK;
}

void client_note_replaced(struct task *task, struct db *db, struct str id)
{
	ended_note(task, db, "registration", id, STR_NONE);
}

enum err client_put_document(struct task *task, struct db *db, const struct client *client,
			     bool replace)
{
	struct str types = grant_types_text(&task->arena, client->grant_types);
	struct str auth = client_auth_name(client->auth);
	struct str uris = STR_NONE;
	int64_t changed = 0;

	TRY(uris_text(task, client, &uris));
	if (!replace)
		return sql_exec(task, db, &CLIENT_ADD_DOCUMENT,
				ARGS(sql_text(client->id), sql_text(client->name),
				     sql_text(client->kind), sql_text(auth), sql_text(uris),
				     sql_text(types), sql_int(client->created_at),
				     sql_text(client->jwks), sql_time(client->par_required_at),
				     sql_text(client->auth_alg), sql_time(client->dpop_bound_at),
				     sql_text(client->jwks_uri)),
				NULL);
	TRY(sql_exec(task, db, &CLIENT_PUT_DOCUMENT,
		     ARGS(sql_text(client->id), sql_text(client->name), sql_text(client->kind),
			  sql_text(auth), sql_text(uris), sql_text(types), sql_text(client->jwks),
			  sql_time(client->par_required_at), sql_text(client->auth_alg),
			  sql_time(client->dpop_bound_at), sql_text(client->jwks_uri)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "a client of this id and another kind exists");
	return OK;
}

static enum err read_name(struct task *task, struct sql_row *row, void *ret)
{
	struct client *client = ret;

	client->id = row_str(task, row);
	client->name = row_str(task, row);
	return OK;
}

enum err client_list_trusted(struct task *task, struct db *db, struct str user_id, int64_t limit,
			     struct client **ret_clients, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct client), .read = read_name };

	TRY(sql_all(task, db, &CLIENT_TRUSTED, ARGS(sql_text(user_id), sql_int(limit)), &list));
	*ret_clients = list.items;
	*ret_count = list.count;
	return OK;
}

enum err client_was_allowed(struct task *task, struct db *db, struct str id, struct str user_id,
			    bool *ret_was)
{
	struct client found = { 0 };
	enum err err = user_id.at == NULL
			       ? sql_one(task, db, &CLIENT_ALLOWED, ARGS(sql_text(id)), read_name,
					 &found)
			       : sql_one(task, db, &CLIENT_ALLOWED_BY,
					 ARGS(sql_text(id), sql_text(user_id)), read_name, &found);

	*ret_was = err == OK;
	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/documents.h"

#include "base/task.h"
#include "model/document.h"
#include "store/clients.h"
#include "store/sql.h"

static STATEMENT DOCUMENT_FIND = {
	"SELECT client_id, host, hash, identity, keys, fetched_at, fresh_until, pinned_at"
	" FROM documents WHERE client_id = $1"
};
static STATEMENT DOCUMENT_PUT = {
	"INSERT INTO documents (client_id, host, hash, identity, keys, fetched_at, fresh_until,"
	" pinned_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (client_id) DO UPDATE"
	" SET hash = excluded.hash, identity = excluded.identity, keys = excluded.keys,"
	" fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until,"
	" pinned_at = excluded.pinned_at"
	" WHERE excluded.pinned_at IS NOT NULL OR (documents.pinned_at IS NULL"
	/* a reading that began earlier, at another node, is no news */
	" AND documents.fetched_at <= excluded.fetched_at)"
};
static STATEMENT DOCUMENT_UNPIN = { "UPDATE documents SET pinned_at = NULL, fresh_until = 0"
				    " WHERE client_id = $1 AND pinned_at IS NOT NULL" };
static STATEMENT DOCUMENT_HOST = { "SELECT client_id FROM documents WHERE host = $1 LIMIT 1" };
/* by which the row is taken: a request that comes meanwhile waits, and then misses its client */
static STATEMENT DOCUMENT_DELETE = {
	"DELETE FROM documents WHERE client_id IN (SELECT d.client_id FROM documents d"
	" WHERE d.fetched_at < $1 AND d.pinned_at IS NULL AND NOT EXISTS"
	" (SELECT 1 FROM grants g WHERE g.client_id = d.client_id) AND NOT EXISTS"
	" (SELECT 1 FROM requests r WHERE r.client_id = d.client_id)"
	" ORDER BY d.fetched_at LIMIT $2) RETURNING client_id"
};
static STATEMENT CLIENT_DELETE = {
	"DELETE FROM clients WHERE id = $1 AND disabled_at IS NULL AND NOT EXISTS"
	" (SELECT 1 FROM grants g WHERE g.client_id = clients.id) AND NOT EXISTS"
	" (SELECT 1 FROM requests r WHERE r.client_id = clients.id)"
};

static enum err read_document(struct task *task, struct sql_row *row, void *ret)
{
	struct document_row *document = ret;

	document->client_id = row_str(task, row);
	document->host = row_str(task, row);
	document->hash = row_str(task, row);
	document->identity = row_str(task, row);
	document->keys = row_str(task, row);
	document->fetched_at = row_int(row);
	document->fresh_until = row_int(row);
	document->pinned_at = row_int(row);
	return OK;
}

static enum err read_id(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

enum err document_find(struct task *task, struct db *db, struct str client_id,
		       struct document_row *ret_row)
{
	return sql_one(task, db, &DOCUMENT_FIND, ARGS(sql_text(client_id)), read_document, ret_row);
}

enum err document_put(struct task *task, struct db *db, const struct document_row *row,
		      const struct client *client, bool *ret_kept)
{
	int64_t changed = 0;

	/* first the client, for the row refers to it; it is ours only if the row is */
	TRY(client_put_document(task, db, client, false));
	TRY(sql_exec(task, db, &DOCUMENT_PUT,
		     ARGS(sql_text(row->client_id), sql_text(row->host), sql_blob(row->hash),
			  sql_blob(row->identity), sql_blob(row->keys), sql_int(row->fetched_at),
			  sql_int(row->fresh_until), sql_time(row->pinned_at)),
		     &changed));
	*ret_kept = changed > 0;
	return changed > 0 ? client_put_document(task, db, client, true) : OK;
}

enum err document_unpin(struct task *task, struct db *db, struct str client_id)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &DOCUMENT_UNPIN, ARGS(sql_text(client_id)), &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "this client is not pinned");
	return OK;
}

enum err document_knows_host(struct task *task, struct db *db, struct str host, bool *ret_knows)
{
	struct str found = STR_NONE;
	enum err err = sql_one(task, db, &DOCUMENT_HOST, ARGS(sql_text(host)), read_id, &found);

	*ret_knows = err == OK;
	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return OK;
}

enum err document_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
			int64_t *ret_deleted)
{
	struct sql_list list = { .size = sizeof(struct str), .read = read_id };
	const struct str *ids;

	TRY(sql_all(task, db, &DOCUMENT_DELETE, ARGS(sql_int(before), sql_int(limit)), &list));
	ids = list.items;
	for (size_t i = 0; i < list.count; i++)
		TRY(sql_exec(task, db, &CLIENT_DELETE, ARGS(sql_text(ids[i])), NULL));
	*ret_deleted = (int64_t)list.count;
	return OK;
}

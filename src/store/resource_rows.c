/* SPDX-License-Identifier: Apache-2.0 */
#include "store/resource_rows.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT RESOURCE_LIST = { "SELECT name, uri, file_hash FROM resources ORDER BY name" };
static STATEMENT RESOURCE_PUT = {
	"INSERT INTO resources (name, uri, file_hash) VALUES ($1, $2, $3) ON CONFLICT (name)"
	" DO UPDATE SET uri = excluded.uri, file_hash = excluded.file_hash"
	" WHERE resources.file_hash <> excluded.file_hash"
};
static STATEMENT RESOURCE_DELETE = { "DELETE FROM resources WHERE name = $1" };

static enum err read_row(struct task *task, struct sql_row *row, void *ret)
{
	struct resource_row *resource = ret;

	resource->name = row_str(task, row);
	resource->uri = row_str(task, row);
	resource->file_hash = row_str(task, row);
	return OK;
}

enum err resource_row_list(struct task *task, struct db *db, struct resource_row **ret_rows,
			   size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct resource_row), .read = read_row };

	TRY(sql_all(task, db, &RESOURCE_LIST, NO_ARGS, &list));
	*ret_rows = list.items;
	*ret_count = list.count;
	return OK;
}

enum err resource_row_put(struct task *task, struct db *db, const struct resource_row *row,
			  bool *ret_changed)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &RESOURCE_PUT,
		     ARGS(sql_text(row->name), sql_text(row->uri), sql_text(row->file_hash)),
		     &changed));
	*ret_changed = changed > 0;
	return OK;
}

enum err resource_row_delete(struct task *task, struct db *db, struct str name, bool *ret_changed)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &RESOURCE_DELETE, ARGS(sql_text(name)), &changed));
	*ret_changed = changed > 0;
	return OK;
}

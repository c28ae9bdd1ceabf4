/* SPDX-License-Identifier: Apache-2.0 */
#include "store/nodes.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT NODE_LIST = {
	"SELECT id, name, version, settings, resources, root_keys, started_at, seen_at, clock_at"
	" FROM nodes WHERE seen_at >= $1 ORDER BY id"
};
static STATEMENT NODE_PUT = {
	"INSERT INTO nodes (id, name, version, settings, resources, root_keys, started_at, seen_at,"
	" clock_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET"
	" settings = excluded.settings, resources = excluded.resources, seen_at = excluded.seen_at,"
	" clock_at = excluded.clock_at"
};
static STATEMENT NODE_DELETE = { "DELETE FROM nodes WHERE id = $1" };
static STATEMENT NODE_SWEEP = { "DELETE FROM nodes WHERE seen_at < $1" };

static enum err read_node(struct task *task, struct sql_row *row, void *ret)
{
	struct node *node = ret;

	node->id = row_str(task, row);
	node->name = row_str(task, row);
	node->version = row_str(task, row);
	node->settings = row_str(task, row);
	node->resources = row_str(task, row);
	node->root_keys = row_str(task, row);
	node->started_at = row_int(row);
	node->seen_at = row_int(row);
	node->clock_at = row_int(row);
	return OK;
}

enum err node_list(struct task *task, struct db *db, int64_t since, struct node **ret_nodes,
		   size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct node), .read = read_node };

	TRY(sql_all(task, db, &NODE_LIST, ARGS(sql_int(since)), &list));
	*ret_nodes = list.items;
	*ret_count = list.count;
	return OK;
}

enum err node_put(struct task *task, struct db *db, const struct node *node)
{
	return sql_exec(task, db, &NODE_PUT,
			ARGS(sql_text(node->id), sql_text(node->name), sql_text(node->version),
			     sql_text(node->settings), sql_text(node->resources),
			     sql_text(node->root_keys), sql_int(node->started_at),
			     sql_int(node->seen_at), sql_int(node->clock_at)),
			NULL);
}

enum err node_delete(struct task *task, struct db *db, struct str id)
{
	return sql_exec(task, db, &NODE_DELETE, ARGS(sql_text(id)), NULL);
}

enum err node_sweep(struct task *task, struct db *db, int64_t since)
{
	return sql_exec(task, db, &NODE_SWEEP, ARGS(sql_int(since)), NULL);
}

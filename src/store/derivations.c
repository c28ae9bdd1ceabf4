/* SPDX-License-Identifier: Apache-2.0 */
#include "store/derivations.h"

#include "base/task.h"
#include "model/delegation.h"
#include "store/sql.h"

#define PATH_COUNT (DELEGATION_DEPTH_MAX + 1) /* a path, those before it, and "" */

#define DERIVATION_SELECT                                                                          \
	"SELECT user_id, family_id, parent, jti, path, wish_hash, issued_at, expires_at, over_at," \
	" revoked_at FROM derivations"
#define DERIVATION_KEY " WHERE user_id = $1 AND family_id = $2 AND parent = $3 AND jti = $4"

/* $1: the person, $2: the family, $3 to $7: paths, of which NULL is none and not looked for. */
#define IS_STOPPED(path)                                                                           \
	"EXISTS (SELECT 1 FROM sub_agents WHERE user_id = $1 AND family_id = $2 AND path = " path  \
	" AND stopped_at IS NOT NULL)"
#define ONE_IS_STOPPED                                                                             \
	"CASE WHEN " IS_STOPPED("$3") " OR " IS_STOPPED("$4") " OR " IS_STOPPED(                   \
		"$5") " OR " IS_STOPPED("$6") " OR " IS_STOPPED("$7") " THEN 1 ELSE 0 END"

static STATEMENT DERIVATION_INSERT = {
	"INSERT INTO derivations (user_id, family_id, parent, jti, path, wish_hash, issued_at,"
	" expires_at, over_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	" ON CONFLICT DO NOTHING"
};
static STATEMENT DERIVATION_FIND = { DERIVATION_SELECT DERIVATION_KEY };
static STATEMENT DERIVATION_LOOK = {
	"SELECT count(*), COALESCE(min(expires_at), 0), " ONE_IS_STOPPED " FROM derivations"
	" WHERE user_id = $1 AND family_id = $2 AND parent = $8 AND expires_at > $9"
};
static STATEMENT DERIVATION_REVOKE = { "UPDATE derivations SET revoked_at = $5" DERIVATION_KEY
				       " AND revoked_at IS NULL" };
static STATEMENT DERIVATION_SWEEP = {
	"DELETE FROM derivations WHERE (user_id, family_id, parent, jti) IN"
	" (SELECT user_id, family_id, parent, jti FROM derivations WHERE over_at < $1"
	" ORDER BY over_at LIMIT $2) AND over_at < $1"
};
static STATEMENT SUB_AGENT_PUT = {
	"INSERT INTO sub_agents (user_id, family_id, path, first_at, last_at, live_until)"
	" VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT (user_id, family_id, path) DO UPDATE SET"
	" last_at = excluded.last_at, live_until = CASE WHEN sub_agents.live_until >"
	" excluded.live_until THEN sub_agents.live_until ELSE excluded.live_until END"
};
static STATEMENT SUB_AGENT_LIST = {
	"SELECT path, first_at, last_at, last_used_at, live_until, stopped_at FROM sub_agents"
	" WHERE user_id = $1 AND family_id = $2 AND (path <> '' OR stopped_at IS NOT NULL)"
	" ORDER BY CASE WHEN stopped_at IS NOT NULL THEN 0 WHEN live_until > $3 THEN 1 ELSE 2 END,"
	" last_at DESC, path LIMIT $4"
};
static STATEMENT SUB_AGENT_IS_STOPPED = { "SELECT " ONE_IS_STOPPED };
static STATEMENT SUB_AGENT_SET_STOPPED = { "UPDATE sub_agents SET stopped_at = $4"
					   " WHERE user_id = $1 AND family_id = $2 AND path = $3" };
static STATEMENT SUB_AGENT_SET_USED = { "UPDATE sub_agents SET last_used_at = $4"
					" WHERE user_id = $1 AND family_id = $2 AND path = $3" };
static STATEMENT SUB_AGENT_SWEEP = {
	"DELETE FROM sub_agents WHERE (user_id, family_id, path) IN"
	" (SELECT user_id, family_id, path FROM sub_agents WHERE live_until < $1"
	" AND stopped_at IS NULL ORDER BY live_until LIMIT $2)"
	" AND live_until < $1 AND stopped_at IS NULL"
};

static enum err read_derivation(struct task *task, struct sql_row *row, void *ret)
{
	struct derivation *derivation = ret;

	derivation->key.user_id = row_str(task, row);
	derivation->key.family_id = row_str(task, row);
	derivation->key.parent = row_str(task, row);
	derivation->key.jti = row_str(task, row);
	derivation->path = row_str(task, row);
	derivation->wish_hash = row_str(task, row);
	derivation->issued_at = row_int(row);
	derivation->expires_at = row_int(row);
	derivation->over_at = row_int(row);
	derivation->revoked_at = row_int(row);
	return OK;
}

static enum err read_sub_agent(struct task *task, struct sql_row *row, void *ret)
{
	struct sub_agent *agent = ret;

	agent->path = row_str(task, row);
	agent->first_at = row_int(row);
	agent->last_at = row_int(row);
	agent->last_used_at = row_int(row);
	agent->live_until = row_int(row);
	agent->stopped_at = row_int(row);
	return OK;
}

static enum err put_sub_agent(struct task *task, struct db *db, const struct derivation *derivation)
{
	return sql_exec(task, db, &SUB_AGENT_PUT,
			ARGS(sql_text(derivation->key.user_id), sql_text(derivation->key.family_id),
			     sql_text(derivation->path), sql_int(derivation->issued_at),
			     sql_int(derivation->expires_at)),
			NULL);
}

enum err derivation_insert(struct task *task, struct db *db, const struct derivation *derivation)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &DERIVATION_INSERT,
		     ARGS(sql_text(derivation->key.user_id), sql_text(derivation->key.family_id),
			  sql_text(derivation->key.parent), sql_text(derivation->key.jti),
			  sql_text(derivation->path), sql_blob(derivation->wish_hash),
			  sql_int(derivation->issued_at), sql_int(derivation->expires_at),
			  sql_int(derivation->over_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "the subject token was exchanged before");
	return put_sub_agent(task, db, derivation);
}

enum err derivation_find(struct task *task, struct db *db, const struct derivation_key *key,
			 struct derivation *ret_derivation)
{
	return sql_one(task, db, &DERIVATION_FIND,
		       ARGS(sql_text(key->user_id), sql_text(key->family_id), sql_text(key->parent),
			    sql_text(key->jti)),
		       read_derivation, ret_derivation);
}

static enum err read_look(struct task *task, struct sql_row *row, void *ret)
{
	struct derivation_look *look = ret;

	(void)task;
	look->live = row_int(row);
	look->first_end = row_int(row);
	look->is_stopped = row_int(row) != 0;
	return OK;
}

/* "", "a", "a b", … up to the path itself; the rest stays STR_NONE. */
static void list_paths(struct str path, struct str paths[PATH_COUNT])
{
	size_t count = 0;

	for (size_t i = 0; i < PATH_COUNT; i++)
		paths[i] = STR_NONE;
	paths[count++] = STR("");
	for (size_t i = 1; i <= path.len && count < PATH_COUNT; i++)
		if (i == path.len || path.at[i] == ' ')
			paths[count++] = str_sub(path, 0, i);
}

enum err derivation_look(struct task *task, struct db *db, const struct derivation *derivation,
			 int64_t now, struct derivation_look *ret_look)
{
	const struct derivation_key *key = &derivation->key;
	struct str paths[PATH_COUNT];

	list_paths(derivation->path, paths);
	return sql_one(task, db, &DERIVATION_LOOK,
		       ARGS(sql_text(key->user_id), sql_text(key->family_id), sql_text(paths[0]),
			    sql_text(paths[1]), sql_text(paths[2]), sql_text(paths[3]),
			    sql_text(paths[4]), sql_text(key->parent), sql_int(now)),
		       read_look, ret_look);
}

enum err derivation_revoke(struct task *task, struct db *db, const struct derivation_key *key,
			   int64_t now, bool *ret_now)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &DERIVATION_REVOKE,
		     ARGS(sql_text(key->user_id), sql_text(key->family_id), sql_text(key->parent),
			  sql_text(key->jti), sql_int(now)),
		     &changed));
	*ret_now = changed > 0;
	return OK;
}

enum err derivation_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
			  int64_t *ret_deleted)
{
	return sql_exec(task, db, &DERIVATION_SWEEP, ARGS(sql_int(now), sql_int(limit)),
			ret_deleted);
}

enum err sub_agent_list(struct task *task, struct db *db, const struct family *family, int64_t now,
			struct sub_agent **ret_agents, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct sub_agent), .read = read_sub_agent };

	TRY(sql_all(task, db, &SUB_AGENT_LIST,
		    ARGS(sql_text(family->user_id), sql_text(family->id), sql_int(now),
			 sql_int(SUB_AGENTS_MAX + 1)),
		    &list));
	*ret_agents = list.items;
	*ret_count = list.count;
	return OK;
}

enum err sub_agent_is_stopped(struct task *task, struct db *db, struct str user_id,
			      struct str family_id, struct str path, bool *ret_is)
{
	struct str paths[PATH_COUNT];
	int64_t is_stopped = 0;

	list_paths(path, paths);
	TRY(sql_one_int(task, db, &SUB_AGENT_IS_STOPPED,
			ARGS(sql_text(user_id), sql_text(family_id), sql_text(paths[0]),
			     sql_text(paths[1]), sql_text(paths[2]), sql_text(paths[3]),
			     sql_text(paths[4])),
			&is_stopped));
	*ret_is = is_stopped != 0;
	return OK;
}

enum err sub_agent_set_stopped(struct task *task, struct db *db, const struct family *family,
			       struct str path, int64_t stopped_at, int64_t now)
{
	struct derivation whole = { .key = { .user_id = family->user_id, .family_id = family->id },
				    .path = path,
				    .issued_at = now,
				    .expires_at = now };
	int64_t changed = 0;

	if (str_is_empty(path))
		TRY(put_sub_agent(task, db, &whole));
	TRY(sql_exec(task, db, &SUB_AGENT_SET_STOPPED,
		     ARGS(sql_text(family->user_id), sql_text(family->id), sql_text(path),
			  sql_time(stopped_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "no such sub-agent");
	return OK;
}

enum err sub_agent_set_used(struct task *task, struct db *db, struct str user_id,
			    struct str family_id, struct str path, int64_t now)
{
	return sql_exec(task, db, &SUB_AGENT_SET_USED,
			ARGS(sql_text(user_id), sql_text(family_id), sql_text(path), sql_int(now)),
			NULL);
}

enum err sub_agent_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
			 int64_t *ret_deleted)
{
	return sql_exec(task, db, &SUB_AGENT_SWEEP, ARGS(sql_int(before), sql_int(limit)),
			ret_deleted);
}

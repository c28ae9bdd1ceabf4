/* SPDX-License-Identifier: Apache-2.0 */
#include "store/derivations.h"

#include "base/task.h"
#include "model/delegation.h"
#include "store/sql.h"

#define PARENTS_MAX (DELEGATION_DEPTH_MAX + 1) /* a path, those before it, and "" */

#define DERIVATION_SELECT                                                                          \
	"SELECT user_id, subject_jti, jti, family_id, parent, wish_hash, issued_at, expires_at,"   \
	" over_at, revoked_at FROM derivations"

static STATEMENT DERIVATION_INSERT = {
	"INSERT INTO derivations (user_id, subject_jti, jti, family_id, parent, wish_hash,"
	" issued_at, expires_at, over_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	" ON CONFLICT DO NOTHING"
};
static STATEMENT DERIVATION_FIND_SUBJECT = { DERIVATION_SELECT
					     " WHERE user_id = $1 AND subject_jti = $2" };
static STATEMENT DERIVATION_FIND = { DERIVATION_SELECT " WHERE user_id = $1 AND jti = $2" };
static STATEMENT DERIVATION_COUNT_LIVE = {
	"SELECT count(*), COALESCE(min(expires_at), 0) FROM derivations"
	" WHERE user_id = $1 AND family_id = $2 AND parent = $3 AND expires_at > $4"
};
static STATEMENT DERIVATION_REVOKE = { "UPDATE derivations SET revoked_at = $3"
				       " WHERE user_id = $1 AND jti = $2 AND revoked_at IS NULL" };
static STATEMENT DERIVATION_SWEEP = {
	"DELETE FROM derivations WHERE (user_id, subject_jti) IN"
	" (SELECT user_id, subject_jti FROM derivations WHERE over_at < $1"
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
static STATEMENT SUB_AGENT_COUNT_STOPPED = {
	"SELECT count(*) FROM sub_agents WHERE user_id = $1 AND family_id = $2"
	" AND path IN ($3, $4, $5, $6, $7) AND stopped_at IS NOT NULL"
};
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

	derivation->user_id = row_str(task, row);
	derivation->subject_jti = row_str(task, row);
	derivation->jti = row_str(task, row);
	derivation->family_id = row_str(task, row);
	derivation->parent = row_str(task, row);
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
			ARGS(sql_text(derivation->user_id), sql_text(derivation->family_id),
			     sql_text(derivation->path), sql_int(derivation->issued_at),
			     sql_int(derivation->expires_at)),
			NULL);
}

enum err derivation_insert(struct task *task, struct db *db, const struct derivation *derivation)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &DERIVATION_INSERT,
		     ARGS(sql_text(derivation->user_id), sql_text(derivation->subject_jti),
			  sql_text(derivation->jti), sql_text(derivation->family_id),
			  sql_text(derivation->parent), sql_blob(derivation->wish_hash),
			  sql_int(derivation->issued_at), sql_int(derivation->expires_at),
			  sql_int(derivation->over_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "the subject token was exchanged before");
	return put_sub_agent(task, db, derivation);
}

enum err derivation_find_subject(struct task *task, struct db *db, struct str user_id,
				 struct str subject_jti, struct derivation *ret_derivation)
{
	return sql_one(task, db, &DERIVATION_FIND_SUBJECT,
		       ARGS(sql_text(user_id), sql_text(subject_jti)), read_derivation,
		       ret_derivation);
}

enum err derivation_find(struct task *task, struct db *db, struct str user_id, struct str jti,
			 struct derivation *ret_derivation)
{
	return sql_one(task, db, &DERIVATION_FIND, ARGS(sql_text(user_id), sql_text(jti)),
		       read_derivation, ret_derivation);
}

struct live {
	int64_t count;
	int64_t first_end;
};

static enum err read_live(struct task *task, struct sql_row *row, void *ret)
{
	struct live *live = ret;

	(void)task;
	live->count = row_int(row);
	live->first_end = row_int(row);
	return OK;
}

enum err derivation_count_live(struct task *task, struct db *db,
			       const struct derivation *derivation, int64_t now, int64_t *ret_count,
			       int64_t *ret_first_end)
{
	struct live live = { 0 };

	TRY(sql_one(task, db, &DERIVATION_COUNT_LIVE,
		    ARGS(sql_text(derivation->user_id), sql_text(derivation->family_id),
			 sql_text(derivation->parent), sql_int(now)),
		    read_live, &live));
	*ret_count = live.count;
	*ret_first_end = live.first_end;
	return OK;
}

/* Each token became one other at most, so what hangs on one is a line, not a tree. */
enum err derivation_revoke(struct task *task, struct db *db, struct str user_id, struct str jti,
			   int64_t now, bool *ret_now)
{
	struct derivation next = { .jti = jti };
	int64_t changed = 0, first = 0;
	enum err err = OK;

	for (int i = 0; i < DELEGATION_DEPTH_MAX && err == OK; i++) {
		TRY(sql_exec(task, db, &DERIVATION_REVOKE,
			     ARGS(sql_text(user_id), sql_text(next.jti), sql_int(now)), &changed));
		first = i == 0 ? changed : first;
		err = derivation_find_subject(task, db, user_id, next.jti, &next);
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	*ret_now = first > 0;
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

/* "", "a", "a b", … up to the path itself; what is left over is "" again. */
static void list_parents(struct str path, struct str parents[PARENTS_MAX])
{
	size_t count = 1;

	for (size_t i = 0; i < PARENTS_MAX; i++)
		parents[i] = STR("");
	for (size_t i = 1; i <= path.len && count < PARENTS_MAX; i++)
		if (i == path.len || path.at[i] == ' ')
			parents[count++] = str_sub(path, 0, i);
}

enum err sub_agent_is_stopped(struct task *task, struct db *db, struct str user_id,
			      struct str family_id, struct str path, bool *ret_is)
{
	struct str parents[PARENTS_MAX];
	int64_t count = 0;

	list_parents(path, parents);
	TRY(sql_one_int(task, db, &SUB_AGENT_COUNT_STOPPED,
			ARGS(sql_text(user_id), sql_text(family_id), sql_text(parents[0]),
			     sql_text(parents[1]), sql_text(parents[2]), sql_text(parents[3]),
			     sql_text(parents[4])),
			&count));
	*ret_is = count > 0;
	return OK;
}

enum err sub_agent_set_stopped(struct task *task, struct db *db, const struct family *family,
			       struct str path, int64_t stopped_at, int64_t now)
{
	struct derivation whole = { .user_id = family->user_id,
				    .family_id = family->id,
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sessions.h"

#include "base/task.h"
#include "store/rows.h"
#include "store/sql.h"

#define BROWSER_KNOWN_MS (90 * DAY_MS)

static STATEMENT SESSION_INSERT = {
	"INSERT INTO sessions (hash, user_id, browser_hash, created_at, last_seen_at, expires_at,"
	" ended_at, over_at, sealed_agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8)"
	" ON CONFLICT DO NOTHING"
};

#define SESSION_COLUMNS                                                                            \
	"s.hash, s.user_id, s.browser_hash, s.created_at, s.last_seen_at, s.expires_at,"           \
	" s.ended_at, s.sealed_agent"

static STATEMENT SESSION_FIND = {
	"SELECT " SESSION_COLUMNS ", " USER_COLUMNS " FROM sessions s"
	" JOIN users u ON u.id = s.user_id LEFT JOIN user_keys k ON k.user_id = s.user_id"
	" WHERE s.hash = $1"
};
static STATEMENT SESSION_LIST = {
	"SELECT " SESSION_COLUMNS " FROM sessions s"
	" WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2"
	" ORDER BY s.created_at DESC"
};
static STATEMENT SESSION_TOUCH = {
	"UPDATE sessions SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at < $2"
};
static STATEMENT SESSION_END = {
	"UPDATE sessions SET ended_at = $2, over_at = $2 WHERE hash = $1 AND ended_at IS NULL"
};
static STATEMENT SESSION_END_ALL = {
	"UPDATE sessions SET ended_at = $2, over_at = $2 WHERE user_id = $1 AND ended_at IS NULL"
	" AND expires_at > $2 AND hash <> $3"
};
static STATEMENT SESSION_KNOWS_BROWSER = {
	"SELECT count(*) FROM sessions WHERE user_id = $1 AND browser_hash = $2"
	" AND created_at > $3"
};
static STATEMENT SESSION_SWEEP = {
	"DELETE FROM sessions WHERE hash IN"
	" (SELECT hash FROM sessions WHERE over_at < $1 ORDER BY over_at LIMIT $2)"
};

static enum err read_session(struct task *task, struct sql_row *row, void *ret)
{
	struct session *session = ret;

	session->hash = row_str(task, row);
	session->user_id = row_str(task, row);
	session->browser_hash = row_str(task, row);
	session->created_at = row_int(row);
	session->last_seen_at = row_int(row);
	session->expires_at = row_int(row);
	session->ended_at = row_int(row);
	session->sealed_agent = row_str(task, row);
	return OK;
}

enum err session_insert(struct task *task, struct db *db, const struct session *session)
{
	return sql_exec(task, db, &SESSION_INSERT,
			ARGS(sql_blob(session->hash), sql_text(session->user_id),
			     sql_blob(session->browser_hash), sql_int(session->created_at),
			     sql_int(session->last_seen_at), sql_int(session->expires_at),
			     sql_time(session->ended_at), sql_blob(session->sealed_agent)),
			NULL);
}

static enum err read_signed_in(struct task *task, struct sql_row *row, void *ret)
{
	struct signed_in *signed_in = ret;

	TRY(read_session(task, row, &signed_in->session));
	row_user_with_key(task, row, &signed_in->user);
	return OK;
}

enum err session_find(struct task *task, struct db *db, struct str hash,
		      struct signed_in *ret_found)
{
	return sql_one(task, db, &SESSION_FIND, ARGS(sql_blob(hash)), read_signed_in, ret_found);
}

enum err session_touch(struct task *task, struct db *db, struct str hash, int64_t now)
{
	return sql_exec(task, db, &SESSION_TOUCH, ARGS(sql_blob(hash), sql_int(now)), NULL);
}

enum err session_end(struct task *task, struct db *db, struct str hash, int64_t now)
{
	return sql_exec(task, db, &SESSION_END, ARGS(sql_blob(hash), sql_int(now)), NULL);
}

enum err session_end_all(struct task *task, struct db *db, struct str user_id, struct str keep,
			 int64_t now, int64_t *ret_ended)
{
	struct str kept = keep.at == NULL ? STR("") : keep;

	return sql_exec(task, db, &SESSION_END_ALL,
			ARGS(sql_text(user_id), sql_int(now), sql_blob(kept)), ret_ended);
}

enum err session_list(struct task *task, struct db *db, struct str user_id, int64_t now,
		      struct session **ret_sessions, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct session), .read = read_session };

	TRY(sql_all(task, db, &SESSION_LIST, ARGS(sql_text(user_id), sql_int(now)), &list));
	*ret_sessions = list.items;
	*ret_count = list.count;
	return OK;
}

enum err session_knows_browser(struct task *task, struct db *db, struct str user_id,
			       struct str browser_hash, int64_t now, bool *ret_known)
{
	int64_t count = 0;

	TRY(sql_one_int(
		task, db, &SESSION_KNOWS_BROWSER,
		ARGS(sql_text(user_id), sql_blob(browser_hash), sql_int(now - BROWSER_KNOWN_MS)),
		&count));
	*ret_known = count > 0;
	return OK;
}

enum err session_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
		       int64_t *ret_deleted)
{
	return sql_exec(task, db, &SESSION_SWEEP, ARGS(sql_int(before), sql_int(limit)),
			ret_deleted);
}

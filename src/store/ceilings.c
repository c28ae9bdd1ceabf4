/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ceilings.h"

#include "base/task.h"
#include "store/sql.h"

/* A ceiling is kept as names joined by single spaces, each once; $2 is the one that goes. */
#define NAMES_IN   "' ' || ceiling || ' '"
#define WITHOUT_IT "replace(" NAMES_IN ", ' ' || CAST($2 AS TEXT) || ' ', ' ')"
#define LOSE_IT                                                                                    \
	"UPDATE families SET ceiling = trim(" WITHOUT_IT ") WHERE revoked_at IS NULL"              \
	" AND " NAMES_IN " <> " WITHOUT_IT

static STATEMENT CEILINGS_LOSE = {
	LOSE_IT " AND user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1) AND grant_id = $1"
};
static STATEMENT CEILINGS_LOSE_OVER = {
	LOSE_IT " AND user_id = $1 AND grant_id IN (SELECT g.id FROM grants g WHERE g.user_id = $1"
		" AND g.client_id = $3 AND g.resource = $4 AND g.revoked_at IS NULL AND NOT EXISTS"
		" (SELECT 1 FROM permissions p WHERE p.user_id = $1 AND p.grant_id = g.id"
		" AND p.scope = $2 AND p.expires_at > $5 AND p.mode <> 'never'))"
};

static STATEMENT WIDENING_PUT = {
	"INSERT INTO widenings (user_id, family_id, scope, grant_id, consent_event)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, family_id, scope)"
	" DO UPDATE SET consent_event = excluded.consent_event"
};
static STATEMENT WIDENING_LIST = {
	"SELECT DISTINCT w.consent_event FROM widenings w JOIN families f ON f.id = w.family_id"
	" WHERE w.user_id = $1 AND w.grant_id = $2 AND f.revoked_at IS NULL"
	" ORDER BY w.consent_event"
};
static STATEMENT WIDENING_FORGET_OVER = {
	"DELETE FROM widenings WHERE user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1)"
	" AND grant_id = $1 AND scope = $2 AND NOT EXISTS (SELECT 1 FROM permissions p"
	" WHERE p.user_id = widenings.user_id AND p.grant_id = $1 AND p.scope = $2"
	" AND p.expires_at > $3 AND p.mode <> 'never')"
};

enum err ceilings_lose(struct task *task, struct db *db, struct str grant_id, struct str scope)
{
	return sql_exec(task, db, &CEILINGS_LOSE, ARGS(sql_text(grant_id), sql_text(scope)), NULL);
}

enum err ceilings_lose_over(struct task *task, struct db *db, const struct grant *grant)
{
	for (size_t i = 0; i < grant->permission_count; i++)
		TRY(sql_exec(task, db, &CEILINGS_LOSE_OVER,
			     ARGS(sql_text(grant->user_id), sql_text(grant->permissions[i].scope),
				  sql_text(grant->client_id), sql_text(grant->resource),
				  sql_int(grant->updated_at)),
			     NULL));
	return OK;
}

enum err widening_put(struct task *task, struct db *db, const struct family *family,
		      struct scope_set scope, struct str consent_event)
{
	for (size_t i = 0; i < scope.count; i++)
		TRY(sql_exec(task, db, &WIDENING_PUT,
			     ARGS(sql_text(family->user_id), sql_text(family->id),
				  sql_text(scope.names[i]), sql_text(family->grant_id),
				  sql_text(consent_event)),
			     NULL));
	return OK;
}

static enum err read_event_id(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

enum err widening_list(struct task *task, struct db *db, const struct grant *grant,
		       struct str **ret_events, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct str), .read = read_event_id };

	TRY(sql_all(task, db, &WIDENING_LIST, ARGS(sql_text(grant->user_id), sql_text(grant->id)),
		    &list));
	*ret_events = list.items;
	*ret_count = list.count;
	return OK;
}

enum err widening_forget_over(struct task *task, struct db *db, struct str grant_id,
			      struct str scope, int64_t now)
{
	return sql_exec(task, db, &WIDENING_FORGET_OVER,
			ARGS(sql_text(grant_id), sql_text(scope), sql_int(now)), NULL);
}

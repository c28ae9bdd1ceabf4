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

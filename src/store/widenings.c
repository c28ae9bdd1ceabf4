/* SPDX-License-Identifier: Apache-2.0 */
#include "store/widenings.h"

#include "base/task.h"
#include "store/sql.h"

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
static STATEMENT WIDENING_FORGET = {
	"DELETE FROM widenings WHERE user_id = $1 AND grant_id = $2 AND scope = $3"
};

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

enum err widening_forget(struct task *task, struct db *db, const struct grant *grant,
			 struct str scope)
{
	return sql_exec(task, db, &WIDENING_FORGET,
			ARGS(sql_text(grant->user_id), sql_text(grant->id), sql_text(scope)), NULL);
}

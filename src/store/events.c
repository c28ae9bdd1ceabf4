/* SPDX-License-Identifier: Apache-2.0 */
#include "store/events.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT EVENT_INSERT = {
	"INSERT INTO events (id, at, kind, actor, user_id, client_id, grant_id, family_id,"
	" request_id, resource, details, sealed)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
};

#define EVENT_SELECT                                                                               \
	"SELECT id, at, kind, actor, user_id, client_id, grant_id, family_id, request_id,"         \
	" resource, details, sealed FROM events"
#define EVENT_FILTER                                                                               \
	" ($2 IS NULL OR client_id = $2) AND ($3 IS NULL OR grant_id = $3) AND at >= $4"

static STATEMENT EVENT_FIND = { EVENT_SELECT " WHERE id = $1" };
static STATEMENT EVENT_AT = { "SELECT at FROM events WHERE id = $1" };
/* ids begin with the time: the newest is the last in byte order */
static STATEMENT EVENT_LIST = { EVENT_SELECT " WHERE id < $1 AND" EVENT_FILTER
					     " ORDER BY id DESC LIMIT $5" };
static STATEMENT EVENT_LIST_USER = { EVENT_SELECT " WHERE user_id = $1 AND" EVENT_FILTER
						  " AND at <= $5 AND (at < $5 OR id < $6)"
						  " ORDER BY at DESC, id DESC LIMIT $7" };
static STATEMENT EVENT_COUNT_USES = {
	"SELECT at / 86400000, count(*) FROM events WHERE user_id = $1 AND at >= $3"
	" AND ($2 IS NULL OR client_id = $2) AND kind IN ('token.issued', 'token.refreshed')"
	" GROUP BY at / 86400000 ORDER BY at / 86400000"
};
/* UNION, not UNION ALL: one consent stands behind many permissions, and a row is written once */
static STATEMENT EVENT_PROVE_UNTIL = {
	"INSERT INTO proofs (user_id, event_id, proves_until)"
	" SELECT p.user_id, p.consent_event, CAST($3 AS BIGINT) FROM permissions p"
	" WHERE p.user_id = $1 AND p.grant_id = $2 AND p.consent_event IS NOT NULL"
	" UNION SELECT w.user_id, w.consent_event, CAST($3 AS BIGINT) FROM widenings w"
	" WHERE w.user_id = $1 AND w.grant_id = $2"
	" ON CONFLICT (user_id, event_id) DO UPDATE SET proves_until = excluded.proves_until"
	" WHERE proofs.proves_until < excluded.proves_until"
};
static STATEMENT EVENT_NEWEST = { "SELECT at FROM events ORDER BY id DESC LIMIT 1" };

static enum err read_event(struct task *task, struct sql_row *row, void *ret)
{
	struct event *event = ret;

	event->id = row_str(task, row);
	event->at = row_int(row);
	event->kind = row_str(task, row);
	event->actor = row_str(task, row);
	event->user_id = row_str(task, row);
	event->client_id = row_str(task, row);
	event->grant_id = row_str(task, row);
	event->family_id = row_str(task, row);
	event->request_id = row_str(task, row);
	event->resource = row_str(task, row);
	event->details = row_str(task, row);
	event->sealed = row_str(task, row);
	return OK;
}

static enum err read_day(struct task *task, struct sql_row *row, void *ret)
{
	struct event_day *day = ret;

	(void)task;
	day->day = row_int(row);
	day->count = row_int(row);
	return OK;
}

enum err event_insert(struct task *task, struct db *db, const struct event *event)
{
	return sql_exec(task, db, &EVENT_INSERT,
			ARGS(sql_text(event->id), sql_int(event->at), sql_text(event->kind),
			     sql_text(event->actor), sql_text(event->user_id),
			     sql_text(event->client_id), sql_text(event->grant_id),
			     sql_text(event->family_id), sql_text(event->request_id),
			     sql_text(event->resource), sql_text(event->details),
			     sql_blob(event->sealed)),
			NULL);
}

enum err event_prove_until(struct task *task, struct db *db, struct str user_id,
			   struct str grant_id, int64_t until)
{
	return sql_exec(task, db, &EVENT_PROVE_UNTIL,
			ARGS(sql_text(user_id), sql_text(grant_id), sql_int(until)), NULL);
}

enum err event_find(struct task *task, struct db *db, struct str id, struct event *ret_event)
{
	return sql_one(task, db, &EVENT_FIND, ARGS(sql_text(id)), read_event, ret_event);
}

static enum err list_all(struct task *task, struct db *db, const struct event_filter *filter,
			 int64_t limit, struct sql_list *list)
{
	/* behind every id, for none has a byte above 'z' */
	struct str before = filter->before.at == NULL ? STR("~") : filter->before;

	return sql_all(task, db, &EVENT_LIST,
		       ARGS(sql_text(before), sql_text(filter->client_id),
			    sql_text(filter->grant_id), sql_int(filter->since), sql_int(limit)),
		       list);
}

static enum err list_of_user(struct task *task, struct db *db, const struct event_filter *filter,
			     int64_t limit, struct sql_list *list)
{
	struct str before = filter->before.at == NULL ? STR("") : filter->before;
	int64_t before_at = INT64_MAX;

	if (filter->before.at != NULL)
		TRY(sql_one_int(task, db, &EVENT_AT, ARGS(sql_text(before)), &before_at));
	return sql_all(task, db, &EVENT_LIST_USER,
		       ARGS(sql_text(filter->user_id), sql_text(filter->client_id),
			    sql_text(filter->grant_id), sql_int(filter->since), sql_int(before_at),
			    sql_text(before), sql_int(limit)),
		       list);
}

enum err event_list(struct task *task, struct db *db, const struct event_filter *filter,
		    int64_t limit, struct event **ret_events, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct event), .read = read_event };

	if (filter->user_id.at == NULL)
		TRY(list_all(task, db, filter, limit, &list));
	else
		TRY(list_of_user(task, db, filter, limit, &list));
	*ret_events = list.items;
	*ret_count = list.count;
	return OK;
}

enum err event_count_uses(struct task *task, struct db *db, const struct event_filter *filter,
			  struct event_day **ret_days, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct event_day), .read = read_day };

	TRY(sql_all(task, db, &EVENT_COUNT_USES,
		    ARGS(sql_text(filter->user_id), sql_text(filter->client_id),
			 sql_int(filter->since)),
		    &list));
	*ret_days = list.items;
	*ret_count = list.count;
	return OK;
}

enum err event_newest(struct task *task, struct db *db, int64_t *ret_at)
{
	int64_t at = 0;
	enum err err = sql_one_int(task, db, &EVENT_NEWEST, NO_ARGS, &at);

	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		err = OK;
	}
	if (err == OK)
		*ret_at = at;
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/requests.h"

#include "base/task.h"
#include "store/rows.h"

#define POLL_LEEWAY_MS INT64_C(500)

#define REQUEST_COLUMNS                                                                            \
	"id, state, browser_hash, client_id, resource, scope, redirect_uri, oauth_state,"          \
	" code_challenge, nonce, prompt, max_age, login_hint, ui_locales, created_at, expires_at," \
	" user_id, shown_at, decided_at, decision, grant_id, yes, granted, auth_time, acr,"        \
	" code_hash, code_expires_at, spent_at, family_id, dpop_jkt, user_code, asked_from,"       \
	" poll_ms, polled_at, details"

static STATEMENT REQUEST_INSERT = {
	"INSERT INTO requests (id, state, browser_hash, client_id, resource, scope, redirect_uri,"
	" oauth_state, code_challenge, nonce, prompt, max_age, login_hint, ui_locales, created_at,"
	" expires_at, user_id, shown_at, dpop_jkt, details, over_at, code_hash, user_code,"
	" asked_from, poll_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
	" $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) ON CONFLICT DO NOTHING"
};
static STATEMENT REQUEST_FIND = { "SELECT " REQUEST_COLUMNS " FROM requests WHERE id = $1" };
static STATEMENT REQUEST_FIND_CODE = { "SELECT " REQUEST_COLUMNS
				       " FROM requests WHERE code_hash = $1" };
/* whoever opens it first has it */
static STATEMENT REQUEST_TAKE = {
	"UPDATE requests SET state = 'pending', browser_hash = $2, expires_at = $4, over_at = $5"
	" WHERE id = $1 AND state = 'pushed' AND expires_at > $3"
};
static STATEMENT REQUEST_FIND_USER_CODE = { "SELECT " REQUEST_COLUMNS
					    " FROM requests WHERE user_code = $1" };
static STATEMENT REQUEST_CLAIM = {
	"UPDATE requests SET browser_hash = $2, user_id = $3 WHERE user_code = $1"
	" AND state = 'pending' AND expires_at > $4 AND (user_id IS NULL OR user_id = $3)"
	" RETURNING " REQUEST_COLUMNS
};
static STATEMENT REQUEST_POLL = {
	"UPDATE requests SET polled_at = $2 WHERE id = $1 AND state = 'pending'"
	" AND (polled_at IS NULL OR polled_at + poll_ms <= $3)"
};
static STATEMENT REQUEST_POLL_SLOWER = {
	"UPDATE requests SET polled_at = $2, poll_ms = poll_ms + $3 WHERE id = $1"
	" AND state = 'pending'"
};
static STATEMENT REQUEST_SHOW = {
	"UPDATE requests SET user_id = $2, shown_at = $3 WHERE id = $1 AND state = 'pending'"
	" AND (user_id IS NULL OR user_id = $2)"
};
static STATEMENT REQUEST_DECIDE = {
	"UPDATE requests SET state = $2, user_id = $3, decided_at = $4, decision = $5,"
	" grant_id = $6, yes = (SELECT g.yeses FROM grants g WHERE g.id = $6), granted = $7,"
	" auth_time = $8, acr = $9, code_hash = $10, code_expires_at = $11"
	" WHERE id = $1 AND state = 'pending'"
};
/* apart from the above: a column that is named there has its index written at each decision */
static STATEMENT REQUEST_KEEP = { "UPDATE requests SET over_at = $2 WHERE id = $1" };
static STATEMENT REQUEST_TAKE_CODE = {
	"SELECT " REQUEST_COLUMNS
	" FROM requests WHERE code_hash = $1 AND state = 'code'" SQL_TAKING
};
static STATEMENT REQUEST_SPEND = {
	"UPDATE requests SET state = 'spent', spent_at = $2, family_id = $3 WHERE id = $1"
};
static STATEMENT REQUEST_SWEEP = {
	"DELETE FROM requests WHERE id IN"
	" (SELECT id FROM requests WHERE over_at < $1 ORDER BY over_at LIMIT $2)"
};

static const struct str states[] = {
	[REQUEST_PUSHED] = STR_INIT("pushed"), [REQUEST_PENDING] = STR_INIT("pending"),
	[REQUEST_CODE] = STR_INIT("code"),     [REQUEST_DENIED] = STR_INIT("denied"),
	[REQUEST_SPENT] = STR_INIT("spent"),
};

static enum err row_state(struct task *task, struct sql_row *row, enum request_state *state)
{
	struct str name = row_str(task, row);

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		if (str_equals(states[i], name)) {
			*state = (enum request_state)i;
			return OK;
		}
	}
	return fail(task, ERR_STORE, "a request in an unknown state");
}

static void row_decision(struct task *task, struct sql_row *row, struct auth_request *request)
{
	request->auth_time = row_int(row);
	request->acr = row_str(task, row);
	request->code_hash = row_str(task, row);
	request->code_expires_at = row_int(row);
	request->spent_at = row_int(row);
	request->family_id = row_str(task, row);
	request->dpop_jkt = row_str(task, row);
	request->user_code = row_str(task, row);
	request->asked_from = row_str(task, row);
	request->poll_ms = row_int(row);
	request->polled_at = row_int(row);
}

static enum err read_request(struct task *task, struct sql_row *row, void *ret)
{
	struct auth_request *request = ret;

	request->id = row_str(task, row);
	TRY(row_state(task, row, &request->state));
	request->browser_hash = row_str(task, row);
	request->client_id = row_str(task, row);
	request->resource = row_str(task, row);
	TRY(row_scope(task, row, &request->scope));
	request->redirect_uri = row_str(task, row);
	request->oauth_state = row_str(task, row);
	request->code_challenge = row_str(task, row);
	request->nonce = row_str(task, row);
	request->prompt = row_str(task, row);
	request->max_age = row_int(row);
	request->login_hint = row_str(task, row);
	request->ui_locales = row_str(task, row);
	request->created_at = row_int(row);
	request->expires_at = row_int(row);
	request->user_id = row_str(task, row);
	request->shown_at = row_int(row);
	request->decided_at = row_int(row);
	request->decision = row_str(task, row);
	request->grant_id = row_str(task, row);
	request->yes = row_int(row);
	TRY(row_scope(task, row, &request->granted));
	row_decision(task, row, request);
	return row_details(task, row, &request->details);
}

/* Those that anybody can cause go as soon as nobody came for them. */
static int64_t over_unless_used(const struct auth_request *request)
{
	if (request->state == REQUEST_PUSHED)
		return request->expires_at;
	/* who comes too late is told so for as long again */
	if (auth_request_is_device(request))
		return request->expires_at + DEVICE_LIFE_MS;
	return request->created_at + REQUEST_KEEP_MS;
}

enum err auth_request_insert(struct task *task, struct db *db, const struct auth_request *request)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &REQUEST_INSERT,
		     ARGS(sql_text(request->id), sql_text(states[request->state]),
			  sql_blob(request->browser_hash), sql_text(request->client_id),
			  sql_text(request->resource),
			  sql_text(scope_text(&task->arena, request->scope)),
			  sql_text(request->redirect_uri), sql_text(request->oauth_state),
			  sql_text(request->code_challenge), sql_text(request->nonce),
			  sql_text(request->prompt), sql_int(request->max_age),
			  sql_text(request->login_hint), sql_text(request->ui_locales),
			  sql_int(request->created_at), sql_int(request->expires_at),
			  sql_text(request->user_id), sql_time(request->shown_at),
			  sql_text(request->dpop_jkt),
			  sql_text(details_print(&task->arena, &request->details)),
			  sql_int(over_unless_used(request)), sql_blob(request->code_hash),
			  sql_blob(request->user_code), sql_text(request->asked_from),
			  sql_time(request->poll_ms)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "another device has that code");
	return OK;
}

enum err auth_request_find(struct task *task, struct db *db, struct str id,
			   struct auth_request *ret_request)
{
	return sql_one(task, db, &REQUEST_FIND, ARGS(sql_text(id)), read_request, ret_request);
}

enum err auth_request_find_code(struct task *task, struct db *db, struct str code_hash,
				struct auth_request *ret_request)
{
	return sql_one(task, db, &REQUEST_FIND_CODE, ARGS(sql_blob(code_hash)), read_request,
		       ret_request);
}

enum err auth_request_take(struct task *task, struct db *db, const struct auth_request *request)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &REQUEST_TAKE,
		     ARGS(sql_text(request->id), sql_blob(request->browser_hash),
			  sql_int(task->now), sql_int(request->expires_at),
			  sql_int(task->now + REQUEST_KEEP_MS)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "it was opened already, or is over");
	return OK;
}

enum err auth_request_find_user_code(struct task *task, struct db *db, struct str user_code,
				     struct auth_request *ret_request)
{
	return sql_one(task, db, &REQUEST_FIND_USER_CODE, ARGS(sql_blob(user_code)), read_request,
		       ret_request);
}

enum err auth_request_claim(struct task *task, struct db *db, const struct device_claim *claim,
			    struct auth_request *ret_request)
{
	return sql_one(task, db, &REQUEST_CLAIM,
		       ARGS(sql_blob(claim->user_code), sql_blob(claim->browser_hash),
			    sql_text(claim->user_id), sql_int(claim->now)),
		       read_request, ret_request);
}

enum err auth_request_poll(struct task *task, struct db *db, struct str id, int64_t now,
			   bool *ret_too_soon)
{
	int64_t changed = 0;

	/* a network may bring two polls nearer to each other than they were sent */
	TRY(sql_exec(task, db, &REQUEST_POLL,
		     ARGS(sql_text(id), sql_int(now), sql_int(now + POLL_LEEWAY_MS)), &changed));
	*ret_too_soon = changed == 0;
	if (changed > 0)
		return OK;
	TRY(sql_exec(task, db, &REQUEST_POLL_SLOWER,
		     ARGS(sql_text(id), sql_int(now), sql_int(DEVICE_INTERVAL_MS)), &changed));
	*ret_too_soon = changed > 0;
	return OK;
}

enum err auth_request_show(struct task *task, struct db *db, struct str id, struct str user_id,
			   int64_t now)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &REQUEST_SHOW, ARGS(sql_text(id), sql_text(user_id), sql_int(now)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "it was answered, or is another person's");
	return OK;
}

enum err auth_request_decide(struct task *task, struct db *db, const struct auth_request *request)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &REQUEST_DECIDE,
		     ARGS(sql_text(request->id), sql_text(states[request->state]),
			  sql_text(request->user_id), sql_time(request->decided_at),
			  sql_text(request->decision), sql_text(request->grant_id),
			  sql_text(scope_text(&task->arena, request->granted)),
			  sql_time(request->auth_time), sql_text(request->acr),
			  sql_blob(request->code_hash), sql_time(request->code_expires_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "it was answered already");
	if (!auth_request_is_device(request))
		return OK;
	return sql_exec(task, db, &REQUEST_KEEP,
			ARGS(sql_text(request->id), sql_int(request->decided_at + REQUEST_KEEP_MS)),
			NULL);
}

enum err auth_request_spend(struct task *task, struct db *db, struct auth_request *request)
{
	const int64_t spent_at = request->spent_at;
	const struct str family_id = request->family_id;
	enum err err = sql_one(task, db, &REQUEST_TAKE_CODE, ARGS(sql_blob(request->code_hash)),
			       read_request, request);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_CONFLICT, "no code to be spent");
	TRY(err);
	request->state = REQUEST_SPENT;
	request->spent_at = spent_at;
	request->family_id = family_id;
	return sql_exec(task, db, &REQUEST_SPEND,
			ARGS(sql_text(request->id), sql_int(spent_at), sql_text(family_id)), NULL);
}

enum err auth_request_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
			    int64_t *ret_deleted)
{
	return sql_exec(task, db, &REQUEST_SWEEP, ARGS(sql_int(now), sql_int(limit)), ret_deleted);
}

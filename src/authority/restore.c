/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/restore.h"

#include "authority/events.h"
#include "authority/signing.h"
#include "authority/stop.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/nodes.h"
#include "store/register_tokens.h"
#include "store/requests.h"
#include "store/restoring.h"
#include "store/sessions.h"
#include "store/users.h"

#define PAGE	    200
#define DETAILS_MAX 1024
/* A line carries the time its act began, which is a little before its commit. */
#define SLACK_MS MINUTE_MS

struct restoring {
	const struct authority *authority;
	const struct restore *restore;
	struct restore_report report;
};

typedef enum err replay_fn(struct task *task, struct db *db, const struct ended_line *line);

/* "NUMBER" or "NUMBER/REST". */
static int64_t number_of(struct str text, struct str *ret_rest)
{
	struct str number = STR_NONE;
	uint64_t value = 0;

	(void)str_next(&text, '/', &number);
	*ret_rest = text;
	return str_to_u64(number, INT64_MAX, &value) ? (int64_t)value : 0;
}

static enum err replay_grant(struct task *task, struct db *db, const struct ended_line *line)
{
	bool is_now = false;

	return grant_revoke(task, db, line->id, line->at, line->more, &is_now);
}

static enum err replay_family(struct task *task, struct db *db, const struct ended_line *line)
{
	bool is_now = false;

	return family_revoke(task, db, line->id, line->at, line->more, &is_now);
}

static enum err replay_scope(struct task *task, struct db *db, const struct ended_line *line)
{
	return grant_remove_permission(task, db, line->id, line->more, line->at);
}

static enum err replay_end(struct task *task, struct db *db, const struct ended_line *line)
{
	struct str scope;
	int64_t expires_at = number_of(line->more, &scope);

	return grant_set_end(task, db, line->id, scope.len == 0 ? STR_NONE : scope, expires_at,
			     line->at);
}

static enum err replay_held(struct task *task, struct db *db, const struct ended_line *line)
{
	struct str rest;

	return grant_set_operator_paused(task, db, line->id, number_of(line->more, &rest),
					 line->at);
}

static enum err replay_paused(struct task *task, struct db *db, const struct ended_line *line)
{
	struct str rest;

	return family_set_paused(task, db, line->id, number_of(line->more, &rest));
}

static enum err replay_user(struct task *task, struct db *db, const struct ended_line *line)
{
	struct str rest;

	return user_set_disabled(task, db, line->id, number_of(line->more, &rest));
}

static enum err replay_client(struct task *task, struct db *db, const struct ended_line *line)
{
	struct str rest;
	int64_t disabled_at = number_of(line->more, &rest);
	int64_t not_before = number_of(rest, &rest);

	return client_set_disabled(task, db, line->id, disabled_at, not_before);
}

/* Its secret or its addresses of before may be the thief's: the operator looks first. */
static enum err replay_registration(struct task *task, struct db *db, const struct ended_line *line)
{
	return client_set_disabled(task, db, line->id, task->now, line->at);
}

/* A password that was replaced does not come back; without one the operator sets another. */
static enum err replay_authenticator(struct task *task, struct db *db,
				     const struct ended_line *line)
{
	return authenticator_delete_older(task, db, line->id, line->more, line->at);
}

static const struct {
	const char *verb;
	replay_fn *replay;
	bool is_final; /* what it ended cannot have come back before the copy was made */
} replays[] = {
	{ "grant", replay_grant, true },
	{ "family", replay_family, true },
	{ "authenticator", replay_authenticator, true },
	{ "scope", replay_scope, false },
	{ "end", replay_end, false },
	{ "held", replay_held, false },
	{ "paused", replay_paused, false },
	{ "user", replay_user, false },
	{ "client", replay_client, false },
	{ "registration", replay_registration, false },
};

/* What the copy does not know, or knows to be over, needs nothing. */
static enum err forgive_unknown(struct task *task, enum err err)
{
	if (err != ERR_NOT_FOUND && err != ERR_CONFLICT)
		return err;
	task_forgive(task);
	return OK;
}

static enum err replay_line(struct task *task, struct db *db, struct restoring *restoring,
			    const struct ended_line *line)
{
	/* not known when: every line counts */
	int64_t made_at = restoring->report.made_at;
	int64_t from = made_at == 0 ? 0 : made_at - SLACK_MS;

	for (size_t i = 0; i < COUNT_OF(replays); i++) {
		if (!str_equals(line->verb, str_from_c(replays[i].verb)))
			continue;
		if (!replays[i].is_final && line->at < from)
			return OK;
		if (line->at >= from)
			restoring->report.kept_ended++;
		return forgive_unknown(task, replays[i].replay(task, db, line));
	}
	return failf(task, ERR_CONFIG,
		     "the record of what has ended speaks of \"%.*s\", which this grantd does not "
		     "know: use the one that wrote it",
		     STR_FMT(line->verb));
}

static enum err note_pause(struct task *task, struct db *db, const struct restoring *restoring,
			   const struct grant *grant)
{
	struct event event = event_new(task, STR("grant.paused"), STR("operator"));
	struct user user = { 0 };

	TRY(user_find(task, db, grant->user_id, &user));
	event.user_id = grant->user_id;
	event.client_id = grant->client_id;
	event.grant_id = grant->id;
	event.resource = grant->resource;
	event.details = STR("{\"why\":\"restored\"}");
	TRY(stop_queue(task, db, restoring->authority, grant, user.username));
	return event_insert(task, db, &event);
}

static enum err pause_all(struct task *task, struct db *db, struct restoring *restoring)
{
	struct str after = STR("");
	struct grant *grants = NULL;
	size_t count = PAGE;

	TRY(restoring_pause_grants(task, db, task->now, &restoring->report.paused));
	while (count == PAGE) {
		TRY(restoring_list_paused(task, db,
					  &(struct restored_page){ task->now, after, PAGE },
					  &grants, &count));
		for (size_t i = 0; i < count; i++)
			TRY(note_pause(task, db, restoring, &grants[i]));
		if (count > 0)
			after = grants[count - 1].id;
	}
	return OK;
}

static enum err record(struct task *task, struct db *db, const struct restore_report *report)
{
	struct event event = event_new(task, STR("database.restored"), STR("operator"));
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	if (report->made_at != 0)
		json_member_str(&json, "made_at", clock_format(&task->arena, report->made_at));
	json_member_bool(&json, "complete", report->is_complete);
	json_member_int(&json, "kept_ended", report->kept_ended);
	json_member_int(&json, "grants_paused", report->paused);
	json_member_int(&json, "installations_ended", report->installations_ended);
	json_close(&json);
	TRY(buf_finish(&buf, &event.details));
	return event_insert(task, db, &event);
}

static enum err write_restored(struct task *task, struct db *db, void *arg)
{
	struct restoring *restoring = arg;
	const struct ended_record *ended = restoring->restore->ended;
	struct restore_report *report = &restoring->report;

	report->kept_ended = 0;
	for (size_t i = 0; i < ended->count; i++)
		TRY(replay_line(task, db, restoring, &ended->lines[i]));
	if (!report->is_complete)
		TRY(restoring_end_families(task, db, task->now, &report->installations_ended));
	TRY(pause_all(task, db, restoring));
	TRY(restoring_end_sessions(task, db, task->now));
	TRY(register_token_revoke_all(task, db, task->now));
	/* whoever served when the copy was made: nothing may wait for them */
	TRY(node_sweep(task, db, NEVER));
	TRY(restoring_count(task, db, &report->clients, &report->grants, &report->without_key));
	return record(task, db, report);
}

/*
 * Events and nodes that are newer than the copy: another grantd has served the database since, or
 * does, and what it did was not stopped by this restore. One that was not finished is done again:
 * what it has left itself does not count.
 */
static enum err check_not_served(struct task *task, struct db *db, int64_t made_at)
{
	struct node *nodes = NULL;
	int64_t newest = 0;
	size_t count = 0;

	TRY(restoring_newest_other(task, db, &newest));
	TRY(node_list(task, db, 0, &nodes, &count));
	for (size_t i = 0; i < count; i++)
		newest = nodes[i].seen_at > newest ? nodes[i].seen_at : newest;
	if (newest <= made_at + SLACK_MS)
		return OK;
	return failf(task, ERR_CONFIG,
		     "the database goes on until %s: the copy was not made at %s, or a grantd has "
		     "served it since; stop every one and put it back again",
		     clock_format(&task->arena, newest).at, clock_format(&task->arena, made_at).at);
}

enum err restore_apply(struct task *task, const struct authority *authority,
		       const struct restore *restore, struct restore_report *ret_report)
{
	static const struct signing_wish replace = { .kind = SIGNING_REPLACED,
						     .actor = { .kind = STR_INIT("operator") } };
	struct restoring *restoring = NEW(&task->arena, struct restoring);
	struct db *db = NULL;

	restoring->authority = authority;
	restoring->restore = restore;
	restoring->report.made_at = restore->made_at;
	TRY(store_reader(task, authority->store, &db));
	if (restore->made_at != 0)
		TRY(check_not_served(task, db, restore->made_at));
	TRY(user_count(task, db, &restoring->report.users));
	restoring->report.is_complete = restore->made_at != 0 && restore->is_everybodys &&
					restore->ended->since <= restore->made_at;
	TRY(store_write(task, authority->store, write_restored, restoring));
	TRY(signing_rotate(task, authority, &replace));
	*ret_report = restoring->report;
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/refresh_outcome.h"

#include "authority/stop.h"
#include "base/tally.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"

/*
 * What each judgement means: the event it leaves, the reason a program reads, whether it ends the
 * family.
 */
static const struct {
	const char *event;
	const char *reason;
	const char *details;
	bool ends_family;
	enum tally_name counted; /* TALLY_COUNT: not */
} outcomes[] = {
	[ROTATION_ADVANCE] = { "token.refreshed", "", NULL, false, TALLY_COUNT },
	[ROTATION_REPEAT] = { "token.repeated", "", "{\"why\":\"parallel\"}", false, TALLY_COUNT },
	[ROTATION_REPEAT_LOST] = { "token.repeated", "", "{\"why\":\"lost_answer\"}", false,
				   TALLY_COUNT },
	[ROTATION_TOO_OFTEN] = { "token.refused", "repeated_too_often",
				 "{\"why\":\"repeated_too_often\"}", false, TALLY_COUNT },
	[ROTATION_REUSED_LOST] = { "family.ended", "reused", "{\"why\":\"probably a lost answer\"}",
				   true, TALLY_REUSED_LOST },
	[ROTATION_REUSED] = { "family.ended", "reused", "{\"why\":\"possible theft\"}", true,
			      TALLY_REUSED_REFRESH_TOKEN },
	[ROTATION_FROM_FUTURE] = { "grant.paused", "paused",
				   "{\"why\":\"the database is older than this token\"}", false,
				   TALLY_RESTORED },
};

static enum err pause_grant(struct task *task, struct db *db, const struct refreshing *refreshing)
{
	const struct standing *standing = &refreshing->standing;

	TRY(grant_set_paused(task, db, standing->grant.id, task->now, task->now));
	return stop_queue(task, db, refreshing->authority, &standing->grant,
			  standing->user.username);
}

/* Whoever holds the copy may have a session open at the resource. */
static enum err end_family(struct task *task, struct db *db, const struct refreshing *refreshing,
			   bool *ret_now)
{
	const struct standing *standing = &refreshing->standing;

	TRY(family_revoke(task, db, standing->family.id, task->now, STR("reused"), ret_now));
	if (!*ret_now)
		return OK;
	return stop_queue(task, db, refreshing->authority, &standing->grant,
			  standing->user.username);
}

enum err outcome_write(struct task *task, struct db *db, struct refreshing *refreshing)
{
	struct family *family = &refreshing->standing.family;
	struct event *event = &refreshing->event;
	bool is_now = true;

	event->kind = str_from_c(outcomes[refreshing->rotation].event);
	event->details = str_from_c(outcomes[refreshing->rotation].details);
	if (refreshing->is_told)
		event->details = STR("{\"why\":\"lost_answer\",\"notice\":\"ten in a day\"}");
	if (refreshing->rotation == ROTATION_REPEAT_LOST)
		TRY(family_set_repeats(task, db, family));
	if (refreshing->rotation == ROTATION_FROM_FUTURE)
		TRY(pause_grant(task, db, refreshing));
	if (outcomes[refreshing->rotation].ends_family)
		TRY(end_family(task, db, refreshing, &is_now));
	refreshing->is_new = is_now;
	return is_now ? event_insert(task, db, event) : OK;
}

bool outcome_ends_family(enum rotation rotation)
{
	return outcomes[rotation].ends_family;
}

struct str outcome_reason(enum rotation rotation)
{
	return str_from_c(outcomes[rotation].reason);
}

void outcome_count(const struct task *task, const struct refreshing *refreshing)
{
	enum tally_name counted = outcomes[refreshing->rotation].counted;

	if (counted != TALLY_COUNT)
		tally_add(task, counted);
}

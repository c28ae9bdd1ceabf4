/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/throttle_shared.h"

#include <stdlib.h>

#include "authority/events.h"
#include "store/events.h"
#include "store/throttle_rows.h"

/* A task of its own, on the heap until the writer hands it home. */
struct share {
	struct task task;
	struct throttle *throttle;
	enum throttle_kind kind;
	struct str key;
	uint32_t added;
	int64_t ends_at; /* of a window that begins now */
	struct throttle_row row;
	bool has_event;
	struct event event;
};

/* Whether these were the ones that used up the window. */
static bool have_used_up(const struct share *share)
{
	int64_t allowed = throttle_limit(share->kind)->allowed;

	return share->row.used >= allowed && share->row.used - share->added < allowed;
}

static enum err write_share(struct task *task, struct db *db, void *arg)
{
	struct share *share = arg;

	share->row.ends_at = share->ends_at;
	TRY(throttle_row_add(task, db, &share->row, share->added, task->now));
	if (share->has_event && have_used_up(share))
		return event_insert(task, db, &share->event);
	return OK;
}

static struct share *share_of(struct task *task)
{
	return (struct share *)task; /* its first member */
}

static void share_free(struct share **share)
{
	task_end(&(*share)->task);
	free(*share);
	*share = NULL;
}

static void come_home(struct task *task)
{
	struct share *share = share_of(task);

	if (task->result == OK)
		throttle_learn(share->throttle, share->kind, share->key, share->row.used,
			       share->row.ends_at);
	else
		throttle_give_back(share->throttle, share->kind, share->key, share->added);
	share_free(&share);
}

/* Never called: home frees the task instead of going on. */
static enum err nothing_more(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

static struct share *share_new(struct task *task, const struct authority *authority,
			       enum throttle_kind kind, struct str key)
{
	struct share *share = calloc(1, sizeof(*share));

	if (share == NULL)
		abort();
	task_begin(&share->task, task->clock, task->log);
	share->task.home = come_home;
	share->throttle = authority->throttle;
	share->kind = kind;
	share->key = str_copy(&share->task.arena, key);
	share->ends_at = share->task.now + throttle_limit(kind)->window_ms;
	share->row.name = authority_alias(authority, &share->task.arena,
					  STR_JOIN(&share->task.arena,
						   str_from_c(throttle_limit(kind)->name),
						   STR("\0"), key));
	return share;
}

/* Rows are bounded by this, not by how many names a guesser can think of. */
static bool may_write(struct task *task, struct throttle *throttle)
{
	if (throttle_is_used_up(task, throttle, THROTTLE_SHARED, STR("")))
		return false;
	throttle_count(task, throttle, THROTTLE_SHARED, STR(""));
	return true;
}

static void tell_others(struct task *task, const struct authority *authority, struct share *share,
			const struct event *event)
{
	if (event != NULL) {
		share->has_event = true;
		share->event = event_copy(&share->task.arena, event);
	}
	if (store_submit(&share->task, authority->store, write_share, share, nothing_more) !=
	    ERR_PARKED) {
		log_warning(task, "throttle.not_shared");
		throttle_give_back(share->throttle, share->kind, share->key, share->added);
		share_free(&share);
	}
}

bool throttle_spend(struct task *task, const struct authority *authority, enum throttle_kind kind,
		    struct str key, const struct event *event)
{
	uint32_t untold = 0;
	bool used_up = throttle_count_shared(task, authority->throttle, kind, key, &untold);
	bool is_shared = store_is_shared(authority->store);
	struct share *share;

	if (is_shared && untold == 0)
		return used_up;
	if (!is_shared || !may_write(task, authority->throttle)) {
		if (is_shared)
			throttle_give_back(authority->throttle, kind, key, untold);
		if (used_up && event != NULL)
			event_record(task, authority, event);
		return used_up;
	}
	share = share_new(task, authority, kind, key);
	share->added = untold;
	tell_others(task, authority, share, event);
	return used_up;
}

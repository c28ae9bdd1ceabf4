/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs' part of registrations: those that nobody uses go. */
#include "authority/registration.h"

#include "store/registrations.h"

static enum err expire(struct task *task, struct db *db, const struct registration *registration,
		       int64_t before)
{
	bool is_gone = false;

	TRY(registration_remove(task, db, registration->client_id, before, &is_gone));
	if (!is_gone) /* somebody has a grant for it after all */
		return registration_use(task, db, registration->client_id);
	log_info(task, "client.expired", LOG_STR("client", registration->client_id));
	return OK;
}

enum err registration_expire(struct task *task, struct db *db, const struct authority *authority,
			     int64_t limit, int64_t *ret_removed)
{
	int64_t before = task->now - authority_config(authority)->registration_unused_ms;
	struct registration *list = NULL, *ended = NULL;
	size_t count = 0, ended_count = 0;

	TRY(registration_list_unused(task, db, before, limit, &list, &count));
	for (size_t i = 0; i < count; i++)
		TRY(expire(task, db, &list[i], before));
	before = task->now - REGISTRATION_IN_HANDS_MS;
	TRY(registration_list_ended(task, db, before, limit, &ended, &ended_count));
	for (size_t i = 0; i < ended_count; i++)
		TRY(expire(task, db, &ended[i], before));
	*ret_removed = (int64_t)(count > ended_count ? count : ended_count);
	return OK;
}

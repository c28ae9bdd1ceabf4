/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations that nobody uses go: by the jobs, or when the operator says so. */
#include "authority/registration.h"

#include "store/clients.h"
#include "store/registrations.h"

static enum err expire(struct task *task, struct db *db, const struct registration *registration,
		       int64_t before, struct expired *expired)
{
	bool is_gone = false;

	TRY(registration_remove(task, db, registration->client_id, before, &is_gone));
	if (!is_gone) /* somebody has a grant for it after all */
		return registration_use(task, db, registration->client_id);
	expired->clients[expired->count++] = registration->client_id;
	return OK;
}

enum err registration_expire(struct task *task, struct db *db, const struct authority *authority,
			     int64_t limit, struct expired *ret_expired)
{
	int64_t before = task->now - authority_config(authority)->registration_unused_ms;
	struct registration *list = NULL, *ended = NULL;
	size_t count = 0, ended_count = 0;
	struct expired expired = { 0 };

	TRY(registration_list_unused(task, db, before, limit, &list, &count));
	expired.clients = NEW_ARRAY(&task->arena, struct str, count + (size_t)limit);
	for (size_t i = 0; i < count; i++)
		TRY(expire(task, db, &list[i], before, &expired));
	before = task->now - REGISTRATION_IN_HANDS_MS;
	TRY(registration_list_ended(task, db, before, limit, &ended, &ended_count));
	for (size_t i = 0; i < ended_count; i++)
		TRY(expire(task, db, &ended[i], before, &expired));
	expired.listed = (int64_t)(count > ended_count ? count : ended_count);
	*ret_expired = expired;
	return OK;
}

void registration_tell_expired(struct task *task, const struct expired *expired)
{
	for (size_t i = 0; i < expired->count; i++)
		log_info(task, "client.expired", LOG_STR("client", expired->clients[i]));
}

static enum err write_forget(struct task *task, struct db *db, void *arg)
{
	const struct str *client_id = arg;
	struct client client;
	bool is_gone = false;

	TRY(client_find(task, db, *client_id, &client));
	if (!str_equals(client.kind, STR("registered")))
		return fail(task, ERR_CONFLICT,
			    "only what registered itself is removed; disable this one instead");
	TRY(registration_remove(task, db, *client_id, INT64_MAX, &is_gone));
	if (!is_gone)
		return fail(task, ERR_CONFLICT,
			    "people have allowed it something; disable it instead");
	return OK;
}

enum err registration_forget(struct task *task, const struct authority *authority,
			     struct str client_id)
{
	TRY(store_write(task, authority->store, write_forget, &client_id));
	log_info(task, "client.removed", LOG_STR("client", client_id));
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/documents.h"

#include "authority/document_flights.h"
#include "authority/document_keep.h"
#include "http/outgoing.h"

#define FETCH_MS 3000

/* A document on its way in. Task memory. */
struct reading {
	struct document_need *need;
	struct document_keep keep;
	struct outgoing_answer answer;
};

static bool is_listed(struct str domain, const struct str *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (document_is_below(domain, list[i]))
			return true;
	return false;
}

enum err document_check_domain(struct task *task, const struct config *config, struct str url)
{
	struct str domain = document_domain(url);

	if (is_listed(domain, config->client_metadata_deny, config->client_metadata_deny_count) ||
	    (config->client_metadata_allow_count > 0 &&
	     !is_listed(domain, config->client_metadata_allow,
			config->client_metadata_allow_count)))
		return fail(task, ERR_CLIENT, "agents of this domain are not let in here");
	return OK;
}

enum err document_check_policy(struct task *task, const struct config *config, struct str url)
{
	if (!config->client_metadata)
		return fail(task, ERR_CLIENT, "agents that are not registered are not let in here");
	return document_check_domain(task, config, url);
}

/* *ret_is: nothing has to be read. */
static enum err is_ready(struct task *task, struct db *db, const struct document_need *need,
			 bool *ret_is)
{
	struct document_row row = { 0 };
	enum err err = document_find(task, db, need->client_id, &row);

	*ret_is = false;
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	*ret_is = row.pinned_at != 0;
	if (*ret_is)
		return OK;
	TRY(document_check_policy(task, authority_config(need->fetch.authority), need->client_id));
	*ret_is = row.fresh_until > task->now;
	return OK;
}

/* The reader's end: those who waited go on as it does. */
static enum err land(struct task *task, struct document_need *need, enum err err)
{
	document_flight_end(need->fetch.authority->documents, need->client_id, err, task->reason);
	return err;
}

static enum err kept(struct task *task, enum err result, void *arg)
{
	const struct document_keep *keep = arg;
	struct document_need *need = keep->need;

	return need->then(task, land(task, need, result), need->arg);
}

/*
 * A person sees no more than that it cannot be read: what is known of names and addresses in here
 * is for the log.
 */
static enum err refuse_answer(struct task *task, const struct document_need *need)
{
	log_info(task, "document.not_read", LOG_STR("client", need->client_id),
		 LOG_STR("reason", task->reason));
	return failf(task, ERR_CLIENT_DOCUMENT, "nothing usable can be read from %.*s",
		     STR_FMT(document_host(need->client_id)));
}

static enum err check_answer(struct task *task, const struct reading *reading, enum err result)
{
	if (result == ERR_BUSY || result == ERR_INTERNAL || result == ERR_CONFIG)
		return result;
	if (result != OK)
		return refuse_answer(task, reading->need);
	return fetch_check_answer(task, reading->need->client_id, &reading->answer);
}

static enum err take(struct task *task, struct reading *reading)
{
	struct document_need *need = reading->need;
	const struct outgoing_answer *answer = &reading->answer;
	struct document_keep *keep = &reading->keep;

	keep->need = need;
	keep->authority = need->fetch.authority;
	keep->user_id = need->fetch.user_id;
	keep->life = document_life(answer->cache_control, answer->age);
	TRY(document_keep_plan(task, need->client_id, answer->body, keep));
	return store_submit(task, need->fetch.authority->store, document_keep_write, keep, kept);
}

/* On the task's loop. */
static enum err arrived(struct task *task, enum err result, void *arg)
{
	struct reading *reading = arg;
	struct document_need *need = reading->need;
	enum err err = check_answer(task, reading, result);

	if (err == OK)
		err = take(task, reading);
	return err == ERR_PARKED ? err : need->then(task, land(task, need, err), need->arg);
}

/* As the one who reads: what another one has read meanwhile is there by now. */
static enum err read_it(struct task *task, struct db *db, struct document_need *need)
{
	const struct authority *authority = need->fetch.authority;
	struct reading *reading = NEW(&task->arena, struct reading);
	const struct outgoing_wish wish = {
		.url = need->client_id,
		.accept = STR("application/json"),
		.answer_max = DOCUMENT_MAX,
		.timeout_ms = FETCH_MS,
		.allow_loopback = authority_config(authority)->client_metadata_loopback,
	};
	struct outgoing *outgoing = documents_outgoing(authority->documents);
	bool is = false;

	reading->need = need;
	TRY(is_ready(task, db, need, &is));
	if (is)
		return OK;
	if (outgoing == NULL)
		return fail(task, ERR_CLIENT, "nothing is fetched here");
	TRY(fetch_spend(task, &need->fetch));
	reading->keep.began_at = task->now;
	return outgoing_get(task, outgoing, &wish, &reading->answer, arrived, reading);
}

enum err document_need(struct task *task, const struct authority *authority,
		       struct document_need *need, then_fn *then, void *arg)
{
	const struct config *config = authority_config(authority);
	struct db *db = NULL;
	bool is = false, is_known = false;
	enum err err;

	need->fetch.authority = authority;
	need->then = then;
	need->arg = arg;
	TRY(document_check_url(task, need->client_id, config->client_metadata_loopback));
	TRY(store_reader(task, authority->store, &db));
	TRY(is_ready(task, db, need, &is));
	if (is)
		return OK;
	TRY(document_check_policy(task, config, need->client_id));
	if (need->fetch.user_id.at == NULL)
		return fail(task, ERR_LOGIN_REQUIRED, "nobody is signed in");
	TRY(document_knows_host(task, db, document_host(need->client_id), &is_known));
	need->fetch.is_new_host = !is_known;
	TRY(fetch_check(task, &need->fetch));
	err = document_flight_begin(task, authority->documents, need->client_id, then, arg);
	if (err != OK)
		return err;
	err = read_it(task, db, need);
	return err == ERR_PARKED ? err : land(task, need, err);
}

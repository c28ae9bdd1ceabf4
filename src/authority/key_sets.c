/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/key_sets.h"

#include "authority/document_flights.h"
#include "authority/documents.h"
#include "authority/key_set_read.h"

/* without a new reading for so long it is as good as none */
#define GOOD_MS DAY_MS

/* An empty row, if there is none. */
static enum err find(struct task *task, struct db *db, const struct client *client,
		     struct key_set_row *ret_row)
{
	struct key_set_row row = { 0 };
	enum err err = key_set_find(task, db, client->id, &row);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == ERR_NOT_FOUND)
		task_forgive(task);
	*ret_row = row;
	return OK;
}

static enum err check_good(struct task *task, const struct client *client,
			   const struct key_set_row *row)
{
	if (!str_equals(row->uri, client->jwks_uri) || row->jwks.at == NULL)
		return fail(task, ERR_CLIENT, "nothing was read at the client's jwks_uri yet");
	if (row->read_at > task->now + KEY_SET_SKEW_MS)
		return fail(task, ERR_CLIENT,
			    "what was read at the client's jwks_uri is of a clock that was ahead");
	if (row->read_at + GOOD_MS <= task->now)
		return fail(task, ERR_CLIENT,
			    "nothing could be read at the client's jwks_uri for a day");
	return OK;
}

enum err key_set_load(struct task *task, struct db *db, struct client *client)
{
	struct key_set_row row = { 0 };

	if (client->jwks_uri.at == NULL)
		return OK;
	TRY(find(task, db, client, &row));
	TRY(check_good(task, client, &row));
	client->jwks = row.jwks;
	return OK;
}

enum err key_set_want_own(struct task *task, struct db *db, const struct client *client)
{
	struct key_set_row row = { 0 };
	int64_t due_at = task->now;

	TRY(find(task, db, client, &row));
	if (str_equals(row.uri, client->jwks_uri))
		due_at = 0; /* as it was */
	else if (due_at < row.tried_at + KEY_SET_RETRY_MS)
		due_at = row.tried_at + KEY_SET_RETRY_MS;
	return key_set_want(task, db, client->id, client->jwks_uri, due_at);
}

void key_set_miss(struct task *task, const struct authority *authority, const struct client *client)
{
	int64_t before = task->now - KEY_SET_RETRY_MS;
	struct key_set_row row = { 0 };
	struct db *db = NULL;

	if (store_reader(task, authority->store, &db) == OK &&
	    key_set_find(task, db, client->id, &row) == OK && row.tried_at <= before &&
	    row.read_at <= before)
		key_sets_note_miss(authority->key_sets, client->id);
	task_forgive(task);
}

/* --- for a person --- */

/* Its host is no new one when the person has just had the client's document read there. */
static bool is_new_host(const struct key_set_reading *reading)
{
	const struct key_set_place *place = &reading->place;

	return !document_is_meant(place->client_id) ||
	       !str_equals(document_host(place->client_id), document_host(place->uri));
}

/* Beside the flights of documents, by a name that no URL has. */
static struct str flight_name(struct arena *arena, struct str client_id)
{
	return STR_JOIN(arena, STR(KEY_FLIGHT), client_id);
}

static enum err land(struct task *task, struct key_set_need *need, enum err err)
{
	document_flight_end(need->fetch.authority->documents,
			    flight_name(&task->arena, need->client_id), err, task->reason);
	return err;
}

static enum err keep(struct task *task, struct db *db, void *arg)
{
	const struct key_set_need *need = arg;

	return key_set_keep(task, db, need->reading);
}

static enum err kept(struct task *task, enum err result, void *arg)
{
	struct key_set_need *need = arg;

	return need->then(task, land(task, need, result), need->arg);
}

/* What is known of names and addresses in here is for the log. */
static enum err refuse_answer(struct task *task, const struct key_set_need *need, enum err err)
{
	if (err == ERR_BUSY || err == ERR_INTERNAL || err == ERR_CONFIG)
		return err;
	log_info(task, "keys.not_read", LOG_STR("client", need->client_id),
		 LOG_STR("uri", need->reading->place.uri), LOG_STR("reason", task->reason));
	return failf(task, ERR_CLIENT_DOCUMENT, "no usable keys of it can be read from %.*s",
		     STR_FMT(document_host(need->reading->place.uri)));
}

static enum err arrived(struct task *task, enum err result, void *arg)
{
	struct key_set_need *need = arg;
	enum err err = key_set_judge(task, need->reading, result);

	if (err == OK)
		err = store_submit(task, need->fetch.authority->store, keep, need, kept);
	else
		err = refuse_answer(task, need, err);
	return err == ERR_PARKED ? err : need->then(task, land(task, need, err), need->arg);
}

/* As the one who reads: what another one has read meanwhile is there by now. */
static enum err read_it(struct task *task, struct db *db, const struct client *client,
			struct key_set_need *need)
{
	struct key_set_row row = { 0 };

	TRY(find(task, db, client, &row));
	if (check_good(task, client, &row) == OK)
		return OK;
	task_forgive(task);
	need->fetch.is_new_host = is_new_host(need->reading);
	TRY(fetch_spend(task, &need->fetch));
	return key_set_read(task, need->reading, arrived, need);
}

static struct key_set_reading *new_reading(struct task *task, const struct authority *authority,
					   const struct client *client,
					   const struct key_set_row *row)
{
	struct key_set_reading *reading = NEW(&task->arena, struct key_set_reading);

	reading->authority = authority;
	reading->place.client_id = client->id;
	reading->place.uri = client->jwks_uri;
	reading->place.is_operators = row->is_operators;
	return reading;
}

enum err key_set_need(struct task *task, const struct authority *authority,
		      const struct client *client, struct key_set_need *need, then_fn *then,
		      void *arg)
{
	struct key_set_row row = { 0 };
	struct db *db = NULL;
	enum err err;

	if (client->jwks_uri.at == NULL)
		return OK;
	TRY(store_reader(task, authority->store, &db));
	TRY(find(task, db, client, &row));
	if (check_good(task, client, &row) == OK)
		return OK;
	task_forgive(task);
	if (need->fetch.user_id.at == NULL && row.is_operators)
		return OK; /* the jobs see to it */
	if (need->fetch.user_id.at == NULL)
		return fail(task, ERR_LOGIN_REQUIRED, "nobody is signed in");
	need->client_id = client->id;
	need->fetch.authority = authority;
	need->then = then;
	need->arg = arg;
	need->reading = new_reading(task, authority, client, &row);
	err = document_flight_begin(task, authority->documents,
				    flight_name(&task->arena, client->id), then, arg);
	if (err != OK)
		return err;
	err = read_it(task, db, client, need);
	return err == ERR_PARKED ? err : land(task, need, err);
}

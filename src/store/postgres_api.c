/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres_api.h"

#include <pthread.h>

#include "base/library.h"
#include "base/task.h"

static const struct library_symbol symbols[] = {
	{ "PQconnectdbParams", offsetof(struct postgres_api, connect) },
	{ "PQfinish", offsetof(struct postgres_api, finish) },
	{ "PQstatus", offsetof(struct postgres_api, status) },
	{ "PQerrorMessage", offsetof(struct postgres_api, error_message) },
	{ "PQsocket", offsetof(struct postgres_api, socket) },
	{ "PQsetNoticeProcessor", offsetof(struct postgres_api, set_notice_processor) },
	{ "PQsendQuery", offsetof(struct postgres_api, send_query) },
	{ "PQsendPrepare", offsetof(struct postgres_api, send_prepare) },
	{ "PQsendQueryPrepared", offsetof(struct postgres_api, send_prepared) },
	{ "PQconsumeInput", offsetof(struct postgres_api, consume_input) },
	{ "PQisBusy", offsetof(struct postgres_api, is_busy) },
	{ "PQgetResult", offsetof(struct postgres_api, get_result) },
	{ "PQresultStatus", offsetof(struct postgres_api, result_status) },
	{ "PQresultErrorField", offsetof(struct postgres_api, error_field) },
	{ "PQcmdStatus", offsetof(struct postgres_api, command_status) },
	{ "PQcmdTuples", offsetof(struct postgres_api, command_rows) },
	{ "PQntuples", offsetof(struct postgres_api, rows) },
	{ "PQftype", offsetof(struct postgres_api, type) },
	{ "PQgetisnull", offsetof(struct postgres_api, is_null) },
	{ "PQgetvalue", offsetof(struct postgres_api, value) },
	{ "PQgetlength", offsetof(struct postgres_api, length) },
	{ "PQclear", offsetof(struct postgres_api, clear) },
};

/* Written once, before anybody reads it. */
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static struct postgres_api api;
static bool is_there;

static void load(void)
{
	is_there = library_load("libpq.so.5", symbols, COUNT_OF(symbols), &api);
}

enum err postgres_api_load(struct task *task, const struct postgres_api **ret_api)
{
	pthread_once(&loaded, load);
	if (!is_there)
		return fail(task, ERR_CONFIG,
			    "a PostgreSQL database needs libpq.so.5: install libpq5");
	*ret_api = &api;
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpq, loaded when the first PostgreSQL store is opened: a daemon on SQLite does not carry it.
 * Only types come from its header.
 */
#pragma once

#include <libpq-fe.h>

#include "base/err.h"

struct task;

struct postgres_api {
	__typeof__(PQconnectdbParams) *connect;
	__typeof__(PQfinish) *finish;
	__typeof__(PQstatus) *status;
	__typeof__(PQerrorMessage) *error_message;
	__typeof__(PQsocket) *socket;
	__typeof__(PQsetNoticeProcessor) *set_notice_processor;
	__typeof__(PQsendQuery) *send_query;
	__typeof__(PQsendPrepare) *send_prepare;
	__typeof__(PQsendQueryPrepared) *send_prepared;
	__typeof__(PQconsumeInput) *consume_input;
	__typeof__(PQisBusy) *is_busy;
	__typeof__(PQgetResult) *get_result;
	__typeof__(PQresultStatus) *result_status;
	__typeof__(PQresultErrorField) *error_field;
	__typeof__(PQcmdStatus) *command_status;
	__typeof__(PQcmdTuples) *command_rows;
	__typeof__(PQntuples) *rows;
	__typeof__(PQftype) *type;
	__typeof__(PQgetisnull) *is_null;
	__typeof__(PQgetvalue) *value;
	__typeof__(PQgetlength) *length;
	__typeof__(PQclear) *clear;
};

/* The same table for all threads, never unloaded. ERR_CONFIG when libpq is not installed. */
MUST_CHECK enum err postgres_api_load(struct task *task, const struct postgres_api **ret_api);

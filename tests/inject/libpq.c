/* SPDX-License-Identifier: Apache-2.0 */
/* libpq is looked up by name when it is first used, so it is met where names are looked up. */
#include "inject.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <stddef.h>
#include <string.h>

static struct {
	__typeof__(PQconnectdbParams) *connect;
	__typeof__(PQsendQuery) *send_query;
	__typeof__(PQsendPrepare) *send_prepare;
	__typeof__(PQsendQueryPrepared) *send_prepared;
	__typeof__(PQconsumeInput) *consume;
	__typeof__(PQgetResult) *result;
	__typeof__(PQresultStatus) *status;
} real;

/* A function in front of libpq's: what its place in the table above answers, or a refusal. */
#define LIBPQ(result, name, label, parameters, arguments, refusal)                                 \
	static result name parameters                                                              \
	{                                                                                          \
		return INJECT(INJECT_LIBPQ, label) ? (refusal) : real.name arguments;              \
	}

LIBPQ(PGconn *, connect, "PQconnectdbParams",
      (const char *const *names, const char *const *values, int expand), (names, values, expand),
      NULL)
LIBPQ(int, send_query, "PQsendQuery", (PGconn * connection, const char *text), (connection, text),
      0)
LIBPQ(int, send_prepare, "PQsendPrepare",
      (PGconn * connection, const char *name, const char *text, int count, const Oid *types),
      (connection, name, text, count, types), 0)
LIBPQ(int, send_prepared, "PQsendQueryPrepared",
      (PGconn * connection, const char *name, int count, const char *const *values,
       const int *lengths, const int *formats, int format),
      (connection, name, count, values, lengths, formats, format), 0)
LIBPQ(int, consume, "PQconsumeInput", (PGconn * connection), (connection), 0)
LIBPQ(PGresult *, result, "PQgetResult", (PGconn * connection), (connection), NULL)
LIBPQ(ExecStatusType, status, "PQresultStatus", (const PGresult *of), (of), PGRES_FATAL_ERROR)

static const struct {
	const char *name;
	void *watched;
	void **real;
} symbols[] = {
	{ "PQconnectdbParams", (void *)connect, (void **)&real.connect },
	{ "PQsendQuery", (void *)send_query, (void **)&real.send_query },
	{ "PQsendPrepare", (void *)send_prepare, (void **)&real.send_prepare },
	{ "PQsendQueryPrepared", (void *)send_prepared, (void **)&real.send_prepared },
	{ "PQconsumeInput", (void *)consume, (void **)&real.consume },
	{ "PQgetResult", (void *)result, (void **)&real.result },
	{ "PQresultStatus", (void *)status, (void **)&real.status },
};

__attribute__((visibility("default"))) void *dlsym(void *library, const char *name)
{
	static __typeof__(dlsym) *look_up;
	void *found;

	if (look_up == NULL)
		look_up = (__typeof__(dlsym) *)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	found = look_up == NULL ? NULL : look_up(library, name);
	for (size_t i = 0; found != NULL && i < sizeof(symbols) / sizeof(*symbols); i++) {
		if (strcmp(symbols[i].name, name) != 0)
			continue;
		*symbols[i].real = found;
		return symbols[i].watched;
	}
	return found;
}

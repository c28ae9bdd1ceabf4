/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/task.h"
#include "http/address.h"
#include "http/outgoing_call.h"

#define HEAD_MAX (16 * 1024)

static bool is_same(const struct sockaddr *one, const struct sockaddr_storage *other)
{
	const struct sockaddr_in *v4 = (const void *)one, *v4_other = (const void *)other;
	const struct sockaddr_in6 *v6 = (const void *)one, *v6_other = (const void *)other;

	if (one->sa_family != other->ss_family)
		return false;
	if (one->sa_family == AF_INET)
		return v4->sin_addr.s_addr == v4_other->sin_addr.s_addr;
	return memcmp(&v6->sin6_addr, &v6_other->sin6_addr, sizeof(v6->sin6_addr)) == 0;
}

/*
 * libcurl asks for a socket: the last look at where it goes, whatever it believes to know of the
 * name. Only what the one lookup answered, and that again only if it is public.
 */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	const struct call *call = context;
	enum address_reach reach = address_reach_of(&address->addr);

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    (reach != ADDRESS_PUBLIC && !(reach == ADDRESS_LOOPBACK && call->allow_loopback)))
		return CURL_SOCKET_BAD;
	for (size_t i = 0; i < call->address_count; i++)
		if (is_same(&address->addr, &call->addresses[i]))
			return socket(address->family, address->socktype | SOCK_CLOEXEC,
				      address->protocol);
	return CURL_SOCKET_BAD;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct call *call = context;

	(void)size; /* always 1 */
	buf_add(&call->body, (struct str){ bytes, count });
	return call->body.too_large ? 0 : count;
}

/* The value of the field of that name, or STR_NONE for another line. */
static struct str value_of(struct str line, struct str name)
{
	size_t colon = str_find(line, ':');

	while (line.len > 0 && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r'))
		line.len--;
	if (colon >= line.len || !str_equals_nocase(str_sub(line, 0, colon), name))
		return STR_NONE;
	return str_trim(str_from(line, colon + 1));
}

static void keep(struct call *call, struct str value, struct str *place)
{
	struct arena *arena = &call->task->arena;

	if (value.at == NULL)
		return;
	*place = place->at == NULL ? str_copy(arena, value)
				   : STR_JOIN(arena, *place, STR(", "), value);
}

static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
	struct call *call = context;
	struct str line = { bytes, count };

	(void)size; /* always 1 */
	call->head_len += count;
	if (call->head_len > HEAD_MAX)
		return 0;
	/* what came before a 100 or 103 is not the answer's */
	if (str_starts_with(line, STR("HTTP/")))
		call->answer = (struct outgoing_answer){ 0 };
	keep(call, value_of(line, STR("Cache-Control")), &call->answer.cache_control);
	keep(call, value_of(line, STR("Age")), &call->answer.age);
	return count;
}

/* Out of memory ends the process (base/arena.h). */
static struct curl_slist *list_with(struct call *call, struct curl_slist *list, struct str line)
{
	struct curl_slist *longer = call->curl->list_append(list,
							    str_to_c(&call->task->arena, line));

	if (longer == NULL)
		abort();
	return longer;
}

/* "+host:port:address,address": what libcurl's own cache of names says of it from now on. */
static struct str pin_of(const struct call *call)
{
	struct arena *arena = &call->task->arena;
	struct str pin = STR_JOIN(arena, STR("+"), call->host, STR(":"), call->port, STR(":"));

	for (size_t i = 0; i < call->address_count; i++) {
		const struct sockaddr *address = (const void *)&call->addresses[i];

		pin = STR_JOIN(arena, pin, i == 0 ? STR("") : STR(","),
			       address_text(arena, address));
	}
	return pin;
}

static void set_request(struct call *call, int64_t now)
{
	const struct client_api *curl = call->curl;
	struct arena *arena = &call->task->arena;

	curl->set(call->easy, CURLOPT_URL, str_to_c(arena, call->url));
	curl->set(call->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl->set(call->easy, CURLOPT_HTTPHEADER, call->fields);
	curl->set(call->easy, CURLOPT_RESOLVE, call->pinned);
	curl->set(call->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl->set(call->easy, CURLOPT_OPENSOCKETDATA, call);
	/* each fetch has looked its own addresses over */
	curl->set(call->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl->set(call->easy, CURLOPT_FORBID_REUSE, 1L);
	curl->set(call->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl->set(call->easy, CURLOPT_WRITEDATA, call);
	curl->set(call->easy, CURLOPT_HEADERFUNCTION, take_head);
	curl->set(call->easy, CURLOPT_HEADERDATA, call);
	curl->set(call->easy, CURLOPT_ERRORBUFFER, call->detail);
	curl->set(call->easy, CURLOPT_PRIVATE, call);
	curl->set(call->easy, CURLOPT_TIMEOUT_MS, (long)(call->ends_at - now));
}

enum err call_prepare(struct call *call, int64_t now)
{
	struct task *task = call->task;

	TRY(client_api_load(task, &call->curl));
	call->easy = call->curl->init();
	if (call->easy == NULL)
		return fail(task, ERR_INTERNAL, "the HTTP client cannot start");
	call->body = buf_in(&task->arena, call->answer_max);
	call->fields = list_with(call, NULL, STR_JOIN(&task->arena, STR("Accept: "), call->accept));
	call->pinned = list_with(call, NULL, pin_of(call));
	client_api_narrow(call->curl, call->easy);
	client_api_trust(call->curl, call->easy, call->extra_ca);
	set_request(call, now);
	return OK;
}

static enum err explain(struct call *call, CURLcode code)
{
	struct task *task = call->task;
	struct str host = call->host;

	if (call->body.too_large || call->head_len > HEAD_MAX)
		return failf(task, ERR_TOO_LARGE, "the answer of %.*s has more than %zu bytes",
			     STR_FMT(host), call->body.too_large ? call->answer_max : HEAD_MAX);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return failf(task, ERR_TIMEOUT, "%.*s did not answer within %d ms", STR_FMT(host),
			     call->timeout_ms);
	return failf(task, ERR_IO, "no answer from %.*s: %s", STR_FMT(host),
		     call->detail[0] == '\0' ? call->curl->error_text(code) : call->detail);
}

static struct str bounded(struct str value)
{
	return value.len > OUTGOING_FIELD_MAX ? STR_NONE : value;
}

enum err call_finish(struct call *call, CURLcode code)
{
	struct outgoing_answer answer = call->answer;
	struct task *task = call->task;
	const char *type = NULL;
	long status = 0;

	if (code != CURLE_OK)
		return explain(call, code);
	call->curl->get(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->curl->get(call->easy, CURLINFO_CONTENT_TYPE, &type);
	if (status < 100 || status > 999)
		return fail(task, ERR_IO, "the answer has no HTTP status");
	TRY(buf_finish(&call->body, &answer.body));
	answer.status = (unsigned)status;
	answer.type = type == NULL ? STR_NONE : str_copy(&task->arena, str_from_c(type));
	answer.cache_control = bounded(answer.cache_control);
	answer.age = bounded(answer.age);
	*call->ret_answer = answer;
	return OK;
}

void call_drop(struct call *call)
{
	if (call->easy == NULL)
		return;
	call->curl->cleanup(call->easy);
	call->curl->list_free(call->fields);
	call->curl->list_free(call->pinned);
	call->easy = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/task.h"
#include "base/url.h"
#include "http/client_api.h"

#define METHOD_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* One call while it is made. */
struct call {
	struct task *task;
	const struct http_call *wish;
	const struct client_api *curl;
	CURL *easy;
	struct curl_slist *fields;
	struct buf head, body;
	struct str inside; /* where it was led and did not go; STR_NONE */
	char detail[CURL_ERROR_SIZE];
};

static void call_end(struct call *call)
{
	if (call->curl == NULL)
		return;
	call->curl->cleanup(call->easy);
	call->curl->list_free(call->fields);
}

/* ERR_REQUEST unless we may call such a URL at all; before any name is looked up. */
static enum err check_url(struct task *task, const struct http_call *call, struct url *ret_url)
{
	struct url url;

	if (url_parse(call->url, &url) != OK || url.host.at == NULL)
		return failf(task, ERR_REQUEST, "\"%.*s\" is not a URL", STR_FMT(call->url));
	if (url.userinfo.at != NULL)
		return fail(task, ERR_REQUEST, "a URL must not carry a name or a password");
	if (str_equals_nocase(url.scheme, STR("http"))) {
		bool is_loopback = str_equals(url.host, STR("127.0.0.1")) ||
				   str_equals(url.host, STR("[::1]"));

		if (call->unix_socket.at == NULL && !(call->allow_loopback_http && is_loopback))
			return failf(task, ERR_REQUEST, "\"%.*s\" is not https",
				     STR_FMT(call->url));
	} else if (!str_equals_nocase(url.scheme, STR("https"))) {
		return failf(task, ERR_REQUEST, "\"%.*s\" is not https", STR_FMT(call->url));
	}
	*ret_url = url;
	return OK;
}

/*
 * Out of memory ends the process (base/arena.h); a call without its Authorization must not go out.
 */
static void add_field(struct call *call, const char *line)
{
	struct curl_slist *longer = call->curl->list_append(call->fields, line);

	if (longer == NULL)
		abort();
	call->fields = longer;
}

/* Header lines for curl. A line break in one would smuggle a second one in. */
static enum err add_fields(struct task *task, const struct http_call *wish, struct call *call)
{
	/* no "Expect: 100-continue": our bodies are small and the wait is a second */
	add_field(call, "Expect:");
	for (size_t i = 0; i < wish->field_count; i++) {
		struct str field = wish->fields[i];

		if (str_has(field, '\r') || str_has(field, '\n') || str_has(field, '\0'))
			return fail(task, ERR_REQUEST, "a header field has a line break");
		add_field(call, str_to_c(&task->arena, field));
	}
	return OK;
}

/* One line of the header at a time, with its line break. */
static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
	struct call *call = context;
	struct str line = { bytes, count };

	(void)size; /* always 1 */
	/* what came before a 100 or 103 is not the answer's */
	if (str_starts_with(line, STR("HTTP/")))
		call->head = buf_in(&call->task->arena, HTTP_CLIENT_HEAD_MAX);
	else
		buf_add(&call->head, line);
	return call->head.too_large ? 0 : count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct call *call = context;

	(void)size; /* always 1 */
	buf_add(&call->body, (struct str){ bytes, count });
	return call->body.too_large ? 0 : count;
}

/*
 * libcurl asks for a socket: the one place where it shows where a name leads, whatever was looked
 * up before.
 */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *call = context;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (address_may_lead(call->wish->led_from, address_reach_of(&address->addr)))
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	call->inside = address_text(&call->task->arena, &address->addr);
	return CURL_SOCKET_BAD;
}

static int look_up(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		   curl_off_t up)
{
	const struct call *call = context;

	(void)down_all, (void)down, (void)up_all, (void)up;
	return call->wish->is_given_up() ? 1 : 0;
}

static void set_trust(const struct call *call)
{
	const struct http_call *wish = call->wish;

	client_api_trust(call->curl, call->easy, wish->extra_ca);
	if (wish->ca_file.at == NULL)
		return;
	/* that file and nothing beside it */
	call->curl->set(call->easy, CURLOPT_CAINFO, str_to_c(&call->task->arena, wish->ca_file));
	call->curl->set(call->easy, CURLOPT_CAPATH, NULL);
}

static void set_path(struct call *call)
{
	const struct http_call *wish = call->wish;
	struct arena *arena = &call->task->arena;
	bool is_http = wish->unix_socket.at != NULL || wish->allow_loopback_http;

	call->curl->set(call->easy, CURLOPT_URL, str_to_c(arena, wish->url));
	call->curl->set(call->easy, CURLOPT_PROTOCOLS_STR, is_http ? "http,https" : "https");
	client_api_narrow(call->curl, call->easy);
	if (wish->unix_socket.at != NULL)
		call->curl->set(call->easy, CURLOPT_UNIX_SOCKET_PATH,
				str_to_c(arena, wish->unix_socket));
	if (!wish->is_led)
		return;
	call->curl->set(call->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	call->curl->set(call->easy, CURLOPT_OPENSOCKETDATA, call);
}

static void set_request(const struct call *call)
{
	const struct http_call *wish = call->wish;

	if (wish->body.at != NULL) {
		call->curl->set(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)wish->body.len);
		call->curl->set(call->easy, CURLOPT_POSTFIELDS, wish->body.at);
	} else if (str_equals(wish->method, STR("POST"))) {
		call->curl->set(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
		call->curl->set(call->easy, CURLOPT_POSTFIELDS, "");
	}
	call->curl->set(call->easy, CURLOPT_CUSTOMREQUEST,
			str_to_c(&call->task->arena, wish->method));
	call->curl->set(call->easy, CURLOPT_HTTPHEADER, call->fields);
	call->curl->set(call->easy, CURLOPT_TIMEOUT_MS, (long)wish->timeout_ms);
}

static void set_answer(struct call *call)
{
	call->curl->set(call->easy, CURLOPT_HEADERFUNCTION, take_head);
	call->curl->set(call->easy, CURLOPT_HEADERDATA, call);
	call->curl->set(call->easy, CURLOPT_WRITEFUNCTION, take_body);
	call->curl->set(call->easy, CURLOPT_WRITEDATA, call);
	call->curl->set(call->easy, CURLOPT_ERRORBUFFER, call->detail);
	if (call->wish->is_given_up == NULL)
		return;
	call->curl->set(call->easy, CURLOPT_NOPROGRESS, 0L);
	call->curl->set(call->easy, CURLOPT_XFERINFOFUNCTION, look_up);
	call->curl->set(call->easy, CURLOPT_XFERINFODATA, call);
}

/* Why nothing usable came, in words for whoever typed the address. */
static enum err explain(const struct call *call, const struct url *url, CURLcode code)
{
	struct task *task = call->task;
	const struct http_call *wish = call->wish;
	struct str where = wish->unix_socket.at != NULL ? wish->unix_socket
							: url_origin(&task->arena, url);
	const char *detail = call->detail[0] == '\0' ? call->curl->error_text(code) : call->detail;

	if (call->inside.at != NULL)
		return failf(task, ERR_REQUEST,
			     "the name %.*s leads to %.*s, which is not on the public internet",
			     STR_FMT(url->host), STR_FMT(call->inside));
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return failf(task, ERR_IO, "%.*s was not waited for", STR_FMT(where));
	if (code == CURLE_OPERATION_TIMEDOUT)
		return failf(task, ERR_TIMEOUT, "%.*s did not answer within %d ms", STR_FMT(where),
			     wish->timeout_ms);
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return failf(task, ERR_IO, "the name %.*s is not known", STR_FMT(url->host));
	if (code == CURLE_COULDNT_CONNECT)
		return failf(task, ERR_IO, "nothing answers at %.*s: %s", STR_FMT(where), detail);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return failf(task, ERR_IO, "the certificate of %.*s is not trusted: %s",
			     STR_FMT(where), detail);
	if (code == CURLE_SSL_CACERT_BADFILE)
		return failf(
			task, ERR_IO, "the CA file %.*s cannot be used: %s",
			STR_FMT(wish->ca_file.at != NULL ? wish->ca_file : wish->extra_ca_file),
			detail);
	return failf(task, ERR_IO, "no answer from %.*s: %s", STR_FMT(where), detail);
}

static enum address_reach reach_of(const struct call *call)
{
	const char *address = NULL;

	if (call->wish->unix_socket.at != NULL)
		return ADDRESS_LOOPBACK;
	call->curl->get(call->easy, CURLINFO_PRIMARY_IP, &address);
	return address_reach_written(&call->task->arena, str_from_c(address));
}

static enum err take_answer(struct call *call, struct http_answer *ret_answer)
{
	struct task *task = call->task;
	struct http_answer answer = { .reach = reach_of(call) };
	const char *type = NULL;
	long status = 0;
	curl_off_t retry_after = 0;

	call->curl->get(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->curl->get(call->easy, CURLINFO_CONTENT_TYPE, &type);
	call->curl->get(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (status < 100 || status > 999)
		return fail(task, ERR_IO, "the answer has no HTTP status");
	TRY(buf_finish(&call->head, &answer.head));
	TRY(buf_finish(&call->body, &answer.body));
	answer.status = (unsigned)status;
	answer.type = type == NULL ? STR_NONE : str_copy(&task->arena, str_from_c(type));
	answer.retry_after = retry_after;
	*ret_answer = answer;
	return OK;
}

static enum err perform(struct call *call, const struct url *url)
{
	struct task *task = call->task;
	CURLcode code = call->curl->perform(call->easy);

	if (call->head.too_large)
		return failf(task, ERR_TOO_LARGE, "the header of the answer has more than %d bytes",
			     HTTP_CLIENT_HEAD_MAX);
	if (call->body.too_large)
		return failf(task, ERR_TOO_LARGE, "the answer has more than %zu bytes",
			     call->wish->answer_max);
	return code == CURLE_OK ? OK : explain(call, url, code);
}

enum err http_client_call(struct task *task, const struct http_call *wish,
			  struct http_answer *ret_answer)
{
	CLEANUP(call_end) struct call call = { .task = task, .wish = wish };
	struct url url;

	if (wish->method.len == 0 || !str_only(wish->method, METHOD_CHARACTERS))
		return fail(task, ERR_REQUEST, "that is not an HTTP method");
	TRY(check_url(task, wish, &url));
	TRY(client_api_load(task, &call.curl));
	TRY(add_fields(task, wish, &call));
	call.easy = call.curl->init();
	if (call.easy == NULL)
		return fail(task, ERR_INTERNAL, "the HTTP client cannot start");
	call.head = buf_in(&task->arena, HTTP_CLIENT_HEAD_MAX);
	call.body = buf_in(&task->arena, wish->answer_max);
	set_path(&call);
	set_trust(&call);
	set_request(&call);
	set_answer(&call);
	TRY(perform(&call, &url));
	return take_answer(&call, ret_answer);
}

bool http_next_field(struct str *head, struct str name, struct str *ret_value)
{
	struct str line;

	while (str_next(head, '\n', &line)) {
		size_t colon = str_find(line, ':');

		if (line.len > 0 && line.at[line.len - 1] == '\r')
			line.len--;
		if (colon >= line.len || !str_equals_nocase(str_sub(line, 0, colon), name))
			continue;
		*ret_value = str_trim(str_from(line, colon + 1));
		return true;
	}
	return false;
}

struct str http_answer_field(const struct http_answer *answer, struct str name)
{
	struct str head = answer->head, value = STR_NONE;

	return http_next_field(&head, name, &value) ? value : STR_NONE;
}

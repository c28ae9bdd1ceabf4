/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/task.h"
#include "base/url.h"
#include "http/client_api.h"

#define WANTED_MAX	  1024
#define METHOD_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* One call while it is made. */
struct call {
	const struct client_api *curl;
	CURL *easy;
	struct curl_slist *fields;
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

struct wanted {
	struct arena *arena;
	struct str name;
	struct str value;
};

/* One line of the header at a time, with its line break. */
static size_t take_field(char *bytes, size_t size, size_t count, void *context)
{
	struct wanted *wanted = context;
	struct str line = { bytes, count }, name;

	(void)size; /* always 1 */
	if (!str_next(&line, ':', &name) || line.at == NULL || count > WANTED_MAX ||
	    !str_equals_nocase(name, wanted->name))
		return count;
	while (line.len > 0 && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r'))
		line.len--;
	wanted->value = str_copy(wanted->arena, str_trim(line));
	return count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct buf *body = context;

	(void)size; /* always 1 */
	buf_add(body, (struct str){ bytes, count });
	return body->too_large ? 0 : count;
}

static void set_trust(const struct call *call, struct task *task, const struct http_call *wish)
{
	client_api_trust(call->curl, call->easy, wish->extra_ca);
	if (wish->ca_file.at == NULL)
		return;
	/* that file and nothing beside it */
	call->curl->set(call->easy, CURLOPT_CAINFO, str_to_c(&task->arena, wish->ca_file));
	call->curl->set(call->easy, CURLOPT_CAPATH, NULL);
}

static void set_path(const struct call *call, struct task *task, const struct http_call *wish)
{
	bool is_http = wish->unix_socket.at != NULL || wish->allow_loopback_http;

	call->curl->set(call->easy, CURLOPT_URL, str_to_c(&task->arena, wish->url));
	call->curl->set(call->easy, CURLOPT_PROTOCOLS_STR, is_http ? "http,https" : "https");
	client_api_narrow(call->curl, call->easy);
	if (wish->unix_socket.at != NULL)
		call->curl->set(call->easy, CURLOPT_UNIX_SOCKET_PATH,
				str_to_c(&task->arena, wish->unix_socket));
}

static void set_request(const struct call *call, struct task *task, const struct http_call *wish)
{
	if (wish->body.at != NULL) {
		call->curl->set(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)wish->body.len);
		call->curl->set(call->easy, CURLOPT_POSTFIELDS, wish->body.at);
	} else if (str_equals(wish->method, STR("POST"))) {
		call->curl->set(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
		call->curl->set(call->easy, CURLOPT_POSTFIELDS, "");
	}
	call->curl->set(call->easy, CURLOPT_CUSTOMREQUEST, str_to_c(&task->arena, wish->method));
}

/* Why nothing usable came, in words for whoever typed the address. */
static enum err explain(struct task *task, const struct http_call *call, const struct url *url,
			CURLcode code, const char *detail)
{
	struct str where = call->unix_socket.at != NULL ? call->unix_socket
							: url_origin(&task->arena, url);

	if (code == CURLE_OPERATION_TIMEDOUT)
		return failf(task, ERR_TIMEOUT, "%.*s did not answer within %d ms", STR_FMT(where),
			     call->timeout_ms);
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
			STR_FMT(call->ca_file.at != NULL ? call->ca_file : call->extra_ca_file),
			detail);
	return failf(task, ERR_IO, "no answer from %.*s: %s", STR_FMT(where), detail);
}

static enum err take_answer(struct task *task, const struct call *call, struct buf *body,
			    struct http_answer *ret_answer)
{
	struct http_answer answer = { 0 };
	const char *type = NULL;
	long status = 0;
	curl_off_t retry_after = 0;

	call->curl->get(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->curl->get(call->easy, CURLINFO_CONTENT_TYPE, &type);
	call->curl->get(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (status < 100 || status > 999)
		return fail(task, ERR_IO, "the answer has no HTTP status");
	TRY(buf_finish(body, &answer.body));
	answer.status = (unsigned)status;
	answer.type = type == NULL ? STR_NONE : str_copy(&task->arena, str_from_c(type));
	answer.retry_after = retry_after;
	*ret_answer = answer;
	return OK;
}

enum err http_client_call(struct task *task, const struct http_call *wish,
			  struct http_answer *ret_answer)
{
	CLEANUP(call_end) struct call call = { 0 };
	struct buf body = buf_in(&task->arena, wish->answer_max);
	char detail[CURL_ERROR_SIZE] = "";
	struct wanted wanted = { .arena = &task->arena, .name = wish->wanted_field };
	struct url url;
	enum err err;
	CURLcode code;

	if (wish->method.len == 0 || !str_only(wish->method, METHOD_CHARACTERS))
		return fail(task, ERR_REQUEST, "that is not an HTTP method");
	TRY(check_url(task, wish, &url));
	TRY(client_api_load(task, &call.curl));
	TRY(add_fields(task, wish, &call));
	call.easy = call.curl->init();
	if (call.easy == NULL)
		return fail(task, ERR_INTERNAL, "the HTTP client cannot start");
	set_path(&call, task, wish);
	set_trust(&call, task, wish);
	set_request(&call, task, wish);
	call.curl->set(call.easy, CURLOPT_HTTPHEADER, call.fields);
	call.curl->set(call.easy, CURLOPT_WRITEFUNCTION, take_body);
	call.curl->set(call.easy, CURLOPT_WRITEDATA, &body);
	if (wanted.name.at != NULL) {
		call.curl->set(call.easy, CURLOPT_HEADERFUNCTION, take_field);
		call.curl->set(call.easy, CURLOPT_HEADERDATA, &wanted);
	}
	call.curl->set(call.easy, CURLOPT_ERRORBUFFER, detail);
	call.curl->set(call.easy, CURLOPT_TIMEOUT_MS, (long)wish->timeout_ms);
	code = call.curl->perform(call.easy);
	if (body.too_large)
		return failf(task, ERR_TOO_LARGE, "the answer has more than %zu bytes",
			     wish->answer_max);
	if (code != CURLE_OK)
		return explain(task, wish, &url, code,
			       detail[0] == '\0' ? call.curl->error_text(code) : detail);
	err = take_answer(task, &call, &body, ret_answer);
	if (err == OK)
		ret_answer->wanted = wanted.value;
	return err;
}

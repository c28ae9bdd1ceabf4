/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/task.h"
#include "base/url.h"

#define METHOD_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void easy_free(CURL **easy)
{
	curl_easy_cleanup(*easy);
	*easy = NULL;
}

static void list_free(struct curl_slist **list)
{
	curl_slist_free_all(*list);
	*list = NULL;
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
static struct curl_slist *append(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		abort();
	return longer;
}

/* Header lines for curl. A line break in one would smuggle a second one in. */
static enum err list_fields(struct task *task, const struct http_call *call,
			    struct curl_slist **ret_list)
{
	/* no "Expect: 100-continue": our bodies are small and the wait is a second */
	struct curl_slist *list = append(NULL, "Expect:");

	for (size_t i = 0; i < call->field_count; i++) {
		struct str field = call->fields[i];

		if (str_has(field, '\r') || str_has(field, '\n') || str_has(field, '\0')) {
			list_free(&list);
			return fail(task, ERR_REQUEST, "a header field has a line break");
		}
		list = append(list, str_to_c(&task->arena, field));
	}
	*ret_list = list;
	return OK;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct buf *body = context;

	(void)size; /* always 1 */
	buf_add(body, (struct str){ bytes, count });
	return body->too_large ? 0 : count;
}

static void set_trust(CURL *easy, struct task *task, const struct http_call *call)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* in place of the system's bundle, whose certificates are in libcurl's CA path as well */
	if (!str_is_empty(call->extra_ca_file))
		curl_easy_setopt(easy, CURLOPT_CAINFO, str_to_c(&task->arena, call->extra_ca_file));
	if (call->ca_file.at == NULL)
		return;
	/* that file and nothing beside it */
	curl_easy_setopt(easy, CURLOPT_CAINFO, str_to_c(&task->arena, call->ca_file));
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void set_path(CURL *easy, struct task *task, const struct http_call *call)
{
	bool is_http = call->unix_socket.at != NULL || call->allow_loopback_http;

	curl_easy_setopt(easy, CURLOPT_URL, str_to_c(&task->arena, call->url));
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_http ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* also none from the environment */
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (call->unix_socket.at != NULL)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
				 str_to_c(&task->arena, call->unix_socket));
}

static void set_request(CURL *easy, struct task *task, const struct http_call *call)
{
	if (call->body.at != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.at);
	} else if (str_equals(call->method, STR("POST"))) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, str_to_c(&task->arena, call->method));
}

/* Why nothing usable came, in words for whoever typed the address. */
static enum err explain(struct task *task, const struct http_call *call, const struct url *url,
			CURLcode code, const char *detail)
{
	struct str where = call->unix_socket.at != NULL ? call->unix_socket
							: url_origin(&task->arena, url);

	if (detail[0] == '\0')
		detail = curl_easy_strerror(code);
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

static enum err take_answer(struct task *task, CURL *easy, struct buf *body,
			    struct http_answer *ret_answer)
{
	struct http_answer answer = { 0 };
	const char *type = NULL;
	long status = 0;
	curl_off_t retry_after = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (status < 100 || status > 999)
		return fail(task, ERR_IO, "the answer has no HTTP status");
	TRY(buf_finish(body, &answer.body));
	answer.status = (unsigned)status;
	answer.type = type == NULL ? STR_NONE : str_copy(&task->arena, str_from_c(type));
	answer.retry_after = retry_after;
	*ret_answer = answer;
	return OK;
}

enum err http_client_call(struct task *task, const struct http_call *call,
			  struct http_answer *ret_answer)
{
	CLEANUP(easy_free) CURL *easy = NULL;
	CLEANUP(list_free) struct curl_slist *fields = NULL;
	struct buf body = buf_in(&task->arena, call->answer_max);
	char detail[CURL_ERROR_SIZE] = "";
	struct url url;
	CURLcode code;

	if (call->method.len == 0 || !str_only(call->method, METHOD_CHARACTERS))
		return fail(task, ERR_REQUEST, "that is not an HTTP method");
	TRY(check_url(task, call, &url));
	TRY(list_fields(task, call, &fields));
	easy = curl_easy_init();
	if (easy == NULL)
		return fail(task, ERR_INTERNAL, "the HTTP client cannot start");
	set_path(easy, task, call);
	set_trust(easy, task, call);
	set_request(easy, task, call);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	code = curl_easy_perform(easy);
	if (body.too_large)
		return failf(task, ERR_TOO_LARGE, "the answer has more than %zu bytes",
			     call->answer_max);
	if (code != CURLE_OK)
		return explain(task, call, &url, code, detail);
	return take_answer(task, easy, &body, ret_answer);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of a head say about where its body ends and how the connection goes on (RFC 9112
 * 6). */
#include "http/parse.h"

static enum head_state judge_host(struct head *head, struct request *request, struct str value)
{
	(void)request;
	if (head->has_host)
		return head_refuse(head, 400, "more than one Host");
	head->has_host = true;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (c <= ' ' || c >= 0x7F || c == '/' || c == '@' || c == ',' || c == '?' ||
		    c == '#' || c == '\\' || c == '"' || c == '<' || c == '>')
			return head_refuse(head, 400, "malformed Host");
	}
	if (value.len == 0)
		return head_refuse(head, 400, "empty Host");
	if (head->authority.at != NULL && !str_equals_nocase(head->authority, value))
		return head_refuse(head, 400, "Host differs from the target");
	return HEAD_MORE;
}

/* A list of equal numbers would be allowed (RFC 9110 8.6); we take exactly one field with one
 * number. */
static enum head_state judge_length(struct head *head, struct request *request, struct str value)
{
	(void)request;
	if (head->has_length)
		return head_refuse(head, 400, "more than one Content-Length");
	if (head->is_chunked)
		return head_refuse(head, 400, "Content-Length with Transfer-Encoding");
	if (!str_to_u64(value, UINT64_MAX, &head->length))
		return head_refuse(head, 400, "malformed Content-Length");
	head->has_length = true;
	return HEAD_MORE;
}

static enum head_state judge_transfer(struct head *head, struct request *request, struct str value)
{
	if (request->version_minor == 0)
		return head_refuse(head, 400, "Transfer-Encoding in HTTP/1.0");
	if (head->has_length)
		return head_refuse(head, 400, "Content-Length with Transfer-Encoding");
	if (head->is_chunked)
		return head_refuse(head, 400, "more than one Transfer-Encoding");
	if (!str_equals_nocase(value, STR("chunked")))
		return head_refuse(head, 501, "transfer coding not implemented");
	head->is_chunked = true;
	return HEAD_MORE;
}

static enum head_state judge_connection(struct head *head, struct request *request,
					struct str value)
{
	struct str option, rest = value;

	(void)request;
	while (str_next(&rest, ',', &option)) {
		option = str_trim(option);
		if (str_equals_nocase(option, STR("close")))
			head->says_close = true;
		else if (str_equals_nocase(option, STR("keep-alive")))
			head->says_keep_alive = true;
	}
	return HEAD_MORE;
}

static enum head_state judge_expect(struct head *head, struct request *request, struct str value)
{
	if (!str_equals_nocase(value, STR("100-continue")))
		return head_refuse(head, 417, "unknown expectation");
	/* RFC 9110 10.1.1: ignored in HTTP/1.0 */
	head->wants_continue = request->version_minor > 0;
	return HEAD_MORE;
}

static enum head_state judge_coding(struct head *head, struct request *request, struct str value)
{
	(void)request;
	if (!str_equals_nocase(value, STR("identity")))
		head->has_coding = true;
	return HEAD_MORE;
}

struct judge {
	struct str name;
	enum head_state (*judge)(struct head *head, struct request *request, struct str value);
};

static const struct judge judges[] = {
	{ STR_INIT("Host"), judge_host },
	{ STR_INIT("Expect"), judge_expect },
	{ STR_INIT("Connection"), judge_connection },
	{ STR_INIT("Content-Length"), judge_length },
	{ STR_INIT("Content-Encoding"), judge_coding },
	{ STR_INIT("Transfer-Encoding"), judge_transfer },
};

enum head_state head_judge(struct head *head, struct request *request,
			   const struct http_field *field)
{
	for (size_t i = 0; i < COUNT_OF(judges); i++)
		if (str_equals_nocase(judges[i].name, field->name))
			return judges[i].judge(head, request, field->value);
	return HEAD_MORE;
}

enum head_state head_finish(struct head *head, const struct request *request)
{
	if (!head->has_host && (request->version_minor > 0 || head->authority.at != NULL))
		return head_refuse(head, 400, "no Host");
	if (head->length > HTTP_BODY_MAX)
		return head_refuse(head, 413, "body too large");
	if (head->has_coding && (head->is_chunked || head->length > 0))
		return head_refuse(head, 415, "content coding not supported");
	return HEAD_DONE;
}

bool head_keeps_alive(const struct head *head, const struct request *request)
{
	return !head->says_close && (request->version_minor > 0 || head->says_keep_alive);
}

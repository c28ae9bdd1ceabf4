/* SPDX-License-Identifier: Apache-2.0 */
#include "http/parse.h"

#include <string.h>

#define METHOD_MAX 32
/* method, space, target, space, "HTTP/1.1", CR: a line without an end past this has a target too
 * long */
#define LINE_MAX_BYTES (METHOD_MAX + 1 + HTTP_TARGET_MAX + 1 + 8 + 1)

enum byte_class { TOKEN = 1, TARGET = 2, VALUE = 4 };

/* TOKEN: RFC 9110 5.6.2. TARGET: visible ASCII but for " # < > \ . VALUE: HTAB, SP, visible and
 * obs-text. */
#define T (TOKEN | TARGET | VALUE)
#define U (TARGET | VALUE)
#define V VALUE
static const unsigned char classes[256] = {
	['\t'] = V,	    [' '] = V, ['!'] = T,	  ['"'] = V, ['#'] = TOKEN | VALUE,
	['$' ... '\''] = T, ['('] = U, [')'] = U,	  ['*'] = T, ['+'] = T,
	[','] = U,	    ['-'] = T, ['.'] = T,	  ['/'] = U, ['0' ... '9'] = T,
	[':'] = U,	    [';'] = U, ['<'] = V,	  ['='] = U, ['>'] = V,
	['?'] = U,	    ['@'] = U, ['A' ... 'Z'] = T, ['['] = U, ['\\'] = V,
	[']'] = U,	    ['^'] = T, ['_'] = T,	  ['`'] = T, ['a' ... 'z'] = T,
	['{'] = U,	    ['|'] = T, ['}'] = U,	  ['~'] = T, [0x80 ... 0xFF] = V,
};
#undef T
#undef U
#undef V

/* CONNECT and TRACE are left out on purpose: nothing here tunnels or echoes. */
static const struct str methods[] = {
	STR_INIT("GET"),    STR_INIT("HEAD"),	   STR_INIT("POST"),	STR_INIT("PUT"),
	STR_INIT("PATCH"),  STR_INIT("DELETE"),	   STR_INIT("OPTIONS"), STR_INIT("PROPFIND"),
	STR_INIT("REPORT"), STR_INIT("PROPPATCH"), STR_INIT("MKCOL"),	STR_INIT("COPY"),
	STR_INIT("MOVE"),   STR_INIT("LOCK"),	   STR_INIT("UNLOCK"),	STR_INIT("MKCALENDAR"),
};

static bool is_all(struct str text, unsigned char class)
{
	for (size_t i = 0; i < text.len; i++)
		if ((classes[(unsigned char)text.at[i]] & class) == 0)
			return false;
	return true;
}

bool http_is_token(struct str text)
{
	return text.len > 0 && is_all(text, TOKEN);
}

enum head_state head_refuse(struct head *head, unsigned status, const char *why)
{
	head->status = status;
	head->why = why;
	return HEAD_REFUSED;
}

static enum head_state take_method(struct head *head, struct request *request, struct str method)
{
	if (method.len > METHOD_MAX || !http_is_token(method))
		return head_refuse(head, 400, "malformed method");
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (str_equals(methods[i], method)) {
			request->method = method;
			return HEAD_MORE;
		}
	}
	return head_refuse(head, 501, "method not implemented");
}

/* "http://authority/path?query": the authority is compared with Host once that is known (RFC
 * 9112 3.2.2). */
static enum head_state take_absolute(struct head *head, struct str target, struct str *ret_path)
{
	size_t slashes = str_find(target, ':') + 3;
	struct str rest = str_from(target, slashes);
	size_t end = 0;

	if (!str_equals_nocase(str_sub(target, 0, slashes), STR("http://")) &&
	    !str_equals_nocase(str_sub(target, 0, slashes), STR("https://")))
		return head_refuse(head, 400, "target is neither a path nor an http URL");
	while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	head->authority = str_sub(rest, 0, end);
	if (end == 0 || str_has(head->authority, '@'))
		return head_refuse(head, 400, "malformed authority in the target");
	if (end == rest.len || rest.at[end] == '?')
		return head_refuse(head, 400, "the target has no path");
	*ret_path = str_from(rest, end);
	return HEAD_MORE;
}

/*
 * What is refused gives the request no path, for that is logged: it may hold a code or a password.
 */
static enum head_state take_target(struct head *head, struct request *request, struct str target)
{
	struct str path = target;
	size_t mark;

	if (target.len > HTTP_TARGET_MAX)
		return head_refuse(head, 414, "target too long");
	if (target.len == 0 || !is_all(target, TARGET))
		return head_refuse(head, 400, "malformed target");
	if (target.at[0] != '/' &&
	    !(str_equals(target, STR("*")) && str_equals(request->method, STR("OPTIONS"))) &&
	    take_absolute(head, target, &path) == HEAD_REFUSED)
		return HEAD_REFUSED;
	mark = str_find(path, '?');
	request->target = target;
	request->query = mark < path.len ? str_from(path, mark + 1) : STR_NONE;
	request->path = str_sub(path, 0, mark);
	return HEAD_MORE;
}

static enum head_state take_version(struct head *head, struct request *request, struct str version)
{
	if (version.len != 8 || !str_starts_with(version, STR("HTTP/")) || version.at[5] < '0' ||
	    version.at[5] > '9' || version.at[6] != '.' || version.at[7] < '0' ||
	    version.at[7] > '9')
		return head_refuse(head, 400, "malformed version");
	if (version.at[5] != '1' || version.at[7] > '1')
		return head_refuse(head, 505, "only HTTP/1.0 and HTTP/1.1");
	request->version_minor = (unsigned)(version.at[7] - '0');
	return HEAD_MORE;
}

static enum head_state take_request_line(struct head *head, struct request *request,
					 struct str line)
{
	size_t first = str_find(line, ' ');
	struct str rest = str_from(line, first + 1);
	size_t second = str_find(rest, ' ');

	if (take_method(head, request, str_sub(line, 0, first)) == HEAD_REFUSED)
		return HEAD_REFUSED;
	if (first == line.len || second == rest.len)
		return head_refuse(head, rest.len > HTTP_TARGET_MAX ? 414 : 400,
				   "malformed request line");
	if (take_target(head, request, str_sub(rest, 0, second)) == HEAD_REFUSED)
		return HEAD_REFUSED;
	head->has_line = true;
	return take_version(head, request, str_from(rest, second + 1));
}

static enum head_state take_field(struct head *head, struct request *request, struct str line)
{
	size_t colon = str_find(line, ':');
	struct http_field field = { .name = str_sub(line, 0, colon) };

	if (line.at[0] == ' ' || line.at[0] == '\t')
		return head_refuse(head, 400, "folded field line");
	if (colon == line.len || !http_is_token(field.name))
		return head_refuse(head, 400, "malformed field name");
	field.value = str_trim(str_from(line, colon + 1));
	if (!is_all(field.value, VALUE))
		return head_refuse(head, 400, "control character in a field");
	if (++head->names > HTTP_FIELDS_MAX)
		return head_refuse(head, 431, "too many fields");
	/* CVE-2025-64484: behind CGI-like servers X_Forwarded_User would pass for X-Forwarded-User
	 */
	if (str_has(field.name, '_'))
		return HEAD_MORE;
	request->fields[request->field_count++] = field;
	return head_judge(head, request, &field);
}

/* One whole line, without its LF. */
static enum head_state take_line(struct head *head, struct request *request, struct str line)
{
	if (line.len == 0 || line.at[line.len - 1] != '\r')
		return head_refuse(head, 400, "line ends without CR");
	line.len--;
	if (str_has(line, '\r') || str_has(line, '\0'))
		return head_refuse(head, 400, "CR or NUL inside a line");
	if (line.len > 0)
		return head->has_line ? take_field(head, request, line)
				      : take_request_line(head, request, line);
	if (head->has_line)
		return head_finish(head, request);
	if (head->has_blank)
		return head_refuse(head, 400, "empty lines instead of a request");
	head->has_blank = true;
	return HEAD_MORE;
}

/* What can be said of a line whose end has not come. */
static enum head_state judge_partial(struct head *head, struct request *request, struct str line)
{
	if (!head->has_line && line.len > LINE_MAX_BYTES)
		return take_request_line(head, request, line) == HEAD_REFUSED
			       ? HEAD_REFUSED
			       : head_refuse(head, 400, "malformed version");
	if (head->at + line.len >= HTTP_HEAD_MAX)
		return head_refuse(head, 431, "head too large");
	return HEAD_MORE;
}

enum head_state head_feed(struct head *head, struct request *request, const char *bytes, size_t len)
{
	if (head->status != 0)
		return HEAD_REFUSED;
	if (head->at == 0 && head->scanned == 0)
		request->field_count = 0;
	while (head->scanned < len) {
		const char *end = memchr(bytes + head->scanned, '\n', len - head->scanned);
		struct str line = { bytes + head->at, 0 };
		enum head_state state;

		if (end == NULL || (size_t)(end - bytes) >= HTTP_HEAD_MAX) {
			head->scanned = len;
			line.len = len - head->at;
			return judge_partial(head, request, line);
		}
		line.len = (size_t)(end - line.at);
		state = !head->has_line && line.len > LINE_MAX_BYTES
				? judge_partial(head, request, line)
				: take_line(head, request, line);
		head->at = head->scanned = (size_t)(end - bytes) + 1;
		if (state != HEAD_MORE)
			return state;
	}
	return HEAD_MORE;
}

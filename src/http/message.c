/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

#include <assert.h>

#include "http/exchange.h"

size_t request_field_count(const struct request *request, struct str name)
{
	size_t count = 0;

	for (size_t i = 0; i < request->field_count; i++)
		count += str_equals_nocase(request->fields[i].name, name);
	return count;
}

struct str request_field(const struct request *request, struct str name)
{
	struct str value = STR_NONE;

	for (size_t i = 0; i < request->field_count; i++) {
		if (!str_equals_nocase(request->fields[i].name, name))
			continue;
		if (value.at != NULL)
			return STR_NONE;
		value = request->fields[i].value;
	}
	return value;
}

bool request_has_type(const struct request *request, struct str type)
{
	struct str value = request_field(request, STR("Content-Type"));

	return str_equals_nocase(str_trim(str_sub(value, 0, str_find(value, ';'))), type);
}

/* "type/subtype;q=0" and its longer spellings. */
static bool is_refused(struct str parameters)
{
	struct str part;

	while (str_next(&parameters, ';', &part)) {
		part = str_trim(part);
		if ((str_starts_with(part, STR("q=")) || str_starts_with(part, STR("Q="))) &&
		    str_only(str_from(part, 2), "0."))
			return true;
	}
	return false;
}

bool request_accepts(const struct request *request, struct str type)
{
	for (size_t i = 0; i < request->field_count; i++) {
		struct str part, rest = request->fields[i].value;

		if (!str_equals_nocase(request->fields[i].name, STR("Accept")))
			continue;
		while (str_next(&rest, ',', &part)) {
			size_t end = str_find(part, ';');

			if (str_equals_nocase(str_trim(str_sub(part, 0, end)), type))
				return !is_refused(str_from(part, end));
		}
	}
	return false;
}

static bool is_one_line(struct str value)
{
	return !str_has(value, '\r') && !str_has(value, '\n') && !str_has(value, '\0');
}

void reply_field(struct exchange *exchange, struct str name, struct str value)
{
	struct reply *reply = &exchange->reply;

	assert(reply->field_count < REPLY_FIELDS_MAX);
	assert(is_one_line(name) && is_one_line(value));
	reply->fields[reply->field_count++] = (struct http_field){ name, value };
}

void reply_with(struct exchange *exchange, unsigned status, struct str type, struct str body)
{
	exchange->reply.status = status;
	exchange->reply.body = body;
	if (type.at != NULL)
		reply_field(exchange, STR("Content-Type"), type);
}

void reply_redirect(struct exchange *exchange, unsigned status, struct str location)
{
	assert(status == 302 || status == 303);
	for (size_t i = 0; i < location.len; i++)
		assert(location.at[i] > ' ' && location.at[i] < 0x7F);
	exchange->reply.status = status;
	exchange->reply.body = STR_NONE;
	reply_field(exchange, STR("Location"), location);
}

struct phrase {
	unsigned status;
	struct str text;
};

static const struct phrase phrases[] = {
	{ 200, STR_INIT("OK") },
	{ 201, STR_INIT("Created") },
	{ 202, STR_INIT("Accepted") },
	{ 204, STR_INIT("No Content") },
	{ 302, STR_INIT("Found") },
	{ 303, STR_INIT("See Other") },
	{ 304, STR_INIT("Not Modified") },
	{ 400, STR_INIT("Bad Request") },
	{ 401, STR_INIT("Unauthorized") },
	{ 403, STR_INIT("Forbidden") },
	{ 404, STR_INIT("Not Found") },
	{ 405, STR_INIT("Method Not Allowed") },
	{ 408, STR_INIT("Request Timeout") },
	{ 409, STR_INIT("Conflict") },
	{ 410, STR_INIT("Gone") },
	{ 413, STR_INIT("Content Too Large") },
	{ 414, STR_INIT("URI Too Long") },
	{ 415, STR_INIT("Unsupported Media Type") },
	{ 417, STR_INIT("Expectation Failed") },
	{ 421, STR_INIT("Misdirected Request") },
	{ 422, STR_INIT("Unprocessable Content") },
	{ 429, STR_INIT("Too Many Requests") },
	{ 431, STR_INIT("Request Header Fields Too Large") },
	{ 500, STR_INIT("Internal Server Error") },
	{ 501, STR_INIT("Not Implemented") },
	{ 502, STR_INIT("Bad Gateway") },
	{ 503, STR_INIT("Service Unavailable") },
	{ 504, STR_INIT("Gateway Timeout") },
	{ 505, STR_INIT("HTTP Version Not Supported") },
	{ 507, STR_INIT("Insufficient Storage") },
};

struct str reply_phrase(unsigned status)
{
	for (size_t i = 0; i < COUNT_OF(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return STR("Status");
}

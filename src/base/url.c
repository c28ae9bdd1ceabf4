/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/task.h"

#define ALPHA	   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT	   "0123456789"
#define HEX	   DIGIT "abcdefABCDEF"
#define UNRESERVED ALPHA DIGIT "-._~"
#define SUB_DELIMS "!$&'()*+,;="

/* True if the text has only allowed characters and well-formed percent triplets. */
static bool is_made_of(struct str text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '%') {
			if (text.len - i < 3 || str_hex_value(text.at[i + 1]) < 0 ||
			    str_hex_value(text.at[i + 2]) < 0)
				return false;
			i += 2;
		} else if (text.at[i] == '\0' || strchr(allowed, text.at[i]) == NULL) {
			return false;
		}
	}
	return true;
}

static enum err parse_port(struct str text, struct url *url)
{
	uint64_t port;

	if (text.at == NULL)
		return OK;
	if (!str_to_u64(text, 65535, &port) || port == 0)
		return ERR_SYNTAX;
	url->port = text;
	return OK;
}

static bool is_ipv6(struct str text)
{
	char literal[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len >= sizeof(literal) || !str_only(text, HEX ":."))
		return false;
	memcpy(literal, text.at, text.len);
	literal[text.len] = '\0';
	return inet_pton(AF_INET6, literal, &address) == 1;
}

static enum err parse_host(struct str text, struct url *url)
{
	size_t end;

	if (str_starts_with(text, STR("["))) {
		end = str_find(text, ']');
		if (end == text.len || !is_ipv6(str_sub(text, 1, end - 1)))
			return ERR_SYNTAX;
		url->host = str_sub(text, 0, end + 1);
		text = str_from(text, end + 1);
		if (text.len > 0 && text.at[0] != ':')
			return ERR_SYNTAX;
		return parse_port(text.len > 0 ? str_from(text, 1) : STR_NONE, url);
	}
	end = str_find(text, ':');
	url->host = str_sub(text, 0, end);
	if (url->host.len == 0 || !str_only(url->host, ALPHA DIGIT "-."))
		return ERR_SYNTAX;
	return parse_port(end < text.len ? str_from(text, end + 1) : STR_NONE, url);
}

static enum err parse_authority(struct str text, struct url *url)
{
	size_t at = str_find(text, '@');

	if (at < text.len) {
		url->userinfo = str_sub(text, 0, at);
		if (!is_made_of(url->userinfo, UNRESERVED SUB_DELIMS ":"))
			return ERR_SYNTAX;
		text = str_from(text, at + 1);
	}
	return parse_host(text, url);
}

/* Cuts the tail that starts with mark off *text; absent when there is no mark. */
static struct str cut_tail(struct str *text, char mark)
{
	size_t at = str_find(*text, mark);
	struct str tail = at == text->len ? STR_NONE : str_from(*text, at + 1);

	*text = str_sub(*text, 0, at);
	return tail;
}

enum err url_parse(struct str text, struct url *ret_url)
{
	struct url url = { .path = STR("") };
	size_t colon = str_find(text, ':');

	url.scheme = str_sub(text, 0, colon);
	if (colon == text.len || colon == 0 || !str_only(str_sub(text, 0, 1), ALPHA) ||
	    !str_only(url.scheme, ALPHA DIGIT "+-."))
		return ERR_SYNTAX;
	text = str_from(text, colon + 1);
	url.fragment = cut_tail(&text, '#');
	url.query = cut_tail(&text, '?');
	if (!is_made_of(url.fragment, UNRESERVED SUB_DELIMS ":@/?") ||
	    !is_made_of(url.query, UNRESERVED SUB_DELIMS ":@/?"))
		return ERR_SYNTAX;
	if (str_starts_with(text, STR("//"))) {
		size_t slash;

		text = str_from(text, 2);
		slash = str_find(text, '/');
		TRY(parse_authority(str_sub(text, 0, slash), &url));
		text = str_from(text, slash);
	}
	if (!is_made_of(text, UNRESERVED SUB_DELIMS ":@/"))
		return ERR_SYNTAX;
	url.path = text;
	*ret_url = url;
	return OK;
}

bool url_is_loopback(const struct url *url)
{
	return str_equals(url->host, STR("127.0.0.1")) || str_equals(url->host, STR("[::1]")) ||
	       str_equals(url->host, STR("localhost"));
}

bool url_is_public(const struct url *url)
{
	static const char *const inside[] = { ".localhost", ".local", ".internal", ".home.arpa",
					      ".onion" };
	struct str host = url->host;
	size_t dot = host.len;

	while (dot > 0 && host.at[dot - 1] != '.')
		dot--;
	/* a last label that begins with a digit is an address, be it 0x7f000001 (WHATWG URL) */
	if (dot == 0 || dot == host.len || str_has(host, '[') ||
	    (host.at[dot] >= '0' && host.at[dot] <= '9'))
		return false;
	for (size_t i = 0; i < COUNT_OF(inside); i++) {
		struct str end = str_from_c(inside[i]);

		if (host.len >= end.len &&
		    str_equals_nocase(str_from(host, host.len - end.len), end))
			return false;
	}
	return true;
}

static bool is_label(struct str label)
{
	return label.len > 0 && label.len <= 63 &&
	       str_only(label, "abcdefghijklmnopqrstuvwxyz" DIGIT "-") && label.at[0] != '-' &&
	       label.at[label.len - 1] != '-';
}

bool url_host_is_name(struct str host)
{
	struct str rest = host, label = STR_NONE;
	size_t labels = 0;

	if (host.len > 253)
		return false;
	while (str_next(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
		labels++;
	}
	/* as browsers and inet_aton(3) read what ends in a number: an IPv4 address */
	return labels > 1 && !str_ends_with(host, STR(".")) && !str_only(label, DIGIT) &&
	       !(str_starts_with(label, STR("0x")) && str_only(str_from(label, 2), HEX));
}

static bool is_dots(struct str segment)
{
	size_t dots = 0;

	for (; segment.len > 0; dots++) {
		bool is_coded = segment.len >= 3 &&
				str_equals_nocase(str_sub(segment, 0, 3), STR("%2e"));

		if (!is_coded && segment.at[0] != '.')
			return false;
		segment = str_from(segment, is_coded ? 3 : 1);
	}
	return dots == 1 || dots == 2;
}

bool url_has_dot_segment(struct str path)
{
	struct str segment;

	while (str_next(&path, '/', &segment))
		if (is_dots(segment))
			return true;
	return false;
}

struct str url_origin(struct arena *arena, const struct url *url)
{
	return STR_JOIN(arena, url->scheme, STR("://"), url->host,
			url->port.at == NULL ? STR("") : STR(":"), url->port);
}

enum err url_decode(struct task *task, struct str text, bool form, struct str *ret_text)
{
	char *at = arena_alloc(&task->arena, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '%') {
			int high = text.len - i < 3 ? -1 : str_hex_value(text.at[i + 1]);
			int low = text.len - i < 3 ? -1 : str_hex_value(text.at[i + 2]);

			if (high < 0 || low < 0)
				return fail(task, ERR_SYNTAX, "broken percent-encoding");
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		} else if ((unsigned char)c <= 0x20 || c == 0x7F) {
			return fail(task, ERR_SYNTAX, "a raw space or control character");
		}
		at[len++] = c;
	}
	if (!str_is_text((struct str){ at, len }))
		return fail(task, ERR_SYNTAX, "not valid UTF-8 text");
	*ret_text = (struct str){ at, len };
	return OK;
}

void url_encode(struct buf *buf, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		char triplet[] = { '%', hex[c >> 4], hex[c & 15] };

		if (c != 0 && strchr(UNRESERVED, c) != NULL)
			buf_add_char(buf, (char)c);
		else
			buf_add(buf, (struct str){ triplet, sizeof(triplet) });
	}
}

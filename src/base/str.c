/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define PRINTF_MAX 1024

struct str str_from_c(const char *c)
{
	return c == NULL ? STR_NONE : (struct str){ c, strlen(c) };
}

bool str_is_empty(struct str s)
{
	return s.len == 0;
}

bool str_equals(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equals_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool str_starts_with(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_equals(str_sub(s, 0, prefix.len), prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
	return s.len >= suffix.len && str_equals(str_from(s, s.len - suffix.len), suffix);
}

int str_compare(struct str a, struct str b)
{
	size_t shared = a.len < b.len ? a.len : b.len;
	int order = shared == 0 ? 0 : memcmp(a.at, b.at, shared);

	if (order != 0)
		return order;
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

size_t str_find(struct str s, char c)
{
	const char *hit = s.len == 0 ? NULL : memchr(s.at, c, s.len);

	return hit == NULL ? s.len : (size_t)(hit - s.at);
}

bool str_has(struct str s, char c)
{
	return str_find(s, c) < s.len;
}

bool str_only(struct str s, const char *allowed)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == '\0' || strchr(allowed, s.at[i]) == NULL)
			return false;
	return true;
}

/* The length of the well-formed UTF-8 sequence at the start of s (Unicode table 3-7), or 0. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t need;

	if (at[0] < 0x80)
		return at[0] == 0 ? 0 : 1;
	if (at[0] < 0xC2 || at[0] > 0xF4)
		return 0;
	need = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
	if (left < need)
		return 0;
	if (at[0] == 0xE0)
		low = 0xA0;
	else if (at[0] == 0xED)
		high = 0x9F;
	else if (at[0] == 0xF0)
		low = 0x90;
	else if (at[0] == 0xF4)
		high = 0x8F;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (at[i] < 0x80 || at[i] > 0xBF)
			return 0;
	return need;
}

/* How many bytes at the start of s, in eights, are ASCII without NUL: most text is nothing else. */
static size_t plain_length(struct str s)
{
	const uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
	size_t len = 0;

	while (s.len - len >= sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, s.at + len, sizeof(word));
		/* a NUL byte borrows into its high bit; a false alarm only ends the run early */
		if (((word | (word - ones)) & high) != 0)
			break;
		len += sizeof(word);
	}
	return len;
}

bool str_is_text(struct str s)
{
	for (size_t i = plain_length(s); i < s.len;) {
		size_t len = sequence_length((const unsigned char *)s.at + i, s.len - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

struct str str_sub(struct str s, size_t from, size_t len)
{
	if (s.at == NULL)
		return s;
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct str){ s.at + from, len };
}

struct str str_from(struct str s, size_t from)
{
	return str_sub(s, from, s.len);
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = str_from(s, 1);
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool str_next(struct str *rest, char c, struct str *part)
{
	size_t end;

	if (rest->at == NULL)
		return false;
	end = str_find(*rest, c);
	*part = str_sub(*rest, 0, end);
	*rest = end == rest->len ? STR_NONE : str_from(*rest, end + 1);
	return true;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (s.len == 0 || (s.len > 1 && s.at[0] == '0'))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value))
			return false;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

struct str str_copy(struct arena *arena, struct str s)
{
	char *at = arena_alloc(arena, s.len + 1);

	if (s.len > 0)
		memcpy(at, s.at, s.len);
	return (struct str){ at, s.len };
}

struct str str_join(struct arena *arena, const struct str *parts, size_t count)
{
	size_t len = 0, used = 0;
	char *at;

	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	at = arena_alloc(arena, len + 1);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > 0)
			memcpy(at + used, parts[i].at, parts[i].len);
		used += parts[i].len;
	}
	return (struct str){ at, len };
}

struct str str_printf(struct arena *arena, const char *format, ...)
{
	char text[PRINTF_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		return STR("");
	return str_copy(arena, (struct str){ text, (size_t)len < sizeof(text) ? (size_t)len
									      : sizeof(text) - 1 });
}

const char *str_to_c(struct arena *arena, struct str s)
{
	return str_copy(arena, s).at;
}

bool str_is_nqchar(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < 0x21 || s.at[i] > 0x7E || s.at[i] == '"' || s.at[i] == '\\')
			return false;
	return true;
}

int str_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

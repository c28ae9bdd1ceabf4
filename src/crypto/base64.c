/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base64.h"

#include <stdint.h>

#include "base/arena.h"
#include "base/task.h"

/* Each character's value plus one; zero is no character of the alphabet. */
/* clang-format off */
#define LETTERS_AND_DIGITS \
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, \
	['G'] = 7, ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, \
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, \
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, \
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, \
	['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, \
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, \
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, \
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, \
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, \
	['8'] = 61, ['9'] = 62

static const uint8_t values_url[256] = { LETTERS_AND_DIGITS, ['-'] = 63, ['_'] = 64 };
static const uint8_t values_plain[256] = { LETTERS_AND_DIGITS, ['+'] = 63, ['/'] = 64 };
/* clang-format on */

static const char alphabet_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char alphabet_plain[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *spell(char *to, struct str bytes, const char *alphabet)
{
	const uint8_t *at = (const uint8_t *)bytes.at;
	size_t left = bytes.len;

	for (; left >= 3; left -= 3, at += 3) {
		uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];

		*to++ = alphabet[bits >> 18];
		*to++ = alphabet[(bits >> 12) & 63];
		*to++ = alphabet[(bits >> 6) & 63];
		*to++ = alphabet[bits & 63];
	}
	if (left > 0) {
		uint32_t bits = (uint32_t)at[0] << 16 | (left == 2 ? (uint32_t)at[1] << 8 : 0);

		*to++ = alphabet[bits >> 18];
		*to++ = alphabet[(bits >> 12) & 63];
		if (left == 2)
			*to++ = alphabet[(bits >> 6) & 63];
	}
	return to;
}

static struct str encode(struct arena *arena, struct str bytes, const char *alphabet, bool padded)
{
	char *start = arena_alloc_array(arena, bytes.len / 3 + 2, 4);
	char *end = spell(start, bytes, alphabet);

	while (padded && (end - start) % 4 != 0)
		*end++ = '=';
	return (struct str){ start, (size_t)(end - start) };
}

struct str base64url_encode(struct arena *arena, struct str bytes)
{
	return encode(arena, bytes, alphabet_url, false);
}

void base64url_add(struct buf *buf, struct str bytes)
{
	char text[1024];

	while (bytes.len > 0) {
		struct str part = str_sub(bytes, 0, sizeof(text) / 4 * 3);
		const char *end = spell(text, part, alphabet_url);

		buf_add(buf, (struct str){ text, (size_t)(end - text) });
		bytes = str_from(bytes, part.len);
	}
}

struct str base64_encode(struct arena *arena, struct str bytes)
{
	return encode(arena, bytes, alphabet_plain, true);
}

/* RFC 4648 3.5: bits that carry nothing must be zero, else one value has several spellings. */
static enum err decode(struct task *task, struct str text, const uint8_t values[256],
		       struct str *ret_bytes)
{
	uint8_t *start, *to;
	uint32_t bits = 0;
	unsigned held = 0;

	if (text.len % 4 == 1)
		return fail(task, ERR_SYNTAX, "base64 text of an impossible length");
	start = to = arena_alloc(&task->arena, text.len / 4 * 3 + 3);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t value = values[(uint8_t)text.at[i]];

		if (value == 0)
			return fail(task, ERR_SYNTAX, "a character that is not base64");
		bits = bits << 6 | (uint32_t)(value - 1);
		held += 6;
		if (held >= 8) {
			held -= 8;
			*to++ = (uint8_t)(bits >> held);
		}
	}
	if ((bits & ((UINT32_C(1) << held) - 1)) != 0)
		return fail(task, ERR_SYNTAX, "base64 text with stray bits at its end");
	*ret_bytes = (struct str){ (const char *)start, (size_t)(to - start) };
	return OK;
}

enum err base64url_decode(struct task *task, struct str text, struct str *ret_bytes)
{
	return decode(task, text, values_url, ret_bytes);
}

enum err base64_decode(struct task *task, struct str text, struct str *ret_bytes)
{
	if (text.len % 4 != 0)
		return fail(task, ERR_SYNTAX, "base64 text without its padding");
	if (str_ends_with(text, STR("==")))
		text.len -= 2;
	else if (str_ends_with(text, STR("=")))
		text.len -= 1;
	return decode(task, text, values_plain, ret_bytes);
}

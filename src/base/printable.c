/* SPDX-License-Identifier: Apache-2.0 */
#include "base/printable.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"

static const struct {
	uint32_t first;
	uint32_t last;
} hidden[] = {
	/* controls: C0, DEL, C1 */
	{ 0x00, 0x1F },
	{ 0x7F, 0x9F },
	/* separators of lines and paragraphs */
	{ 0x2028, 0x2029 },
	/* marks of direction, embeddings, overrides, isolates */
	{ 0x061C, 0x061C },
	{ 0x200E, 0x200F },
	{ 0x202A, 0x202E },
	{ 0x2066, 0x2069 },
	/* without width */
	{ 0x200B, 0x200B },
	{ 0x2060, 0x2060 },
	{ 0xFEFF, 0xFEFF },
};

/* The length of the character at the start; 0 if there is no well-formed one. */
static size_t character_len(struct str text)
{
	size_t most = text.len < 4 ? text.len : 4;

	for (size_t len = 1; len <= most; len++)
		if (text.at[0] == '\0' || str_is_text(str_sub(text, 0, len)))
			return len;
	return 0;
}

static uint32_t code_of(struct str character)
{
	unsigned char first = (unsigned char)character.at[0];
	uint32_t code = character.len == 1 ? first : first & (0x7FU >> character.len);

	for (size_t i = 1; i < character.len; i++)
		code = code << 6 | ((unsigned char)character.at[i] & 0x3FU);
	return code;
}

static bool is_shown(struct str character)
{
	uint32_t code = code_of(character);

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

bool str_is_printable(struct str text)
{
	size_t len;

	for (; text.len > 0; text = str_from(text, len)) {
		len = character_len(text);
		if (len == 0 || !is_shown(str_sub(text, 0, len)))
			return false;
	}
	return true;
}

struct str str_printable(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t used = 0, len;

	for (; text.len > 0; text = str_from(text, len)) {
		len = character_len(text);
		if (len > 0 && is_shown(str_sub(text, 0, len))) {
			memcpy(copy + used, text.at, len);
			used += len;
			continue;
		}
		copy[used++] = '?';
		len = len == 0 ? 1 : len;
	}
	copy[used] = '\0';
	return (struct str){ copy, used };
}

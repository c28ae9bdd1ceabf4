/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a slice: borrowed bytes with a length, never owned, not necessarily NUL-terminated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct str {
	const char *at;
	size_t len;
};

/* A slice of a string literal; works in static initialisers. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal)                                                                          \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}
#define STR_NONE ((struct str){ NULL, 0 })

/* For printf's "%.*s", with at most the 1 KiB that str_printf keeps. */
#define STR_FMT(s) (int)((s).len > 1024 ? 1024 : (s).len), (s).at

/* The slice of a C string; NULL gives STR_NONE. */
struct str str_from_c(const char *c);

/* Absent (at == NULL) and empty are different things; both have length 0. */
bool str_is_empty(struct str s);
bool str_equals(struct str a, struct str b);
/* Bytes compared with ASCII letters folded. */
bool str_equals_nocase(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
/* Order of the bytes, as strcmp: <0, 0, >0. */
int str_compare(struct str a, struct str b);
/* First position of c, or s.len. */
size_t str_find(struct str s, char c);
bool str_has(struct str s, char c);
/* True if every byte is one of allowed; true for an empty slice. */
bool str_only(struct str s, const char *allowed);
/*
 * True if the bytes are valid UTF-8 (no overlong form, no surrogate) without NUL: what a store
 * accepts.
 */
bool str_is_text(struct str s);
/* Only NQCHAR of RFC 6749 (appendix A), of which scopes are made: no space, quote or backslash. */
bool str_is_nqchar(struct str s);
/* Of one hexadecimal digit; -1: it is none. */
int str_hex_value(char c);

struct str str_sub(struct str s, size_t from, size_t len);
struct str str_from(struct str s, size_t from);
/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/*
 * A cursor: takes the part of *rest before the first c, moves *rest behind it and answers true; the
 * last part is followed by false. `struct str part, rest = list; while (str_next(&rest, ' ',
 * &part))`
 */
bool str_next(struct str *rest, char c, struct str *part);

/*
 * Decimal digits only, no sign, no leading zeros but "0" itself; false when malformed or above max.
 */
bool str_to_u64(struct str s, uint64_t max, uint64_t *ret_value);

/*
 * A copy in arena memory, NUL-terminated behind its length (so .at is a C string if it holds no
 * NUL).
 */
struct str str_copy(struct arena *arena, struct str s);
/* The parts one after another; an absent one adds nothing. */
struct str str_join(struct arena *arena, const struct str *parts, size_t count);
#define STR_JOIN(arena, ...)                                                                       \
	str_join((arena), (const struct str[]){ __VA_ARGS__ },                                     \
		 sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))
/* printf into arena memory; for our own words, cut at 1 KiB. */
struct str str_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A C string for a foreign border. */
const char *str_to_c(struct arena *arena, struct str s);

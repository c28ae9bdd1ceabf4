/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow, born with a ceiling. Appending never fails in the middle of a sentence: what
 * does not fit marks the buffer, and buf_finish, the only way to the text, answers ERR_TOO_LARGE
 * for a marked one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;

struct buf {
	struct arena *arena;
	char *at;
	size_t len;
	size_t room;
	size_t max;
	bool too_large;
};

struct buf buf_in(struct arena *arena, size_t max);
/* About so much will come: makes room for it at once. */
void buf_expect(struct buf *buf, size_t room);
void buf_add(struct buf *buf, struct str s);
void buf_add_c(struct buf *buf, const char *c);
void buf_add_char(struct buf *buf, char c);
void buf_add_u64(struct buf *buf, uint64_t value);
void buf_add_i64(struct buf *buf, int64_t value);
/* The text so far, NUL-terminated behind its length; lives as long as the arena. ERR_TOO_LARGE. */
MUST_CHECK enum err buf_finish(struct buf *buf, struct str *ret_text);

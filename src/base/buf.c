/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define ROOM_FIRST 256

struct buf buf_in(struct arena *arena, size_t max)
{
	return (struct buf){ .arena = arena, .max = max };
}

/* Where it lies if it can; else the old bytes stay in the arena and are wiped with it. */
static void grow(struct buf *buf, size_t need)
{
	size_t room = buf->room == 0 ? ROOM_FIRST : buf->room * 2;
	char *at;

	if (room < need)
		room = need;
	if (room > buf->max)
		room = buf->max;
	if (buf->room > 0 && arena_extend(buf->arena, buf->at, buf->room + 1, room - buf->room)) {
		buf->room = room;
		return;
	}
	at = arena_alloc(buf->arena, room + 1);
	if (buf->len > 0)
		memcpy(at, buf->at, buf->len);
	buf->at = at;
	buf->room = room;
}

void buf_expect(struct buf *buf, size_t room)
{
	if (room > buf->room && room <= buf->max)
		grow(buf, room);
}

void buf_add(struct buf *buf, struct str s)
{
	if (s.len == 0 || buf->too_large)
		return;
	if (s.len > buf->max - buf->len) {
		buf->too_large = true;
		return;
	}
	if (s.len > buf->room - buf->len)
		grow(buf, buf->len + s.len);
	memcpy(buf->at + buf->len, s.at, s.len);
	buf->len += s.len;
}

void buf_add_c(struct buf *buf, const char *c)
{
	buf_add(buf, str_from_c(c));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, (struct str){ &c, 1 });
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	buf_add(buf, (struct str){ digits, (size_t)len });
}

void buf_add_i64(struct buf *buf, int64_t value)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, value);

	buf_add(buf, (struct str){ digits, (size_t)len });
}

enum err buf_finish(struct buf *buf, struct str *ret_text)
{
	if (buf->too_large)
		return ERR_TOO_LARGE;
	if (buf->at == NULL)
		buf->at = arena_alloc(buf->arena, 1);
	buf->at[buf->len] = '\0';
	*ret_text = (struct str){ buf->at, buf->len };
	return OK;
}

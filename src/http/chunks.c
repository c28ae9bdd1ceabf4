/* SPDX-License-Identifier: Apache-2.0 */
#include "http/chunks.h"

#include "http/parse.h"

#define DIGITS_MAX   16
#define OVERHEAD_MAX 8192

enum state {
	SIZE,	   /* hexadecimal digits */
	EXTENSION, /* behind a semicolon */
	QUOTED,	   /* in a quoted string of an extension */
	ESCAPED,   /* behind its backslash */
	SIZE_LF,   /* the line feed of the size line */
	DATA,	   /* chunk bytes */
	DATA_CR,   /* the CRLF behind them */
	DATA_LF,
	TRAILER, /* at the start of a line behind the last chunk */
	NAME,	 /* in the name of a trailer field */
	VALUE,	 /* in its value */
	VALUE_LF,
	END_LF, /* the line feed of the empty line that ends it all */
	END
};

static bool is_text(char c)
{
	return c == '\t' || ((unsigned char)c >= ' ' && c != 0x7F);
}

static enum chunk_step go(struct chunks *chunks, enum state state)
{
	chunks->state = state;
	return CHUNK_MORE;
}

/* An octet of an extension or a trailer field, in bounds. */
static enum chunk_step skim(struct chunks *chunks, enum state state)
{
	return ++chunks->overhead > OVERHEAD_MAX ? CHUNK_BAD : go(chunks, state);
}

static enum chunk_step take_size(struct chunks *chunks, char c)
{
	int value = str_hex_value(c);

	if (value >= 0) {
		if (++chunks->digits > DIGITS_MAX)
			return CHUNK_BAD;
		chunks->left = chunks->left * 16 + (uint64_t)value;
		return CHUNK_MORE;
	}
	if (chunks->digits == 0)
		return CHUNK_BAD;
	if (c == '\r')
		return go(chunks, SIZE_LF);
	return c == ';' ? skim(chunks, EXTENSION) : CHUNK_BAD;
}

static enum chunk_step take_extension(struct chunks *chunks, char c)
{
	if (chunks->state == ESCAPED)
		return is_text(c) ? skim(chunks, QUOTED) : CHUNK_BAD;
	if (chunks->state == QUOTED && c == '\\')
		return skim(chunks, ESCAPED);
	if (c == '"')
		return skim(chunks, chunks->state == QUOTED ? EXTENSION : QUOTED);
	if (c == '\r' && chunks->state == EXTENSION)
		return go(chunks, SIZE_LF);
	return is_text(c) ? skim(chunks, chunks->state) : CHUNK_BAD;
}

static enum chunk_step take_size_end(struct chunks *chunks, uint64_t max)
{
	uint64_t size = chunks->left;

	chunks->digits = 0;
	if (size == 0)
		return go(chunks, TRAILER);
	if (size > max - chunks->total)
		return CHUNK_TOO_LARGE;
	chunks->total += size;
	return go(chunks, DATA);
}

static enum chunk_step take_trailer(struct chunks *chunks, char c)
{
	if (chunks->state == TRAILER && c == '\r')
		return go(chunks, END_LF);
	if (chunks->state == VALUE) {
		if (c == '\r')
			return go(chunks, VALUE_LF);
		return is_text(c) ? skim(chunks, VALUE) : CHUNK_BAD;
	}
	if (c == ':' && chunks->state == NAME)
		return skim(chunks, VALUE);
	return http_is_token((struct str){ &c, 1 }) ? skim(chunks, NAME) : CHUNK_BAD;
}

/* One byte that is not chunk data. */
static enum chunk_step take_byte(struct chunks *chunks, uint64_t max, char c)
{
	switch ((enum state)chunks->state) {
	case SIZE:
		return take_size(chunks, c);
	case EXTENSION:
	case QUOTED:
	case ESCAPED:
		return take_extension(chunks, c);
	case SIZE_LF:
		return c == '\n' ? take_size_end(chunks, max) : CHUNK_BAD;
	case DATA_CR:
		return c == '\r' ? go(chunks, DATA_LF) : CHUNK_BAD;
	case DATA_LF:
		return c == '\n' ? go(chunks, SIZE) : CHUNK_BAD;
	case TRAILER:
	case NAME:
	case VALUE:
		return take_trailer(chunks, c);
	case VALUE_LF:
		return c == '\n' ? go(chunks, TRAILER) : CHUNK_BAD;
	case END_LF:
		chunks->state = END;
		return c == '\n' ? CHUNK_DONE : CHUNK_BAD;
	case DATA:
	case END:
		break;
	}
	return CHUNK_BAD;
}

static enum chunk_step take_data(struct chunks *chunks, struct str *rest, struct str *ret_data)
{
	size_t len = rest->len < chunks->left ? rest->len : (size_t)chunks->left;

	*ret_data = str_sub(*rest, 0, len);
	*rest = str_from(*rest, len);
	chunks->left -= len;
	if (chunks->left == 0)
		chunks->state = DATA_CR;
	return CHUNK_DATA;
}

enum chunk_step chunks_next(struct chunks *chunks, uint64_t max, struct str *rest,
			    struct str *ret_data)
{
	while (rest->len > 0) {
		enum chunk_step step;

		if (chunks->state == DATA)
			return take_data(chunks, rest, ret_data);
		step = take_byte(chunks, max, rest->at[0]);
		*rest = str_from(*rest, 1);
		if (step != CHUNK_MORE)
			return step;
	}
	return CHUNK_MORE;
}

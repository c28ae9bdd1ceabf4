/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_message.h"

#include "base/buf.h"
#include "base/task.h"

#define LENGTH_BYTES 4
/* a text that is absent has this length; no text there is can be so long */
#define ABSENT UINT32_MAX

enum field {
	NUMBER = 1 << 0,
	PURPOSE = 1 << 1,
	TYP = 1 << 2,
	TEXT = 1 << 3,
	WRAPPED = 1 << 4,
	PLACE = 1 << 5,
	RECORDS = 1 << 6,
	THREAD = 1 << 7,
	INPUT = 1 << 8,
	PRESENTED = 1 << 9,
	TAG = 1 << 10,
	ROOTS = 1 << 11,
};

/* The permitted messages: what a question of each kind carries, and what its answer. */
static const struct form {
	unsigned asked;
	unsigned answered;
} forms[KEY_ASK_COUNT] = {
	[KEY_HELLO] = { 0, NUMBER | THREAD | ROOTS },
	[KEY_GENERATE] = { NUMBER | PURPOSE, RECORDS },
	[KEY_LOAD] = { RECORDS, RECORDS },
	[KEY_SIGN] = { PURPOSE | TYP | TEXT, TEXT },
	[KEY_MAC] = { NUMBER | TEXT, TEXT },
	[KEY_MAC_REFRESH] = { NUMBER | WRAPPED | TEXT, TEXT },
	[KEY_ISSUE] = { PURPOSE | TYP | TEXT | NUMBER | WRAPPED | INPUT | PRESENTED, TEXT | TAG },
	[KEY_NEW_USER_KEY] = { TEXT, TEXT },
	[KEY_SEAL] = { WRAPPED | PLACE | TEXT, TEXT },
	[KEY_SEAL_AND_MAC] = { WRAPPED | PLACE | TEXT | NUMBER | INPUT, TEXT | TAG },
	[KEY_UNSEAL] = { WRAPPED | PLACE | TEXT, TEXT },
	[KEY_USE_ROOT] = { NUMBER, 0 },
	[KEY_REWRAP_USER_KEY] = { WRAPPED | TEXT, TEXT },
	[KEY_REWRAP_SIGNING_KEY] = { RECORDS, TEXT },
};

/*
 * A message under way, in either direction: `carry_x` writes *x, or reads it. One description of
 * each form serves both, so they cannot drift apart.
 */
struct wire {
	struct buf *to;	 /* NULL: reading */
	struct str rest; /* what is not read yet */
	struct arena *arena;
	bool is_malformed;
};

static void put_number(struct buf *buf, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i > 0; i--)
		buf_add_char(buf, (char)(value >> (8 * (i - 1))));
}

static uint64_t take_number(struct wire *wire, unsigned bytes)
{
	uint64_t value = 0;

	if (wire->rest.len < bytes) {
		wire->is_malformed = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)wire->rest.at[i];
	wire->rest = str_from(wire->rest, bytes);
	return value;
}

/* A number that is at most max. */
static void carry_u32(struct wire *wire, uint32_t *number, uint32_t max)
{
	if (wire->to != NULL) {
		put_number(wire->to, *number, 4);
		return;
	}
	*number = (uint32_t)take_number(wire, 4);
	if (*number > max) {
		wire->is_malformed = true;
		*number = 0;
	}
}

static void carry_i64(struct wire *wire, int64_t *number)
{
	if (wire->to != NULL)
		put_number(wire->to, (uint64_t)*number, 8);
	else
		*number = (int64_t)take_number(wire, 8);
}

static void carry_str(struct wire *wire, struct str *text)
{
	uint32_t len = text->at == NULL ? ABSENT : (uint32_t)text->len;

	if (wire->to != NULL) {
		/* longer than any frame: let it not fit rather than wrap around */
		put_number(wire->to, text->len > KEY_MESSAGE_MAX ? KEY_MESSAGE_MAX : len, 4);
		buf_add(wire->to, *text);
		return;
	}
	*text = STR_NONE;
	carry_u32(wire, &len, UINT32_MAX);
	if (wire->is_malformed || len == ABSENT)
		return;
	if (len > wire->rest.len) {
		wire->is_malformed = true;
		return;
	}
	*text = str_sub(wire->rest, 0, len);
	wire->rest = str_from(wire->rest, len);
}

static void carry_alg(struct wire *wire, enum alg *alg)
{
	uint32_t number = (uint32_t)*alg;

	carry_u32(wire, &number, ALG_COUNT - 1);
	*alg = (enum alg)number;
}

static void carry_record(struct wire *wire, struct key_record *record)
{
	carry_str(wire, &record->id);
	carry_str(wire, &record->purpose);
	carry_alg(wire, &record->alg);
	carry_str(wire, &record->public_jwk);
	carry_str(wire, &record->sealed);
	carry_i64(wire, &record->created_at);
	carry_i64(wire, &record->not_before);
	carry_i64(wire, &record->retire_at);
}

static void carry_records(struct wire *wire, struct key_record **records, size_t *count)
{
	uint32_t number = (uint32_t)*count;

	carry_u32(wire, &number, KEY_RECORDS_MAX);
	if (wire->to == NULL) {
		*records = NEW_ARRAY(wire->arena, struct key_record, number);
		*count = number;
	}
	for (uint32_t i = 0; i < number && !wire->is_malformed; i++)
		carry_record(wire, &(*records)[i]);
}

static void carry_roots(struct wire *wire, struct key_root **roots, size_t *count)
{
	uint32_t number = (uint32_t)*count;

	carry_u32(wire, &number, KEY_ROOTS_MAX);
	if (wire->to == NULL) {
		*roots = NEW_ARRAY(wire->arena, struct key_root, number);
		*count = number;
	}
	for (uint32_t i = 0; i < number && !wire->is_malformed; i++) {
		carry_u32(wire, &(*roots)[i].number, UINT32_MAX);
		carry_str(wire, &(*roots)[i].fingerprint);
	}
}

static void carry_place(struct wire *wire, struct seal_place *place)
{
	carry_str(wire, &place->table);
	carry_str(wire, &place->row);
	carry_str(wire, &place->column);
	carry_str(wire, &place->user_id);
	carry_i64(wire, &place->version);
}

static void carry_question(struct wire *wire, struct key_question *question)
{
	unsigned fields = forms[question->ask].asked;

	carry_i64(wire, &question->now);
	if ((fields & NUMBER) != 0)
		carry_u32(wire, &question->number, UINT32_MAX);
	if ((fields & PURPOSE) != 0)
		carry_str(wire, &question->purpose);
	if ((fields & TYP) != 0)
		carry_str(wire, &question->typ);
	if ((fields & TEXT) != 0)
		carry_str(wire, &question->text);
	if ((fields & INPUT) != 0)
		carry_str(wire, &question->input);
	if ((fields & PRESENTED) != 0) {
		carry_u32(wire, &question->presented_number, UINT32_MAX);
		carry_str(wire, &question->presented_input);
		carry_str(wire, &question->presented_tag);
	}
	if ((fields & WRAPPED) != 0)
		carry_str(wire, &question->wrapped);
	if ((fields & PLACE) != 0)
		carry_place(wire, &question->place);
	if ((fields & RECORDS) != 0)
		carry_records(wire, &question->records, &question->record_count);
}

static void carry_answer(struct wire *wire, enum key_ask ask, struct key_answer *answer)
{
	unsigned fields = forms[ask].answered;
	uint32_t err = (uint32_t)answer->err;

	carry_u32(wire, &err, ERR_LAST);
	answer->err = (enum err)err;
	if (answer->err != OK) {
		carry_str(wire, &answer->reason);
		return;
	}
	if ((fields & NUMBER) != 0)
		carry_u32(wire, &answer->number, UINT32_MAX);
	if ((fields & THREAD) != 0)
		carry_u32(wire, &answer->thread, INT32_MAX);
	if ((fields & TEXT) != 0)
		carry_str(wire, &answer->text);
	if ((fields & TAG) != 0)
		carry_str(wire, &answer->tag);
	if ((fields & ROOTS) != 0)
		carry_roots(wire, &answer->roots, &answer->root_count);
	if ((fields & RECORDS) != 0)
		carry_records(wire, &answer->records, &answer->record_count);
}

/* Puts the length in front. The message was written behind room for it. */
static enum err finish_frame(struct buf *buf, struct str *ret_frame)
{
	struct str frame = STR_NONE;

	TRY(buf_finish(buf, &frame));
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		buf->at[i] = (char)((frame.len - LENGTH_BYTES) >> (8 * (LENGTH_BYTES - 1 - i)));
	*ret_frame = frame;
	return OK;
}

static enum err finish_reading(struct task *task, const struct wire *wire)
{
	if (wire->is_malformed || wire->rest.len > 0)
		return fail(task, ERR_SYNTAX, "a malformed message between grantd and keyd");
	return OK;
}

enum err key_question_write(struct task *task, const struct key_question *question,
			    struct str *ret_frame)
{
	struct buf buf = buf_in(&task->arena, KEY_MESSAGE_MAX);
	struct wire wire = { .to = &buf };
	struct key_question written = *question;

	put_number(&buf, 0, LENGTH_BYTES);
	buf_add_char(&buf, (char)question->ask);
	carry_question(&wire, &written);
	if (finish_frame(&buf, ret_frame) != OK)
		return fail(task, ERR_TOO_LARGE, "too large for the key holder");
	return OK;
}

enum err key_question_read(struct task *task, struct str message, struct key_question *ret_question)
{
	struct wire wire = { .rest = message, .arena = &task->arena };
	struct key_question question = { 0 };
	uint64_t ask = take_number(&wire, 1);

	if (wire.is_malformed || ask >= KEY_ASK_COUNT)
		return fail(task, ERR_SYNTAX, "no message between grantd and keyd");
	question.ask = (enum key_ask)ask;
	carry_question(&wire, &question);
	TRY(finish_reading(task, &wire));
	*ret_question = question;
	return OK;
}

enum err key_answer_write(struct task *task, enum key_ask ask, const struct key_answer *answer,
			  struct str *ret_frame)
{
	struct buf buf = buf_in(&task->arena, KEY_MESSAGE_MAX);
	struct wire wire = { .to = &buf };
	struct key_answer written = *answer;

	put_number(&buf, 0, LENGTH_BYTES);
	carry_answer(&wire, ask, &written);
	if (finish_frame(&buf, ret_frame) != OK)
		return fail(task, ERR_TOO_LARGE, "the key holder's answer is too large");
	return OK;
}

enum err key_answer_read(struct task *task, enum key_ask ask, struct str message,
			 struct key_answer *ret_answer)
{
	struct wire wire = { .rest = message, .arena = &task->arena };
	struct key_answer answer = { 0 };

	carry_answer(&wire, ask, &answer);
	TRY(finish_reading(task, &wire));
	*ret_answer = answer;
	return OK;
}

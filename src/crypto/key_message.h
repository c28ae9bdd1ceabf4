/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes between a keyring and its key holder: one question, one answer. Each kind of question
 * has a row in a table that says which of the fields it carries, and the same row serves writing
 * and reading. The reader is for bytes of an attacker: whoever took the network process over writes
 * the questions. Nothing is allocated by a length that was not checked against the bytes there are.
 */
#pragma once

#include "crypto/keys.h"

/* Also the most that a channel takes for one frame, length included. */
#define KEY_MESSAGE_MAX ((size_t)1024 * 1024)

enum key_ask {
	KEY_HELLO, /* which root keys are there? and who answers here */
	KEY_GENERATE,
	KEY_LOAD,
	KEY_SIGN,
	KEY_MAC,
	KEY_MAC_REFRESH,
	KEY_ISSUE, /* KEY_SIGN and KEY_MAC_REFRESH at once, if the presented tag is right */
	KEY_NEW_USER_KEY,
	KEY_SEAL,
	KEY_SEAL_AND_MAC, /* KEY_SEAL and KEY_MAC at once */
	KEY_UNSEAL,
	KEY_USE_ROOT,
	KEY_REWRAP_USER_KEY,
	KEY_REWRAP_SIGNING_KEY,
	KEY_ASK_COUNT
};

/* Texts are borrowed: from the asker, or from the frame that was read. */
struct key_question {
	enum key_ask ask;
	int64_t now;	 /* of the asking task: the holder has no clock */
	uint32_t number; /* of a root key, a MAC label, an algorithm */
	struct str purpose;
	struct str typ;
	struct str text;	   /* claims, input of a MAC, bytes to seal or to open */
	struct str input;	   /* of the MAC, where text is taken by something else */
	uint32_t presented_number; /* of its root key */
	struct str presented_input;
	struct str presented_tag;
	struct str wrapped; /* a person's key; for a refresh token's MAC the family's seed */
	struct seal_place place;
	struct key_record *records;
	size_t record_count;
};

struct key_answer {
	enum err err;
	struct str reason; /* when err is not OK; nothing else is answered then */
	uint32_t number;
	uint32_t thread; /* of the holder's process */
	struct str text;
	struct str tag; /* where text is taken by something else */
	struct key_root *roots;
	size_t root_count;
	struct key_record *records;
	size_t record_count;
};

/* Task memory, behind four bytes with its length. ERR_TOO_LARGE. */
MUST_CHECK enum err key_question_write(struct task *task, const struct key_question *question,
				       struct str *ret_frame);
/* The frame without its length. ERR_SYNTAX for what key_question_write never writes. */
MUST_CHECK enum err key_question_read(struct task *task, struct str message,
				      struct key_question *ret_question);
MUST_CHECK enum err key_answer_write(struct task *task, enum key_ask ask,
				     const struct key_answer *answer, struct str *ret_frame);
MUST_CHECK enum err key_answer_read(struct task *task, enum key_ask ask, struct str message,
				    struct key_answer *ret_answer);

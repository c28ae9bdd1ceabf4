/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a keyring, and its way to the key holder: in place, or gathered with the questions
 * of other tasks. Private to crypto/keys.
 */
#pragma once

#include <pthread.h>

#include "base/task.h"
#include "crypto/key_line.h"
#include "crypto/key_message.h"
#include "crypto/keys.h"
#include "crypto/keys_published.h"

struct key_holder;

struct keyring {
	struct key_holder *holder; /* in this process; else NULL */
	struct key_line *lines;
	size_t line_count;
	struct key_root *roots; /* of the file, which is read once */
	size_t root_count;
	_Atomic uint32_t root_number; /* the current one */
	/* the current one, where the file does not have it (keys_miss_root); 0: it has */
	_Atomic uint32_t missing;
	pthread_mutex_t using; /* who makes another root the current one */
	struct published published;
	struct arena arena;
};

/* In the memory of its task. */
struct asking {
	struct key_question question;
	struct key_answer answer;
	struct key_waiting waiting;
	struct str *ret_text;
	uint8_t *ret_tag; /* NULL: none is asked */
	then_fn *then;
	void *arg;
};

/* The one way to the holder. What it answers is task memory. A refusal is its error. */
MUST_CHECK enum err keyring_ask(struct task *task, struct keyring *keys,
				struct key_question *question, struct key_answer *ret_answer);
MUST_CHECK enum err keyring_ask_text(struct task *task, struct keyring *keys,
				     struct key_question *question, struct str *ret_text);
MUST_CHECK enum err keyring_ask_tag(struct task *task, struct keyring *keys,
				    struct key_question *question, uint8_t ret_tag[SHA256_LEN]);
/* Text and tag; ret_tag NULL: a text alone. */
MUST_CHECK enum err keyring_ask_both(struct task *task, struct keyring *keys,
				     struct key_question *question, struct str *ret_text,
				     uint8_t *ret_tag);
/*
 * As keyring_ask_both of what `plan` has (question, ret_text, ret_tag). ERR_PARKED: the question
 * was kept, and plan->then goes on; else it is not called.
 */
MUST_CHECK enum err keyring_ask_with_others(struct task *task, struct keyring *keys,
					    const struct asking *plan);

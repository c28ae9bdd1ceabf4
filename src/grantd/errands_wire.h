/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that faces the network and the errands process say to each other: a number and a
 * text, and with one kind of answer an open file. One question at a time per socket.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "config/resource.h"

struct task;

#define ERRANDS_TEXT_MAX (RESOURCE_FILE_MAX + 1024)

enum errand {
	ERRAND_OPEN,	/* PATH: a file of the installation, to be read; the answer is an errno */
	ERRAND_LOOK,	/* reads the whole configuration, and refuses one that is wrong */
	ERRAND_TAKE_UP, /* what was last looked at is in force from now on */
	ERRAND_PUT,	/* NAME \0 text: DIR/resources/NAME.json */
	ERRAND_REMOVE,	/* NAME */
	ERRAND_UNDO,	/* the last put or removal, to the byte */
	ERRAND_STOP,	/* NAME \0 username \0 client: runs its on_stop */
	ERRAND_COUNT
};

/* An answer's number is an enum err, and its text the reason; of ERRAND_OPEN an errno. */
struct errand_message {
	uint32_t number;
	struct str text;
	int file; /* -1: none */
};

/* ERR_IO when the other side is gone. */
MUST_CHECK enum err errand_send(struct task *task, int socket,
				const struct errand_message *message);
/*
 * Text is task memory; the file is the caller's to close. ERR_NOT_FOUND when the other side has
 * ended; ERR_SYNTAX: too long, or broken off.
 */
MUST_CHECK enum err errand_receive(struct task *task, int socket,
				   struct errand_message *ret_message);
/* Cuts the text up to the next NUL, or its end, off its front. */
struct str errand_next(struct str *text);

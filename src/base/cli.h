/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our programs do alike towards whoever started them: exit codes, and the sentence that says
 * why something was refused. Their verbs and options are their own.
 */
#pragma once

#include "base/err.h"

struct task;

enum exit_code {
	EXIT_DONE,
	EXIT_REFUSED,
	EXIT_USAGE,
	EXIT_UNREACHABLE,
	EXIT_AGAIN = 75, /* sysexits.h: for a supervisor to try again */
};

/*
 * For programs through whose memory passwords and tokens pass and that talk to others: no core
 * files, and a reader that has gone is an error of a write and not the end.
 */
void cli_begin(void);
/* What the reason stands for in a shell: ERR_REQUEST 2, ERR_IO and ERR_TIMEOUT 3, others 1. */
enum exit_code cli_exit_code(enum err err);
/*
 * "WHO: reason" on stderr, where reasons may quote what others wrote: not printable is '?'. Answers
 * the exit code.
 */
enum exit_code cli_refuse(struct task *task, const char *who, enum err err);

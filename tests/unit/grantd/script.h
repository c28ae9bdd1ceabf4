/* SPDX-License-Identifier: Apache-2.0 */
/* A command for on_stop: a shell script of the test's, and what it has left behind. */
#pragma once

#include "check.h"

/* DIR/NAME, executable; every %s in the text is DIR. Answers its path. */
struct str script_write(struct task *task, struct str dir, const char *name, const char *text);
/* What is in DIR/NAME; "" without such a file. */
struct str script_left(struct task *task, struct str dir, const char *name);

/* SPDX-License-Identifier: Apache-2.0 */
/* grantd check --sandbox. */
#pragma once

#include "base/cli.h"

struct program;
struct task;

/*
 * Prints what is in force. EXIT_DONE: all that is promised; EXIT_REFUSED: something of it is not;
 * EXIT_UNREACHABLE: no daemon answers, or it is not shown to us.
 */
enum exit_code check_sandbox(struct task *task, struct program *program);

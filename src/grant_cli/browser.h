/* SPDX-License-Identifier: Apache-2.0 */
/* Hands an address to the person's browser by xdg-open, without a shell. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

/* ERR_IO when there is no xdg-open. Whether a window appeared is not known here. */
MUST_CHECK enum err browser_open(struct task *task, struct str address, char *const *environment);

/* SPDX-License-Identifier: Apache-2.0 */
/* What `grant` prints, and how a log-in reads as JSON and as the command that makes it anew. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct json_writer;
struct login;
struct task;

/* One line on stdout, sent at once. ERR_STORE when it cannot be written. */
MUST_CHECK enum err say_line(struct task *task, struct str line);
/* For the person, on stderr. */
enum err say_note(const char *note);
/* "active", "expired" or "ended". */
const char *login_status(const struct login *login, int64_t now);
/* The members of `grant list --json`; never a token. */
void login_members(struct task *task, struct json_writer *json, const struct login *login);
/* One log-in as a JSON object on a line of stdout. */
MUST_CHECK enum err say_login(struct task *task, const struct login *login);
/* The command that would make this log-in anew. */
struct str login_command(struct task *task, const struct login *login);

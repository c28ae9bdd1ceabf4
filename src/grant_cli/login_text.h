/* SPDX-License-Identifier: Apache-2.0 */
/* A log-in as the JSON text of its file, and back. Does no I/O. */
#pragma once

#include "grant_cli/wallet.h"

#define LOGIN_TEXT_MAX (256 * 1024)

MUST_CHECK enum err login_print(struct task *task, const struct login *login, struct str *ret_text);
/* ERR_SYNTAX for what login_print did not write. */
MUST_CHECK enum err login_parse(struct task *task, struct str text, struct login *ret_login);

/* SPDX-License-Identifier: Apache-2.0 */
/* The schema's own type names, BYTEA, BIGINT and TEXT, as a database spells them. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

struct type_name {
	struct str ours;
	struct str theirs;
};

/* The statement with each word that is one of ours replaced, NUL-terminated in task memory. */
MUST_CHECK enum err define_text(struct task *task, struct str text, const struct type_name *names,
				size_t count, struct str *ret_text);

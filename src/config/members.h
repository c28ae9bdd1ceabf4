/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of JSON that people wrote: which members may be there, of which type, and words for what
 * is wrong that name the member by its path ("scopes[1].risk"). Also "did you mean" for any list of
 * names.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct task;

enum member_type {
	MEMBER_TEXT,
	MEMBER_YES_NO,
	MEMBER_NUMBER, /* a whole one */
	MEMBER_OBJECT,
	MEMBER_ARRAY,
	MEMBER_ANY,
};

struct member {
	const char *name;
	enum member_type type;
	bool required;
};

/*
 * ERR_CONFIG unless value is an object with the required members, of the right types, and no
 * others. path is where it stands ("" at the top, "scopes[1]").
 */
MUST_CHECK enum err members_check(struct task *task, const json_t *value, struct str path,
				  const struct member *members, size_t count);
/* "path.name", or "name" at the top. */
struct str member_path(struct task *task, struct str path, const char *name);
/* "path[index]" */
struct str member_index(struct task *task, struct str path, size_t index);
/* "; did you mean \"NAME\"?" when one of the names is close to what was written, else "". */
struct str suggest(struct task *task, struct str written, const char *const *names, size_t count);

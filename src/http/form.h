/* SPDX-License-Identifier: Apache-2.0 */
/*
 * application/x-www-form-urlencoded, as query or body. Decoded once, strictly: broken percent
 * signs, raw spaces, controls, bad UTF-8, NUL and a byte order mark are ERR_REQUEST. Empty is
 * absent (OAuth 2.1 3.1).
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

#define FORM_FIELDS_MAX 100

struct form_field {
	struct str name;
	struct str value;
};

struct form {
	struct form_field *fields;
	size_t count;
};

/* Fields in their order, in task memory. ERR_REQUEST with the reason; over 100 fields too. text may
 * be STR_NONE. */
MUST_CHECK enum err form_parse(struct task *task, struct str text, struct form *ret_form);
/* The first value of that name; STR_NONE when absent or empty. */
struct str form_get(const struct form *form, const char *name);
/* How many non-empty values the name has. */
size_t form_count(const struct form *form, const char *name);
/* The nth (from 0) non-empty value; STR_NONE behind the last. */
struct str form_get_nth(const struct form *form, const char *name, size_t nth);
/* ERR_REQUEST "repeated parameter: NAME" if a name other than one of `except` (NULL-terminated) is
 * repeated. */
MUST_CHECK enum err form_check_single(struct task *task, const struct form *form,
				      const char *const *except);

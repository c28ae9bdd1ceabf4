/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a permission: JSON of its scope's title and of what it can and cannot, as they stood
 * before the person. Installations may differ in what of a scope they can, but a permission is one.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

#define PERMISSION_WORDS_MAX (32 * 1024)

/*
 * The words with what earlier ones can beside their own, each once; earlier ones that nobody can
 * read add nothing. ERR_TOO_LARGE: together they are more than is kept.
 */
MUST_CHECK enum err permission_words_join(struct task *task, struct str words, struct str earlier,
					  struct str *ret_words);

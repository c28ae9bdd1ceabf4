/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words in error_description that a program can read: why a token is not to be had. Each has a
 * paragraph of its own on the page of errors, where error_uri points; any other description is for
 * people, and there the paragraph is that of the error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

extern const char *const reasons[];
extern const size_t reason_count;

bool reason_is_known(struct str text);

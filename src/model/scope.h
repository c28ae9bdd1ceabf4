/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of scope names (RFC 6749 3.3): the words of a `scope` parameter, without order or
 * repetition.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct arena;

#define SCOPES_MAX     64
#define SCOPE_NAME_MAX 128

struct scope_set {
	const struct str *names;
	size_t count;
};

/*
 * Space-separated names of the characters %x21 / %x23-5B / %x5D-7E, single spaces between them.
 * Repeated names count once. STR_NONE and "" give the empty set. ERR_SCOPE when malformed or over
 * the ceilings.
 */
MUST_CHECK enum err scope_parse(struct task *task, struct str text, struct scope_set *ret_set);
bool scope_has(struct scope_set set, struct str name);
/* True if every name of part is in whole. */
bool scope_contains(struct scope_set whole, struct scope_set part);
/* In the order of a. */
struct scope_set scope_intersect(struct arena *arena, struct scope_set a, struct scope_set b);
struct scope_set scope_union(struct arena *arena, struct scope_set a, struct scope_set b);
/* Those of a that b has not, in the order of a. */
struct scope_set scope_without(struct arena *arena, struct scope_set a, struct scope_set b);
/* The names joined by single spaces. */
struct str scope_text(struct arena *arena, struct scope_set set);

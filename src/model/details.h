/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorization details (RFC 9396) of the one type there is here, "operations": of one scope of one
 * resource only these operations, within these limits. They narrow a scope and never widen one: a
 * scope that no element speaks of is whole. What there is of operations is the resource's file's
 * affair, and comes down as a function. Pure: no I/O, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "model/scope.h"

struct task;

#define DETAILS_TYPE	  "operations"
#define DETAILS_ASKED_MAX (16 * 1024) /* as sent */
#define DETAILS_KEPT_MAX  4096	      /* in the one form, in which each token carries them */
#define DETAILS_COUNT_MAX 32
#define ACTIONS_MAX	  64 /* of all elements together */
#define PATHS_MAX	  8
#define LIMIT_MAX	  INT64_C(1000000)

enum limit { LIMIT_PER_HOUR, LIMIT_PER_DAY, LIMIT_USES, LIMIT_COUNT };

/* One element. The lists are in the order of their bytes, each once. */
struct detail {
	struct str scope;
	const struct str *actions;
	size_t action_count;
	int64_t limits[LIMIT_COUNT]; /* 0: none */
	const struct str *paths;     /* only at and below one of them; none: anywhere */
	size_t path_count;
};

struct details {
	struct str resource; /* URI */
	const struct detail *items;
	size_t count;
};

/* What an operator's file says of an operation. */
struct operation_rule {
	struct str scope;
	const struct str *limits; /* names of those it may be given */
	size_t limit_count;
};

struct details_rules {
	struct str resource; /* URI, canonical */
	/* Is that URI the resource, however it is spelled? */
	bool (*is_resource)(struct task *task, const void *context, struct str uri);
	bool (*find)(const void *context, struct str action, struct operation_rule *ret_rule);
	const void *context;
};

/* "per_hour", … */
const char *limit_name(enum limit limit);

/*
 * What a client sent: a list of 1 to 32 objects, each with type, locations (the one resource),
 * actions (of one scope), and perhaps limits that all of these take, and scope if it is theirs.
 * ERR_DETAILS with the element and what is wrong with it; ERR_TARGET for another resource. Text of
 * more than 16 KiB, or what comes to more than 4 KiB in the one form, is ERR_DETAILS too.
 */
MUST_CHECK enum err details_parse(struct task *task, struct str text,
				  const struct details_rules *rules, struct details *ret_details);
/*
 * What details_print wrote, whatever the resource's file says today; STR_NONE and "" are none.
 * ERR_DETAILS.
 */
MUST_CHECK enum err details_read(struct task *task, struct str text, struct details *ret_details);
/* The one form, in arena memory; STR_NONE of none. */
struct str details_print(struct arena *arena, const struct details *details);

/*
 * Would details_read take them again? Two lists that are each short enough may not be so together.
 */
bool details_fit(struct arena *arena, const struct details *details);

/* Is all that the child allows allowed by the parent alone? */
bool detail_covers(const struct detail *parent, const struct detail *child);
/* Is it by one of them alone? */
bool details_cover(const struct details *parents, const struct detail *child);
/* Does any element speak of the scope? */
bool details_restrict(const struct details *details, struct str scope);
/* The elements of those scopes. */
struct details details_within(struct arena *arena, const struct details *details,
			      struct scope_set scopes);

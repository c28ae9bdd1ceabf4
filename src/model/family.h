/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token family: one agent installation's line of refresh tokens under a grant, and the rule of
 * rotation that neither forks, nor logs people out, nor feeds a thief (DESIGN 5). Pure: no I/O, no
 * clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "model/details.h"
#include "model/scope.h"

struct task;

#define ROTATION_PARALLEL_MS	INT64_C(10000) /* (a): parallel calls share the successor */
#define ROTATION_LOST_ANSWER_MS INT64_C(60000) /* (b): the answer with the successor was lost */
#define ROTATION_REPEATS_MAX	10	       /* of (b) in a day, then only (a) remains */
#define ROTATION_FIRST		1	       /* generation of a family that never refreshed */

/* When recent generations became current, oldest first: encoded in the column `rotation_window`. */
#define ROTATION_MARKS		 24
#define ROTATION_MARK_SPACING_MS INT64_C(500)

struct rotation_mark {
	int64_t at;
	int64_t generation; /* was current from `at` */
};

struct family {
	struct str id; /* fam_… */
	struct str user_id;
	struct str grant_id;
	struct str client_id;
	struct scope_set
		ceiling; /* within the grant; never wider without this installation's own consent */
	struct details details;	   /* what of the ceiling only (RFC 9396); none: all of it */
	struct str key_thumbprint; /* DPoP jkt; STR_NONE: a bearer family */
	struct str seed;	   /* 256 random bits */
	uint32_t root_number;	   /* of the root key by which its tokens are made, … */
	int64_t root_since;	   /* … from this generation on, */
	uint32_t root_before;	   /* and by which the ones before; 0: there are none */
	int64_t generation;	   /* the current refresh token's */
	struct rotation_mark marks[ROTATION_MARKS];
	size_t mark_count;
	int64_t repeats;     /* of (b), in the day below */
	int64_t repeats_day; /* wall ms / DAY_MS */
	int64_t auth_time;
	struct str acr;
	int64_t created_at;
	int64_t last_used_at;
	int64_t idle_expires_at; /* moves on with each rotation */
	int64_t revoked_at;	 /* 0: not */
	struct str revoked_why;	 /* "revoked_by_user", "reused", "revoked_by_client", … */
	int64_t paused_at;	 /* by the person, this one alone; 0: not */
	struct str seen_mark;	 /* alias of the address it came from last */
	struct str sealed_first; /* of a new one: the address it comes from first */
};

/* Of an installation, for its person: sealed under the person's key. */
struct family_about {
	struct str id;
	struct str sealed_first; /* addresses: the first, */
	struct str sealed_last;	 /* and the last, when it is another */
	int64_t seen_at;	 /* since when it is */
	struct str sealed_name;	 /* as the person named it; STR_NONE: not */
	int64_t named_at;
};

/* It comes from another address than before. */
struct family_seen {
	struct str mark; /* absent: it does not */
	struct str sealed;
	int64_t at;
};

/* An installation that is signed in: it may come with a refresh token. */
static inline bool family_is_live(const struct family *family, int64_t now)
{
	return family->revoked_at == 0 && family->idle_expires_at > now;
}

/* The one root key by which a token of that generation was made, for any up to the current one. */
static inline uint32_t family_root_of(const struct family *family, int64_t generation)
{
	return generation < family->root_since ? family->root_before : family->root_number;
}

enum rotation {
	ROTATION_ADVANCE,     /* the current one: rotate */
	ROTATION_REPEAT,      /* (a): the current refresh token again */
	ROTATION_REPEAT_LOST, /* (b): the same, and counted */
	ROTATION_TOO_OFTEN,   /* (b) after the day's count: refused, but a count ends nothing */
	ROTATION_REUSED_LOST, /* ends the family: "probably a lost answer" (successor unused) */
	ROTATION_REUSED,      /* ends the family: "possible theft" */
	ROTATION_FROM_FUTURE, /* above the current: the database was restored: pause the grant */
};

/* Of a superseded one outside the windows: the family ends. */
static inline bool rotation_is_reuse(enum rotation rotation)
{
	return rotation == ROTATION_REUSED || rotation == ROTATION_REUSED_LOST;
}

/* What presenting a valid tag of `generation` means at `now`. */
enum rotation rotation_judge(const struct family *family, int64_t generation, int64_t now);
/* The family with the next generation current since now; marks are kept as judge needs them. */
void rotation_advance(struct family *family, int64_t now);
/*
 * Counts one (b) repeat; answers true the first time the day's count is used up: tell the person.
 */
bool rotation_count_repeat(struct family *family, int64_t now);

/* The column: bytes in arena memory, and back (ERR_STORE for bytes that are not ours). */
struct str rotation_marks_encode(struct arena *arena, const struct family *family);
MUST_CHECK enum err rotation_marks_decode(struct task *task, struct str bytes,
					  struct family *family);

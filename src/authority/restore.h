/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the database was put back to an older state (DESIGN 6): what has ended since stays ended,
 * and nothing else goes on before its person has looked. Every signing key is replaced, so that no
 * token of before counts, nor one that an exposed key signs. The caller alone uses the database.
 */
#pragma once

#include "authority/authority.h"
#include "store/ended.h"

struct restore {
	const struct ended_record *ended; /* what DIR remembers */
	int64_t made_at;		  /* of the copy; 0: not known, the newest event says */
};

struct restore_report {
	bool is_complete; /* DIR remembers all that has ended since the copy was made */
	int64_t made_at;
	int64_t users, clients, grants; /* that there are */
	int64_t kept_ended;		/* lines that changed something */
	int64_t paused;			/* grants */
	int64_t installations_ended;	/* because the record is not complete */
	int64_t without_key;		/* people whose key is not there: erased since */
};

MUST_CHECK enum err restore_apply(struct task *task, const struct authority *authority,
				  const struct restore *restore, struct restore_report *ret_report);

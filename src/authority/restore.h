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
	const struct ended_record *ended; /* what is remembered */
	bool is_everybodys;		  /* of every node that served since the copy was made */
	/* of the copy; 0: not known, and then no record reaches back */
	int64_t made_at;
};

struct restore_report {
	bool is_complete; /* all that has ended since the copy was made is remembered */
	int64_t made_at;  /* 0: not known */
	int64_t users, clients, grants; /* that there are */
	int64_t kept_ended;		/* lines that changed something */
	int64_t paused;			/* grants */
	int64_t installations_ended;	/* because the record is not complete */
	int64_t without_key;		/* people whose key is not there: erased since */
};

/*
 * ERR_CONFIG, and nothing is changed: the database knows of what came after made_at; that is wrong,
 * or a grantd has served it since.
 */
MUST_CHECK enum err restore_apply(struct task *task, const struct authority *authority,
				  const struct restore *restore, struct restore_report *ret_report);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long what is over is kept (keep_events, keep_ended): a walk through installations, grants and
 * events, once a day, a few hundred rows at a time. What a live grant rests on stays, its consent
 * too. A clock that is set years ahead by mistake does not empty the database: from walk to walk
 * time goes on by 30 days at most, and neither a restart nor a further node begins a walk before a
 * day has passed since the last.
 */
#pragma once

#include <stdbool.h>

#include "authority/authority.h"

enum retention_part { RETENTION_FAMILIES, RETENTION_GRANTS, RETENTION_EVENTS, RETENTION_PARTS };

struct retention {
	enum retention_part part;
	char after[64]; /* the id that the walk has come to */
	int64_t began_at;
	int64_t now; /* as this walk believes it */
	int64_t deleted[RETENTION_PARTS];
};

/*
 * The next slice; *ret_more is false at the end of the walk, which leaves an event if rows went,
 * and at once when it is too soon for one.
 */
MUST_CHECK enum err retention_step(struct task *task, const struct authority *authority,
				   struct retention *retention, bool *ret_more);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Space on the database's disk that is held back for what must be kept even when the disk is full
 * (DESIGN 13): a file beside the database, allocated and never written. It is given back to the
 * file system a slice at a time, so that whoever filled the disk does not get all of it at once,
 * and taken again when there is space.
 *
 * A file system that does not keep what was allocated (compression, copy on write) keeps this
 * promise only as far as removing a file frees space there.
 */
#pragma once

#include "base/task.h"

struct sqlite_reserve {
	int fd;		/* -1: none is held */
	int64_t wanted; /* bytes */
	int64_t held;
};

#define SQLITE_RESERVE_NONE ((struct sqlite_reserve){ .fd = -1 })

/*
 * Makes the file if it is missing and fills it up; reserve->held says how far that went on a full
 * disk. ERR_CONFIG if the file cannot be had at all.
 */
MUST_CHECK enum err sqlite_reserve_open(struct task *task, struct str database, int64_t wanted,
					struct sqlite_reserve *ret_reserve);
void sqlite_reserve_close(struct sqlite_reserve *reserve);

/* One slice less. False when nothing is left to give. */
bool sqlite_reserve_give(struct sqlite_reserve *reserve);
/* True if all is held again and some space beside it is free. */
bool sqlite_reserve_refill(struct sqlite_reserve *reserve);

/* ERR_CONFIG with what to do if the file is missing or smaller than wanted. Changes nothing. */
MUST_CHECK enum err sqlite_reserve_check(struct task *task, struct str database, int64_t wanted);

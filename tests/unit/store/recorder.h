/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system for SQLite that remembers everything it was told to do to the disk. It stands over
 * SQLite's own, so what is recorded really happened. What a power cut makes of it: power_cut.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum kind { MADE, REMOVED, WRITTEN, CUT_OFF, SYNCED, DIRECTORY_SYNCED };

enum name { DATABASE, LOG, JOURNAL, NAMES };

struct entry {
	enum kind kind;
	enum name name;
	int inode;  /* a name that is made again is another file; 0 with REMOVED */
	int64_t at; /* of the bytes, or the size it was cut off to */
	size_t count;
	unsigned char *bytes;
};

/* From here on what is done to grantd.db and its companions in the directory is recorded. */
void recorder_start(const char *directory, uint64_t seed);
/* SQLite's own file system serves again; the record stays. */
void recorder_stop(void);
void recorder_free(void);

/* How much is recorded so far: a moment to note, or to cut at. */
size_t recorder_length(void);
/* While nothing is added. */
const struct entry *recorder_entries(void);
/* "/grantd.db" and so on. */
const char *recorder_ending(enum name name);

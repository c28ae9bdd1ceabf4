/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a SQLite database that one connection has read, kept for the next who asks. A connection
 * forgets all its pages whenever somebody has committed, and reads them again: some sixty calls for
 * one authorization. Nearly all of those pages are what they were, and which ones are is known from
 * the shared index of the log (https://sqlite.org/walformat.html, 2.2 and 4):
 *
 * - A page of the log that was committed stays as it is until the log begins anew with other salts,
 *   and nobody reads it then.
 * - A page of the database that SQLite asks for has no newer version in the log, so it is as the
 *   last finished checkpoint left it: salts and the number of moved frames tell which one that was.
 *
 * Both are read while the reader has one of the locks that keep the log from beginning anew (marks
 * 1 to 4). Who has mark 0 reads the database alone, and a log may begin beside it; it is given what
 * the file has, and so are checkpoints, which have none. All of that holds beside other processes
 * too, such as an operator's sqlite3 shell.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct kept_pages; /* of one database, shared by all connections of the process */

/*
 * index: the first region of the shared index, which is one memory for all connections. NULL when
 * there is no memory: then nothing is kept.
 */
struct kept_pages *pages_join(const volatile void *index);
/* The last to leave frees them. */
void pages_leave(struct kept_pages **pages);

/* What a connection may read while it has a lock of the log. */
struct page_view {
	bool is_in_log; /* else it reads the file */
	uint32_t moved; /* when it began; less than that is known where a log was recovered since */
};

/* Of one that has such a lock from now on. */
struct page_view pages_view(const struct kept_pages *pages);

/*
 * What changes with each commit of anybody, and is there before the commit is acknowledged. False
 * if that is not known.
 */
bool pages_state(const struct kept_pages *pages, uint64_t *ret_state);

struct page_read {
	sqlite3_file *lower; /* the file to read what is not kept from */
	void *bytes;
	int len;
	sqlite3_int64 offset;
};

/* pages: NULL if none are kept. The results are SQLite's. */
int pages_read_database(const struct kept_pages *pages, const struct page_view *view,
			const struct page_read *read);
int pages_read_log(const struct kept_pages *pages, const struct page_view *view,
		   const struct page_read *read);

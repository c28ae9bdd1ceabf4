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
 * All of that holds beside other processes too, such as an operator's sqlite3 shell.
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

/* Where commits are counted; NULL if that is not known. */
const volatile uint32_t *pages_commits(const struct kept_pages *pages);

struct page_read {
	sqlite3_file *lower; /* the file to read what is not kept from */
	void *bytes;
	int len;
	sqlite3_int64 offset;
	bool is_kept; /* for others, from now on */
};

/* pages: NULL if none are kept. The results are SQLite's. */
int pages_read_database(const struct kept_pages *pages, const struct page_read *read);
int pages_read_log(const struct kept_pages *pages, const struct page_read *read);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead log, written in few calls. SQLite writes each frame in two: its 24 bytes of head
 * and its page, some forty calls for one authorization. Here they are gathered and written when the
 * frame that commits is there, so that everything is in the file before anybody is told to look
 * (https://sqlite.org/walformat.html, section 2).
 *
 * The results are SQLite's.
 */
#pragma once

#include <sqlite3.h>

struct gathered; /* of one connection; its memory for frames is taken at the first one */

/* NULL when there is no memory. */
struct gathered *gathered_new(void);
void gathered_free(struct gathered **gathered);
/* What could not be written is given up: SQLite takes the transaction back. */
int gathered_write(struct gathered *gathered, sqlite3_file *log, const void *bytes, int len,
		   sqlite3_int64 offset);
int gathered_flush(struct gathered *gathered, sqlite3_file *log);
/* A transaction is over: what is gathered still was taken back. The next may write anywhere. */
void gathered_end(struct gathered *gathered);

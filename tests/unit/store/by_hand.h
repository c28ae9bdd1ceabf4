/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_STORE_BY_HAND_H
#define TESTS_STORE_BY_HAND_H

/* SQLite without the store, and a file system below grantd's layer that counts and can fail. */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Does what text says, which must not fail. */
void hand_run(sqlite3 *db, const char *text);
/* The first column of the first row, which must be there. */
int64_t hand_number(sqlite3 *db, const char *text);
bool hand_is_sound(sqlite3 *db);
/* Opens for reading and writing, created if missing, by the file system of this name. */
sqlite3 *hand_open(const char *file, const char *vfs);
/* The database and its log, as a crash would leave them: without the memory they share. */
void hand_copy(const char *file, const char *copy);

/* What is asked of SQLite's own file system; of both files together, whoever asks. */
struct below {
	atomic_int page_reads; /* whole pages, of the database or of the log */
	atomic_int log_writes;
	atomic_bool is_full; /* the log can not be written */
};
extern struct below below;

/* Between begin and end, what is opened is opened by it; begin sets all to zero. */
void below_begin(void);
void below_end(void);

#endif

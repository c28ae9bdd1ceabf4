/* SPDX-License-Identifier: Apache-2.0 */
#include "by_hand.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "store/page_cache.h"

struct below below;

static sqlite3_vfs counted_vfs, *true_vfs;
static sqlite3_io_methods counted_methods[2]; /* of the database, of its log */
static const sqlite3_io_methods *true_methods[2];

void hand_run(sqlite3 *db, const char *text)
{
	CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

int64_t hand_number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *statement = NULL;
	int64_t value;

	CHECK(sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK);
	if (sqlite3_step(statement) != SQLITE_ROW)
		print_error("%s\n", sqlite3_errmsg(db)), CHECK(0);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

bool hand_is_sound(sqlite3 *db)
{
	return hand_number(db, "SELECT count(*) FROM pragma_integrity_check() WHERE "
			       "integrity_check = 'ok'") == 1;
}

sqlite3 *hand_open(const char *file, const char *vfs)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	sqlite3 *db = NULL;

	CHECK(sqlite3_open_v2(file, &db, flags, vfs) == SQLITE_OK);
	return db;
}

static void copy_file(const char *from, const char *to)
{
	char bytes[8192];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(in >= 0 && out >= 0);
	for (ssize_t len; (len = read(in, bytes, sizeof(bytes))) > 0;)
		CHECK(write(out, bytes, (size_t)len) == len);
	close(in);
	close(out);
}

void hand_copy(const char *file, const char *copy)
{
	char log[192], copied_log[192];

	snprintf(log, sizeof(log), "%s-wal", file);
	snprintf(copied_log, sizeof(copied_log), "%s-wal", copy);
	copy_file(file, copy);
	copy_file(log, copied_log);
}

static bool is_log(const sqlite3_file *file)
{
	return file->pMethods == &counted_methods[1];
}

static int counted_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	if (len == PAGE_LEN)
		below.page_reads++;
	return true_methods[is_log(file)]->xRead(file, bytes, len, offset);
}

static int counted_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	if (is_log(file)) {
		below.log_writes++;
		if (below.is_full)
			return SQLITE_FULL;
	}
	return true_methods[is_log(file)]->xWrite(file, bytes, len, offset);
}

static int counted_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
	int code = true_vfs->xOpen(vfs, path, file, flags, out);
	bool log = (flags & SQLITE_OPEN_WAL) != 0;

	if (code != SQLITE_OK || (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB)) == 0)
		return code;
	true_methods[log] = file->pMethods;
	counted_methods[log] = *file->pMethods;
	counted_methods[log].xRead = counted_read;
	counted_methods[log].xWrite = counted_write;
	file->pMethods = &counted_methods[log];
	return code;
}

void below_begin(void)
{
	true_vfs = sqlite3_vfs_find("unix");
	counted_vfs = *true_vfs;
	counted_vfs.zName = "counted";
	counted_vfs.xOpen = counted_open;
	sqlite3_vfs_register(&counted_vfs, 1);
	below.page_reads = 0;
	below.log_writes = 0;
	below.is_full = false;
}

void below_end(void)
{
	sqlite3_vfs_unregister(&counted_vfs);
	sqlite3_vfs_register(true_vfs, 1);
}

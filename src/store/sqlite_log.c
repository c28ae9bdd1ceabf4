/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_HEAD 24
#define COMMIT_AT  4 /* in the head: how many pages the database has then; 0: no commit */
#define COMMIT_LEN 4
/* the layer below writes less than 128 KiB at a time (os_unix.c, seekAndWriteFd) */
#define GATHER_ROOM (31 * (FRAME_HEAD + 4096))

/* SQLite reserves the memory of both: the lower layer's file lies behind. */
struct log_file {
	sqlite3_file file;
	sqlite3_file *lower;
	char *room; /* gathered, and not written yet */
	sqlite3_int64 offset;
	int len;
	bool is_commit; /* what belongs to the last head is written at once */
};

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs layer, *below;

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

/* What could not be written is given up: SQLite takes the transaction back. */
static int write_gathered(struct log_file *log)
{
	int len = log->len;

	log->len = 0;
	if (len == 0)
		return SQLITE_OK;
	return log->lower->pMethods->xWrite(log->lower, log->room, len, log->offset);
}

static void gather(struct log_file *log, const void *bytes, int len, sqlite3_int64 offset)
{
	if (log->len == 0)
		log->offset = offset;
	memcpy(log->room + log->len, bytes, (size_t)len);
	log->len += len;
}

static bool commits(const char *head)
{
	static const char none[COMMIT_LEN];

	return memcmp(head + COMMIT_AT, none, COMMIT_LEN) != 0;
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	bool fits = len <= GATHER_ROOM - log->len && offset == log->offset + log->len;
	int code = fits || log->len == 0 ? SQLITE_OK : write_gathered(log);

	if (code != SQLITE_OK)
		return code;
	if (len > GATHER_ROOM)
		return log->lower->pMethods->xWrite(log->lower, bytes, len, offset);
	gather(log, bytes, len, offset);
	if (len == FRAME_HEAD)
		log->is_commit = commits(bytes);
	else if (log->is_commit)
		code = write_gathered(log);
	return code;
}

static int log_close(sqlite3_file *file)
{
	struct log_file *log = log_of(file);
	int code = write_gathered(log);
	int closed = log->lower->pMethods->xClose(log->lower);

	free(log->room);
	log->room = NULL;
	return code != SQLITE_OK ? code : closed;
}

/* --- what looks at the file or makes it last finds everything there --- */

static int log_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	int code = write_gathered(log);

	return code != SQLITE_OK ? code
				 : log->lower->pMethods->xRead(log->lower, bytes, len, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct log_file *log = log_of(file);
	int code = write_gathered(log);

	return code != SQLITE_OK ? code : log->lower->pMethods->xTruncate(log->lower, size);
}

static int log_sync(sqlite3_file *file, int flags)
{
	struct log_file *log = log_of(file);
	int code = write_gathered(log);

	return code != SQLITE_OK ? code : log->lower->pMethods->xSync(log->lower, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	struct log_file *log = log_of(file);
	int code = write_gathered(log);

	return code != SQLITE_OK ? code : log->lower->pMethods->xFileSize(log->lower, ret_size);
}

/* --- what is the lower layer's affair --- */

static int log_lock(sqlite3_file *file, int level)
{
	sqlite3_file *lower = log_of(file)->lower;

	return lower->pMethods->xLock(lower, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *lower = log_of(file)->lower;

	return lower->pMethods->xUnlock(lower, level);
}

static int log_check_lock(sqlite3_file *file, int *ret_is_reserved)
{
	sqlite3_file *lower = log_of(file)->lower;

	return lower->pMethods->xCheckReservedLock(lower, ret_is_reserved);
}

static int log_control(sqlite3_file *file, int operation, void *arg)
{
	sqlite3_file *lower = log_of(file)->lower;

	return lower->pMethods->xFileControl(lower, operation, arg);
}

static int log_sector_size(sqlite3_file *file)
{
	sqlite3_file *lower = log_of(file)->lower;

	return lower->pMethods->xSectorSize(lower);
}

static int log_characteristics(sqlite3_file *file)
{
	sqlite3_file *lower = log_of(file)->lower;

	return lower->pMethods->xDeviceCharacteristics(lower);
}

static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_check_lock,
	.xFileControl = log_control,
	.xSectorSize = log_sector_size,
	.xDeviceCharacteristics = log_characteristics,
};

static int open_log(const char *path, struct log_file *log, int flags, int *ret_flags)
{
	int code;

	*log = (struct log_file){ .lower = (sqlite3_file *)(log + 1) };
	log->room = malloc(GATHER_ROOM);
	if (log->room == NULL)
		return SQLITE_NOMEM;
	code = below->xOpen(below, path, log->lower, flags, ret_flags);
	if (code == SQLITE_OK)
		log->file.pMethods = &log_methods;
	else
		free(log->room);
	return code;
}

static int layer_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
		      int *ret_flags)
{
	(void)vfs;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return below->xOpen(below, path, file, flags, ret_flags);
	return open_log(path, log_of(file), flags, ret_flags);
}

const char *sqlite_log_layer(void)
{
	pthread_mutex_lock(&making);
	(void)sqlite3_initialize();
	(void)sqlite3_vfs_unregister(&layer);
	below = sqlite3_vfs_find(NULL);
	layer = *below;
	layer.zName = "gathered-log";
	layer.szOsFile += (int)sizeof(struct log_file);
	layer.xOpen = layer_open;
	(void)sqlite3_vfs_register(&layer, 0);
	pthread_mutex_unlock(&making);
	return layer.zName;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_layer.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "store/sqlite_log.h"
#include "store/sqlite_pages.h"

/* walformat.html, 2.3 */
#define WRITE_LOCK 0
#define READ_LOCK  3 /* the first of five; who has this one reads no log */

/*
 * An open file of one connection: the database's, or its log's. SQLite reserves the memory of it
 * and of the lower layer's file, which lies behind.
 */
struct layered {
	sqlite3_file file;
	sqlite3_file *lower;
	struct kept_pages *pages;  /* the database's, while its index is mapped; may be NULL */
	struct page_view view;	   /* the database's: of the transaction that reads */
	struct layered *other;	   /* of the two; NULL while there is none */
	struct gathered *gathered; /* the log's */
};

static pthread_mutex_t laying = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs layer, *below;

static struct layered *of(sqlite3_file *file)
{
	return (struct layered *)file;
}

static sqlite3_file *lower(sqlite3_file *file)
{
	return of(file)->lower;
}

/* --- what goes down as it came --- */

static int write_as_it_is(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	return lower(file)->pMethods->xWrite(lower(file), bytes, len, offset);
}

static int truncate_as_it_is(sqlite3_file *file, sqlite3_int64 size)
{
	return lower(file)->pMethods->xTruncate(lower(file), size);
}

static int sync_as_it_is(sqlite3_file *file, int flags)
{
	return lower(file)->pMethods->xSync(lower(file), flags);
}

static int size_as_it_is(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	return lower(file)->pMethods->xFileSize(lower(file), ret_size);
}

static int lock(sqlite3_file *file, int level)
{
	return lower(file)->pMethods->xLock(lower(file), level);
}

static int unlock(sqlite3_file *file, int level)
{
	return lower(file)->pMethods->xUnlock(lower(file), level);
}

static int check_lock(sqlite3_file *file, int *ret_is_reserved)
{
	return lower(file)->pMethods->xCheckReservedLock(lower(file), ret_is_reserved);
}

static int control(sqlite3_file *file, int operation, void *arg)
{
	return lower(file)->pMethods->xFileControl(lower(file), operation, arg);
}

static int sector_size(sqlite3_file *file)
{
	return lower(file)->pMethods->xSectorSize(lower(file));
}

static int characteristics(sqlite3_file *file)
{
	return lower(file)->pMethods->xDeviceCharacteristics(lower(file));
}

static void barrier(sqlite3_file *file)
{
	lower(file)->pMethods->xShmBarrier(lower(file));
}

/* --- the database --- */

static int database_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	const struct layered *database = of(file);
	const struct page_read read = { database->lower, bytes, len, offset };

	return pages_read_database(database->pages, &database->view, &read);
}

static int database_map(sqlite3_file *file, int region, int size, int extend,
			void volatile **ret_at)
{
	int code = lower(file)->pMethods->xShmMap(lower(file), region, size, extend, ret_at);

	if (code == SQLITE_OK && region == 0 && *ret_at != NULL && of(file)->pages == NULL)
		of(file)->pages = pages_join(*ret_at);
	return code;
}

static int database_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	struct layered *database = of(file);
	bool is_locking = (flags & SQLITE_SHM_LOCK) != 0;
	bool is_view = offset >= READ_LOCK && (flags & SQLITE_SHM_SHARED) != 0;
	int code;

	/* what was not committed by now never is, and others may write there from here on */
	if (offset == WRITE_LOCK && !is_locking && database->other != NULL)
		gathered_end(database->other->gathered);
	if (is_view)
		database->view.is_in_log = false;
	code = lower(file)->pMethods->xShmLock(lower(file), offset, count, flags);
	if (is_view && is_locking && code == SQLITE_OK && offset > READ_LOCK)
		database->view = pages_view(database->pages);
	return code;
}

static int database_unmap(sqlite3_file *file, int is_last)
{
	pages_leave(&of(file)->pages);
	return lower(file)->pMethods->xShmUnmap(lower(file), is_last);
}

static int database_close(sqlite3_file *file)
{
	pages_leave(&of(file)->pages);
	return lower(file)->pMethods->xClose(lower(file));
}

/* --- the log: what looks at the file or makes it last finds everything there --- */

static int flush(sqlite3_file *file)
{
	return gathered_flush(of(file)->gathered, lower(file));
}

static int log_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	const struct layered *database = of(file)->other;
	const struct page_read read = { lower(file), bytes, len, offset };
	int code = flush(file);

	return code != SQLITE_OK ? code : pages_read_log(database->pages, &database->view, &read);
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	return gathered_write(of(file)->gathered, lower(file), bytes, len, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = flush(file);

	return code != SQLITE_OK ? code : truncate_as_it_is(file, size);
}

static int log_sync(sqlite3_file *file, int flags)
{
	int code = flush(file);

	return code != SQLITE_OK ? code : sync_as_it_is(file, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	int code = flush(file);

	return code != SQLITE_OK ? code : size_as_it_is(file, ret_size);
}

static int log_close(sqlite3_file *file)
{
	int code = flush(file);
	int closed = lower(file)->pMethods->xClose(lower(file));

	of(file)->other->other = NULL;
	gathered_free(&of(file)->gathered);
	return code != SQLITE_OK ? code : closed;
}

/* Of the second version: without the calls that map the file. */
static const sqlite3_io_methods database_methods = {
	.iVersion = 2,
	.xClose = database_close,
	.xRead = database_read,
	.xWrite = write_as_it_is,
	.xTruncate = truncate_as_it_is,
	.xSync = sync_as_it_is,
	.xFileSize = size_as_it_is,
	.xLock = lock,
	.xUnlock = unlock,
	.xCheckReservedLock = check_lock,
	.xFileControl = control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
	.xShmMap = database_map,
	.xShmLock = database_shm_lock,
	.xShmBarrier = barrier,
	.xShmUnmap = database_unmap,
};

static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = lock,
	.xUnlock = unlock,
	.xCheckReservedLock = check_lock,
	.xFileControl = control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
};

static int open_log(const char *path, struct layered *log, int flags, int *ret_flags)
{
	int code;

	log->gathered = gathered_new();
	if (log->gathered == NULL)
		return SQLITE_NOMEM;
	code = below->xOpen(below, path, log->lower, flags, ret_flags);
	if (code != SQLITE_OK) {
		gathered_free(&log->gathered);
		return code;
	}
	log->other = of(sqlite3_database_file_object(path));
	log->other->other = log;
	log->file.pMethods = &log_methods;
	return SQLITE_OK;
}

static int open_database(const char *path, struct layered *database, int flags, int *ret_flags)
{
	int code = below->xOpen(below, path, database->lower, flags, ret_flags);

	if (code == SQLITE_OK)
		database->file.pMethods = &database_methods;
	return code;
}

static int layer_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
		      int *ret_flags)
{
	(void)vfs;
	if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
		return below->xOpen(below, path, file, flags, ret_flags);
	*of(file) = (struct layered){ .lower = (sqlite3_file *)(of(file) + 1) };
	if ((flags & SQLITE_OPEN_WAL) != 0)
		return open_log(path, of(file), flags, ret_flags);
	return open_database(path, of(file), flags, ret_flags);
}

const struct kept_pages *sqlite_layer_pages(sqlite3 *connection)
{
	sqlite3_file *file = NULL;
	int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (code != SQLITE_OK || file == NULL || file->pMethods != &database_methods)
		return NULL;
	return of(file)->pages;
}

/* Once, but for a test that puts another file system below. */
static void lay(sqlite3_vfs *lowest)
{
	if (below == lowest)
		return;
	(void)sqlite3_vfs_unregister(&layer);
	below = lowest;
	layer = *below;
	layer.zName = "grantd";
	layer.szOsFile += (int)sizeof(struct layered);
	layer.xOpen = layer_open;
	(void)sqlite3_vfs_register(&layer, 0);
}

const char *sqlite_layer(void)
{
	sqlite3_vfs *lowest;

	pthread_mutex_lock(&laying);
	(void)sqlite3_initialize();
	lowest = sqlite3_vfs_find(NULL);
	/* where SQLite has none, opening says that there is no such layer */
	if (lowest != NULL)
		lay(lowest);
	pthread_mutex_unlock(&laying);
	return "grantd";
}

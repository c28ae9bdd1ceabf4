/* SPDX-License-Identifier: Apache-2.0 */
#include "power_cut.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define INODES_MAX 256
#define FILES_MAX  64
#define PATH_MAX_  160

static const char *const endings[NAMES] = { "/grantd.db", "/grantd.db-wal", "/grantd.db-journal" };

static struct {
	pthread_mutex_t lock;
	char directory[PATH_MAX_];
	struct entry *entries;
	size_t count, room;
	int inode_of[NAMES]; /* 0: there is none */
	int inodes;
	struct {
		sqlite3_file *file;
		enum name name;
	} open[FILES_MAX];
	struct dice dice;
	sqlite3_vfs vfs;
	sqlite3_vfs *true_vfs;
	/* a log has other ones than a database: nobody locks it */
	sqlite3_io_methods methods[NAMES];
	const sqlite3_io_methods *true_methods[NAMES];
	int (*open_directory)(const char *path, int *fd);
} recorder = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void add_locked(struct entry entry)
{
	if (recorder.count == recorder.room) {
		recorder.room = recorder.room == 0 ? 1024 : 2 * recorder.room;
		recorder.entries = realloc(recorder.entries,
					   recorder.room * sizeof(*recorder.entries));
		CHECK(recorder.entries != NULL);
	}
	recorder.entries[recorder.count++] = entry;
}

static void make_locked(enum name name)
{
	recorder.inode_of[name] = ++recorder.inodes;
	CHECK(recorder.inodes < INODES_MAX);
	add_locked((struct entry){ .kind = MADE, .name = name, .inode = recorder.inodes });
}

static enum name name_of(sqlite3_file *file)
{
	enum name name = NAMES;

	pthread_mutex_lock(&recorder.lock);
	for (size_t i = 0; i < FILES_MAX; i++)
		if (recorder.open[i].file == file)
			name = recorder.open[i].name;
	pthread_mutex_unlock(&recorder.lock);
	CHECK(name < NAMES);
	return name;
}

/* Answers what does it in truth. */
static const sqlite3_io_methods *record(sqlite3_file *file, struct entry entry)
{
	entry.name = name_of(file);
	pthread_mutex_lock(&recorder.lock);
	entry.inode = recorder.inode_of[entry.name];
	add_locked(entry);
	pthread_mutex_unlock(&recorder.lock);
	return recorder.true_methods[entry.name];
}

static int recording_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	struct entry entry = { .kind = WRITTEN, .at = at, .count = (size_t)count };

	entry.bytes = malloc(entry.count);
	CHECK(entry.bytes != NULL);
	memcpy(entry.bytes, bytes, entry.count);
	return record(file, entry)->xWrite(file, bytes, count, at);
}

static int recording_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return record(file, (struct entry){ .kind = CUT_OFF, .at = size })->xTruncate(file, size);
}

/* Before it is done: nobody goes on before it is, and the directory's comes after it. */
static int recording_sync(sqlite3_file *file, int flags)
{
	return record(file, (struct entry){ .kind = SYNCED })->xSync(file, flags);
}

static int recording_close(sqlite3_file *file)
{
	enum name name = name_of(file);

	pthread_mutex_lock(&recorder.lock);
	for (size_t i = 0; i < FILES_MAX; i++)
		if (recorder.open[i].file == file)
			recorder.open[i].file = NULL;
	pthread_mutex_unlock(&recorder.lock);
	return recorder.true_methods[name]->xClose(file);
}

static bool find_name(const char *path, enum name *ret_name)
{
	size_t len = strlen(recorder.directory);

	if (path == NULL || strncmp(path, recorder.directory, len) != 0)
		return false;
	for (int name = 0; name < NAMES; name++) {
		if (strcmp(path + len, endings[name]) != 0)
			continue;
		*ret_name = (enum name)name;
		return true;
	}
	return false;
}

static void watch(sqlite3_file *file, enum name name)
{
	size_t free_place = FILES_MAX;

	pthread_mutex_lock(&recorder.lock);
	for (size_t i = 0; i < FILES_MAX; i++)
		if (recorder.open[i].file == NULL)
			free_place = i;
	CHECK(free_place < FILES_MAX);
	recorder.open[free_place].file = file;
	recorder.open[free_place].name = name;
	if (recorder.inode_of[name] == 0)
		make_locked(name);
	pthread_mutex_unlock(&recorder.lock);
}

static void take_over(sqlite3_file *file, enum name name)
{
	sqlite3_io_methods *methods = &recorder.methods[name];

	pthread_mutex_lock(&recorder.lock);
	if (recorder.true_methods[name] == NULL) {
		recorder.true_methods[name] = file->pMethods;
		*methods = *file->pMethods;
		methods->xWrite = recording_write;
		methods->xTruncate = recording_truncate;
		methods->xSync = recording_sync;
		methods->xClose = recording_close;
	}
	CHECK(recorder.true_methods[name] == file->pMethods);
	file->pMethods = methods;
	pthread_mutex_unlock(&recorder.lock);
}

static int recording_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
			  int *out)
{
	int code = recorder.true_vfs->xOpen(vfs, path, file, flags, out);
	enum name name;

	if (code != SQLITE_OK || !find_name(path, &name))
		return code;
	watch(file, name);
	take_over(file, name);
	return code;
}

static int recording_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
	enum name name;

	pthread_mutex_lock(&recorder.lock);
	if (find_name(path, &name) && recorder.inode_of[name] != 0) {
		add_locked((struct entry){ .kind = REMOVED, .name = name });
		recorder.inode_of[name] = 0;
	}
	pthread_mutex_unlock(&recorder.lock);
	return recorder.true_vfs->xDelete(vfs, path, sync_directory);
}

/* SQLite opens a directory only to sync it. */
static int recording_open_directory(const char *path, int *fd)
{
	pthread_mutex_lock(&recorder.lock);
	if (strncmp(path, recorder.directory, strlen(recorder.directory)) == 0)
		add_locked((struct entry){ .kind = DIRECTORY_SYNCED });
	pthread_mutex_unlock(&recorder.lock);
	return recorder.open_directory(path, fd);
}

/* The salts of its log: the same for the same seed. */
static int recording_randomness(sqlite3_vfs *vfs, int count, char *bytes)
{
	(void)vfs;
	pthread_mutex_lock(&recorder.lock);
	for (int i = 0; i < count; i++)
		bytes[i] = (char)dice_below(&recorder.dice, 256);
	pthread_mutex_unlock(&recorder.lock);
	return count;
}

void recorder_start(const char *directory, uint64_t seed)
{
	snprintf(recorder.directory, sizeof(recorder.directory), "%s", directory);
	recorder.dice.state = seed;
	recorder.true_vfs = sqlite3_vfs_find("unix");
	recorder.vfs = *recorder.true_vfs;
	recorder.vfs.zName = "recorder";
	recorder.vfs.xOpen = recording_open;
	recorder.vfs.xDelete = recording_delete;
	recorder.vfs.xRandomness = recording_randomness;
	recorder.open_directory = (int (*)(const char *, int *))recorder.true_vfs->xGetSystemCall(
		recorder.true_vfs, "openDirectory");
	CHECK(recorder.true_vfs->xSetSystemCall(recorder.true_vfs, "openDirectory",
						(sqlite3_syscall_ptr)recording_open_directory) ==
	      SQLITE_OK);
	CHECK(sqlite3_vfs_register(&recorder.vfs, 1) == SQLITE_OK);
	sqlite3_randomness(0, NULL); /* begins anew, from our dice */
}

void recorder_stop(void)
{
	sqlite3_vfs_unregister(&recorder.vfs);
	sqlite3_vfs_register(recorder.true_vfs, 1);
	recorder.true_vfs->xSetSystemCall(recorder.true_vfs, "openDirectory", NULL);
}

void recorder_free(void)
{
	for (size_t i = 0; i < recorder.count; i++)
		free(recorder.entries[i].bytes);
	free(recorder.entries);
	recorder.entries = NULL;
	recorder.count = recorder.room = 0;
	recorder.inodes = 0;
	memset(recorder.inode_of, 0, sizeof(recorder.inode_of));
}

size_t recorder_length(void)
{
	size_t count;

	pthread_mutex_lock(&recorder.lock);
	count = recorder.count;
	pthread_mutex_unlock(&recorder.lock);
	return count;
}

const struct entry *recorder_entries(void)
{
	return recorder.entries;
}

const char *recorder_ending(enum name name)
{
	return endings[name];
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding a root key to its file, and taking one out. The whole text is written beside it and takes
 * its place at once, so that a kill -9 leaves the old file or the new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/random.h"
#include "crypto/root_file.h"
#include "crypto/sodium_ready.h"

/* The text of a root file, and what it says. Wiped by its owner. */
struct change {
	struct str path;
	char text[ROOT_FILE_MAX];
	size_t len;
	struct root roots[ROOTS_MAX];
	size_t count;
};

static enum err write_beside(struct task *task, const struct change *change, const char *fresh)
{
	CLEANUP(root_file_close) int fd = -1;
	struct stat status;

	if (stat(str_to_c(&task->arena, change->path), &status) != 0)
		return failf(task, ERR_IO, "the root key %.*s cannot be looked at: %s",
			     STR_FMT(change->path), strerrordesc_np(errno));
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fchown(fd, status.st_uid, status.st_gid) != 0 ||
	    fchmod(fd, status.st_mode & 0700) != 0 ||
	    !root_file_write(fd, (struct str){ change->text, change->len }))
		return failf(task, ERR_IO, "%s cannot be written: %s", fresh,
			     strerrordesc_np(errno));
	return OK;
}

static enum err replace(struct task *task, const struct change *change)
{
	const char *final = str_to_c(&task->arena, change->path);
	struct str fresh = STR_JOIN(&task->arena, change->path, STR(".new"));
	enum err err = write_beside(task, change, fresh.at);

	if (err == OK && rename(fresh.at, final) != 0)
		err = failf(task, ERR_IO, "%s cannot be replaced: %s", final,
			    strerrordesc_np(errno));
	if (err != OK)
		(void)unlink(fresh.at);
	else if (!root_file_sync_folder(task, change->path))
		err = fail(task, ERR_IO, "the folder of the root key cannot be synchronised");
	return err;
}

static enum err add(struct task *task, struct change *change, uint32_t *number)
{
	size_t room = sizeof(change->text) - change->len;
	uint8_t bytes[ROOT_LEN];
	char spelled[64];
	int written;

	if (change->count == ROOTS_MAX)
		return failf(task, ERR_CONFLICT,
			     "%.*s holds %d keys, more are not allowed; retire one",
			     STR_FMT(change->path), ROOTS_MAX);
	*number = change->roots[change->count - 1].number;
	if (*number == UINT32_MAX)
		return fail(task, ERR_CONFLICT, "there is no number behind that of the last key");
	*number += 1;
	random_bytes(bytes, sizeof(bytes));
	(void)sodium_bin2base64(spelled, sizeof(spelled), bytes, sizeof(bytes),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	written = snprintf(change->text + change->len, room, "%s%u %s\n",
			   change->text[change->len - 1] == '\n' ? "" : "\n", *number, spelled);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(spelled, sizeof(spelled));
	if (written < 0 || (size_t)written >= room)
		return failf(task, ERR_CONFLICT, "%.*s has no room for a further key",
			     STR_FMT(change->path));
	change->len += (size_t)written;
	return OK;
}

static void cut(struct change *change, struct str line, struct str rest)
{
	size_t at = (size_t)(line.at - change->text);

	if (rest.len > 0)
		memmove(change->text + at, rest.at, rest.len);
	change->len = at + rest.len;
}

/* The line of that number goes, all others stay as they are written. */
static enum err remove_line(struct task *task, struct change *change, uint32_t *number)
{
	struct str line = STR_NONE, rest = { change->text, change->len }, first, value;
	struct str wanted = str_printf(&task->arena, "%u", *number);

	while (str_next(&rest, '\n', &line)) {
		value = line;
		if (line.len == 0 || !str_next(&value, ' ', &first) || !str_equals(first, wanted))
			continue;
		if (change->count == 1)
			return failf(task, ERR_CONFIG,
				     "root key %u is the only one in %.*s and stays", *number,
				     STR_FMT(change->path));
		cut(change, line, rest);
		return OK;
	}
	return failf(task, ERR_CONFIG, "%.*s has no root key %u", STR_FMT(change->path), *number);
}

typedef enum err change_fn(struct task *task, struct change *change, uint32_t *number);

static enum err change_locked(struct task *task, struct change *change, change_fn *fn,
			      uint32_t *number)
{
	TRY(root_file_read_text(task, change->path, change->text, &change->len));
	TRY(root_file_parse(task, change->path, (struct str){ change->text, change->len },
			    change->roots, &change->count));
	TRY(fn(task, change, number));
	return replace(task, change);
}

/* The file itself, where the path is a link to it: the link stays one. */
static struct str resolve(struct task *task, struct str path)
{
	char real[PATH_MAX];

	if (realpath(str_to_c(&task->arena, path), real) == NULL)
		return path; /* what is wrong with it is said when it is read */
	return str_copy(&task->arena, str_from_c(real));
}

/* Who changes it at the same time is refused: neither undoes what the other did. */
static enum err change_file(struct task *task, struct str file, change_fn *fn, uint32_t *number)
{
	struct str path = resolve(task, file);
	struct change change = { .path = path };
	CLEANUP(root_file_close) int folder = root_file_open_folder(task, path);
	enum err err;

	sodium_ready();
	if (folder < 0)
		return failf(task, ERR_IO, "the folder of %.*s cannot be opened: %s", STR_FMT(path),
			     strerrordesc_np(errno));
	if (flock(folder, LOCK_EX | LOCK_NB) != 0)
		return failf(task, ERR_CONFLICT, "%.*s is being changed by somebody else",
			     STR_FMT(path));
	err = change_locked(task, &change, fn, number);
	sodium_memzero(&change, sizeof(change));
	return err;
}

enum err keys_add_root(struct task *task, struct str file, uint32_t *ret_number)
{
	uint32_t number = 0;

	TRY(change_file(task, file, add, &number));
	*ret_number = number;
	return OK;
}

enum err keys_remove_root(struct task *task, struct str file, uint32_t number)
{
	return change_file(task, file, remove_line, &number);
}

/* Only what nobody is at: who changes the file holds the lock. */
void root_file_tidy(struct task *task, struct str file)
{
	struct str path = resolve(task, file);
	CLEANUP(root_file_close) int folder = root_file_open_folder(task, path);

	if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0)
		(void)unlink(STR_JOIN(&task->arena, path, STR(".new")).at);
}

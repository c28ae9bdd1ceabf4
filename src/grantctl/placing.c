/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a resource, put in its place by who may write there, before the daemon is asked to
 * take it up: so the daemon need not believe its admin socket what commands are to be run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "config/resource.h"
#include "grantctl/ctl.h"

static enum err fail_at(struct task *task, const struct placing *placing, const char *name)
{
	return failf(task, ERR_CONFIG, "%.*s/%s: %s", STR_FMT(placing->path), name,
		     strerror(errno));
}

/* Owned as its folder is: who asks is root, or grantd's own user. */
static enum err write_new(struct task *task, const struct placing *placing, struct str text)
{
	struct stat folder;
	int fd;
	bool is_written;

	(void)unlinkat(placing->folder, placing->new_name, 0); /* what a crash may have left */
	fd = openat(placing->folder, placing->new_name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_at(task, placing, placing->new_name);
	is_written = fstat(placing->folder, &folder) == 0 &&
		     (geteuid() != 0 || fchown(fd, folder.st_uid, folder.st_gid) == 0) &&
		     file_write_all(fd, text) == OK && fsync(fd) == 0;
	close(fd);
	return is_written ? OK : fail_at(task, placing, placing->new_name);
}

/* The old one stays beside it, under another name, as long as nobody knows how it ends. */
static enum err keep_old(struct task *task, struct placing *placing)
{
	(void)unlinkat(placing->folder, placing->old_name, 0);
	placing->has_old = linkat(placing->folder, placing->name, placing->folder,
				  placing->old_name, 0) == 0;
	return placing->has_old || errno == ENOENT ? OK : fail_at(task, placing, placing->old_name);
}

enum err placing_begin(struct task *task, struct str dir, struct str name, struct str text,
		       struct placing *ret_placing)
{
	struct placing placing = { .folder = -1 };

	*ret_placing = placing;
	if (dir.at == NULL || !resource_name_is_valid(name))
		return OK;
	placing.path = STR_JOIN(&task->arena, dir, STR("/resources"));
	placing.folder = open(str_to_c(&task->arena, placing.path),
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* the daemon says what to do about it, if that is needed at all */
	if (placing.folder < 0 || faccessat(placing.folder, ".", W_OK, AT_EACCESS) != 0) {
		placing_end(&placing);
		return OK;
	}
	*ret_placing = placing;
	ret_placing->name = str_to_c(&task->arena, STR_JOIN(&task->arena, name, STR(".json")));
	ret_placing->new_name = str_to_c(&task->arena,
					 STR_JOIN(&task->arena, name, STR(".json.new")));
	ret_placing->old_name = str_to_c(&task->arena,
					 STR_JOIN(&task->arena, name, STR(".json.old")));
	TRY(write_new(task, ret_placing, text));
	TRY(keep_old(task, ret_placing));
	if (renameat(ret_placing->folder, ret_placing->new_name, ret_placing->folder,
		     ret_placing->name) != 0)
		return fail_at(task, ret_placing, ret_placing->name);
	ret_placing->is_placed = true;
	return fsync(ret_placing->folder) == 0 ? OK : fail_at(task, ret_placing, "");
}

void placing_undo(const struct placing *placing)
{
	int result;

	if (!placing->is_placed)
		return;
	result = placing->has_old ? renameat(placing->folder, placing->old_name, placing->folder,
					     placing->name)
				  : unlinkat(placing->folder, placing->name, 0);
	if (result != 0 || fsync(placing->folder) != 0)
		fprintf(stderr, "grantctl resource add: %.*s/%s was not put back: %s\n",
			STR_FMT(placing->path), placing->name, strerror(errno));
}

void placing_end(struct placing *placing)
{
	if (placing->folder < 0)
		return;
	if (placing->has_old)
		(void)unlinkat(placing->folder, placing->old_name, 0);
	if (placing->name != NULL && !placing->is_placed)
		(void)unlinkat(placing->folder, placing->new_name, 0);
	close(placing->folder);
	placing->folder = -1;
}

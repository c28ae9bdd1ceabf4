/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/wallet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/entry.h"
#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "grant_cli/login_text.h"

#define FILE_SUFFIX ".json"
#define LOCK_WAIT   (30 * SECOND_MS)
#define LOCK_PAUSE  5000 /* µs */

static enum err fail_io(struct task *task, const char *what, struct str path)
{
	return failf(task, ERR_STORE, "cannot %s %.*s: %s", what, STR_FMT(path), strerror(errno));
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void dir_close(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
	*dir = NULL;
}

/* Makes each missing directory on the way to dir. */
static enum err make_dirs(struct task *task, struct str dir)
{
	for (size_t end = 1; end <= dir.len; end++) {
		const char *path;

		if (end < dir.len && dir.at[end] != '/')
			continue;
		path = str_to_c(&task->arena, str_sub(dir, 0, end));
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return fail_io(task, "make the directory", str_from_c(path));
	}
	return OK;
}

enum err wallet_open(struct task *task, struct str dir, bool create, struct wallet *ret_wallet)
{
	CLEANUP(fd_close) int fd = -1;
	struct stat info;

	if (create)
		TRY(make_dirs(task, dir));
	fd = open(str_to_c(&task->arena, dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fail(task, ERR_NOT_FOUND, "not logged in anywhere (see grant login --help)");
	if (fd < 0 || fstat(fd, &info) != 0)
		return fail_io(task, "open the directory", dir);
	if (info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return failf(
			task, ERR_STORE,
			"%.*s belongs to or can be changed by others: chown it to you, chmod 700",
			STR_FMT(dir));
	*ret_wallet = (struct wallet){ .dir = str_copy(&task->arena, dir), .fd = fd };
	fd = -1;
	return OK;
}

void wallet_close(struct wallet *wallet)
{
	fd_close(&wallet->fd);
}

struct str wallet_file(struct task *task, struct str issuer, struct str client_id,
		       struct str resource)
{
	struct str key = STR_JOIN(&task->arena, issuer, STR("\n"), client_id, STR("\n"), resource);
	struct str digest = sha256_str(&task->arena, key);

	return STR_JOIN(&task->arena, base64url_encode(&task->arena, str_sub(digest, 0, 18)),
			STR(FILE_SUFFIX));
}

static enum err read_all(struct task *task, int fd, struct str path, struct str *ret_text)
{
	struct buf text = buf_in(&task->arena, LOGIN_TEXT_MAX);
	char bytes[4096];
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(&text, (struct str){ bytes, (size_t)got });
	explicit_bzero(bytes, sizeof(bytes));
	if (got < 0)
		return fail_io(task, "read", path);
	return buf_finish(&text, ret_text);
}

enum err wallet_read(struct task *task, const struct wallet *wallet, struct str file,
		     struct login *ret_login)
{
	CLEANUP(fd_close)
	int fd = openat(wallet->fd, str_to_c(&task->arena, file),
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct str path = STR_JOIN(&task->arena, wallet->dir, STR("/"), file), text = STR_NONE;
	struct login login;
	struct stat info;

	if (fd < 0 && errno == ENOENT)
		return fail(task, ERR_NOT_FOUND, "this log-in is gone (somebody logged out)");
	if (fd < 0 || fstat(fd, &info) != 0)
		return fail_io(task, "open", path);
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0)
		return failf(task, ERR_STORE,
			     "%.*s is not a file that is yours alone: remove it, log in again",
			     STR_FMT(path));
	TRY(read_all(task, fd, path, &text));
	if (login_parse(task, text, &login) != OK) {
		struct str why = task->reason;

		task_forgive(task);
		return failf(task, ERR_STORE, "%.*s is damaged: %.*s; remove it, log in again",
			     STR_FMT(path), STR_FMT(why));
	}
	login.file = str_copy(&task->arena, file);
	*ret_login = login;
	return OK;
}

static int compare_age(const void *a, const void *b)
{
	const struct login *left = a, *right = b;

	if (left->created_at != right->created_at)
		return left->created_at < right->created_at ? -1 : 1;
	return str_compare(left->file, right->file);
}

enum err wallet_list(struct task *task, const struct wallet *wallet, struct login **ret_logins,
		     size_t *ret_count)
{
	struct login *logins = NEW_ARRAY(&task->arena, struct login, WALLET_LOGINS_MAX);
	CLEANUP(dir_close) DIR *dir = opendir(str_to_c(&task->arena, wallet->dir));
	const struct dirent *entry;
	size_t count = 0;

	if (dir == NULL)
		return fail_io(task, "read the directory", wallet->dir);
	while (count < WALLET_LOGINS_MAX && (entry = entry_next(dir)) != NULL) {
		struct str name = str_from_c(entry->d_name);
		enum err err;

		if (name.at[0] == '.' || !str_ends_with(name, STR(FILE_SUFFIX)))
			continue;
		err = wallet_read(task, wallet, name, &logins[count]);
		if (err == OK)
			count++;
		else if (err != ERR_NOT_FOUND)
			return err;
		else
			task_forgive(task);
	}
	if (count < WALLET_LOGINS_MAX && errno != 0)
		return fail_io(task, "read the directory", wallet->dir);
	qsort(logins, count, sizeof(*logins), compare_age);
	*ret_logins = logins;
	*ret_count = count;
	return OK;
}

static bool names(struct str wanted, struct str resource)
{
	size_t tail = resource.len;

	if (wanted.at == NULL || str_equals(wanted, resource))
		return true;
	while (tail > 0 && resource.at[tail - 1] != '/')
		tail--;
	return tail > 0 && str_equals(wanted, str_from(resource, tail));
}

enum err wallet_find(struct task *task, const struct wallet *wallet, struct str resource,
		     struct login *ret_login)
{
	struct login *logins = NULL, *found = NULL;
	size_t count = 0;

	TRY(wallet_list(task, wallet, &logins, &count));
	for (size_t i = 0; i < count; i++) {
		if (!names(resource, logins[i].resource))
			continue;
		if (found != NULL)
			return fail(task, ERR_CONFLICT,
				    "there are several log-ins: say which with --resource "
				    "(grant list shows them)");
		found = &logins[i];
	}
	if (found == NULL && resource.at != NULL)
		return failf(task, ERR_NOT_FOUND, "not logged in for %.*s (see grant login --help)",
			     STR_FMT(resource));
	if (found == NULL)
		return fail(task, ERR_NOT_FOUND, "not logged in anywhere (see grant login --help)");
	*ret_login = *found;
	return OK;
}

static enum err write_all(struct task *task, int fd, struct str text, struct str name)
{
	while (text.len > 0) {
		ssize_t done = write(fd, text.at, text.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail_io(task, "write", name);
		text = str_from(text, (size_t)done);
	}
	if (fsync(fd) != 0)
		return fail_io(task, "write", name);
	return OK;
}

/* The new text on disk under a name of its own, ready to take the place of the old one. */
static enum err write_draft(struct task *task, const struct wallet *wallet,
			    const struct login *login, struct str *ret_name)
{
	struct str name = STR_JOIN(&task->arena, STR("."), login->file,
				   random_id(&task->arena, "."));
	CLEANUP(fd_close) int fd = -1;
	struct str text = STR_NONE;
	enum err err;

	TRY(login_print(task, login, &text));
	fd = openat(wallet->fd, name.at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return fail_io(task, "write in", wallet->dir);
	err = write_all(task, fd, text, name);
	if (err != OK) {
		unlinkat(wallet->fd, name.at, 0);
		return err;
	}
	*ret_name = name;
	return OK;
}

static enum err put_in_place(struct task *task, const struct wallet *wallet, struct str draft,
			     struct str file)
{
	if (renameat(wallet->fd, draft.at, wallet->fd, str_to_c(&task->arena, file)) != 0)
		return fail_io(task, "replace", file);
	if (fsync(wallet->fd) != 0)
		return fail_io(task, "write in", wallet->dir);
	return OK;
}

/* ERR_CONFLICT unless the stored log-in still has that refresh token. */
static enum err check_follows(struct task *task, const struct wallet *wallet, struct str file,
			      struct str follows)
{
	struct login stored;

	TRY(wallet_read(task, wallet, file, &stored));
	if (!str_equals(stored.refresh_token, follows))
		return fail(task, ERR_CONFLICT, "another process refreshed meanwhile");
	return OK;
}

enum err wallet_replace(struct task *task, const struct wallet *wallet, const struct login *login,
			struct str follows)
{
	struct str draft = STR_NONE;
	enum err err;

	TRY(write_draft(task, wallet, login, &draft));
	err = check_follows(task, wallet, login->file, follows);
	if (err == OK)
		err = put_in_place(task, wallet, draft, login->file);
	if (err != OK)
		unlinkat(wallet->fd, draft.at, 0);
	return err;
}

enum err wallet_put(struct task *task, const struct wallet *wallet, const struct login *login)
{
	struct str draft = STR_NONE;
	enum err err;

	TRY(write_draft(task, wallet, login, &draft));
	err = put_in_place(task, wallet, draft, login->file);
	if (err != OK)
		unlinkat(wallet->fd, draft.at, 0);
	return err;
}

/* Drafts of processes that were killed hold tokens too. */
static enum err remove_drafts(struct task *task, const struct wallet *wallet, struct str file)
{
	struct str prefix = STR_JOIN(&task->arena, STR("."), file, STR("."));
	CLEANUP(dir_close) DIR *dir = opendir(str_to_c(&task->arena, wallet->dir));
	const struct dirent *entry;

	while (dir != NULL && (entry = entry_next(dir)) != NULL) {
		if (str_starts_with(str_from_c(entry->d_name), prefix))
			unlinkat(wallet->fd, entry->d_name, 0);
	}
	if (dir == NULL || errno != 0)
		return fail_io(task, "look for drafts in", wallet->dir);
	return OK;
}

enum err wallet_remove(struct task *task, const struct wallet *wallet, struct str file)
{
	enum err err;

	if (unlinkat(wallet->fd, str_to_c(&task->arena, file), 0) != 0 && errno != ENOENT)
		return fail_io(task, "delete", file);
	/* what is deleted is so on disk, whether or not drafts can be looked for */
	err = remove_drafts(task, wallet, file);
	if (fsync(wallet->fd) != 0)
		return fail_io(task, "write in", wallet->dir);
	return err;
}

int wallet_lock(struct task *task, const struct wallet *wallet, struct str file)
{
	struct str name = STR_JOIN(&task->arena, file, STR(".lock"));
	int64_t deadline = clock_monotonic() + LOCK_WAIT;
	int fd = openat(wallet->fd, name.at, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			fd_close(&fd);
		else if (clock_monotonic() >= deadline)
			fd_close(&fd);
		else
			usleep(LOCK_PAUSE);
	}
	return fd;
}

void wallet_unlock(int *lock)
{
	fd_close(lock);
}

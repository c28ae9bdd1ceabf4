/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/root_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/random.h"
#include "crypto/sodium_ready.h"

#define FILE_MAX     ROOT_FILE_MAX
#define BASE64_CHARS 43
#define MODE_OTHERS  (S_IRWXG | S_IRWXO)

static const char comment[] =
	"# grantd's root key. Whoever has it and the database can read everything in\n"
	"# it; without it the database cannot be used. Keep a copy apart from both.\n";

void root_file_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static enum err check_file(struct task *task, struct str path, int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return failf(task, ERR_CONFIG, "the root key %.*s is not a regular file",
			     STR_FMT(path));
	if ((status.st_mode & MODE_OTHERS) != 0)
		return failf(task, ERR_CONFIG,
			     "the root key %.*s is open to other users: run chmod 600 %.*s, and if "
			     "others may have read it, replace the key",
			     STR_FMT(path), STR_FMT(path));
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return failf(task, ERR_CONFIG,
			     "the root key %.*s belongs to another user: chown it to the user that "
			     "runs grantd",
			     STR_FMT(path));
	if (status.st_size > FILE_MAX)
		return failf(task, ERR_CONFIG, "%.*s is too large for a root key file",
			     STR_FMT(path));
	return OK;
}

enum err root_file_read_text(struct task *task, struct str path, char text[FILE_MAX],
			     size_t *ret_len)
{
	/* Non-blocking: a pipe in this place must not hang the start. */
	CLEANUP(root_file_close)
	int fd = open(str_to_c(&task->arena, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len = 0;
	ssize_t got;

	if (fd < 0 && errno == ENOENT)
		return failf(task, ERR_CONFIG,
			     "the root key %.*s is missing: put it back from its copy, or run "
			     "grantd init for a new installation",
			     STR_FMT(path));
	if (fd < 0)
		return failf(task, ERR_CONFIG, "the root key %.*s cannot be opened: %s",
			     STR_FMT(path), strerrordesc_np(errno));
	TRY(check_file(task, path, fd));
	while ((got = read(fd, text + len, FILE_MAX - len)) != 0) {
		if (got < 0 && errno != EINTR)
			return failf(task, ERR_CONFIG, "the root key %.*s cannot be read: %s",
				     STR_FMT(path), strerrordesc_np(errno));
		len += got > 0 ? (size_t)got : 0;
		if (len == FILE_MAX)
			return failf(task, ERR_CONFIG, "%.*s is too large for a root key file",
				     STR_FMT(path));
	}
	*ret_len = len;
	return OK;
}

/* "NUMBER BASE64URL" without anything else. */
static bool parse_line(struct str line, struct root *root)
{
	struct str number = STR_NONE;
	uint64_t value;
	size_t len;

	if (!str_next(&line, ' ', &number) || line.len != BASE64_CHARS ||
	    !str_to_u64(number, UINT32_MAX, &value) || value == 0)
		return false;
	root->number = (uint32_t)value;
	return sodium_base642bin(root->bytes, ROOT_LEN, line.at, line.len, NULL, &len, NULL,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       len == ROOT_LEN;
}

/* Keeps the order of numbers; false for one that is there already. */
static bool insert(struct root *roots, size_t count, const struct root *root)
{
	size_t at = count;

	while (at > 0 && roots[at - 1].number > root->number)
		at--;
	if (at > 0 && roots[at - 1].number == root->number)
		return false;
	memmove(&roots[at + 1], &roots[at], (count - at) * sizeof(*roots));
	roots[at] = *root;
	return true;
}

enum err root_file_parse(struct task *task, struct str path, struct str text, struct root *roots,
			 size_t *ret_count)
{
	struct root root = { 0 };
	struct str line = STR_NONE;
	size_t count = 0;
	enum err err = OK;

	for (unsigned number = 1; err == OK && str_next(&text, '\n', &line); number++) {
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (count == ROOTS_MAX)
			err = failf(task, ERR_CONFIG, "%.*s has more than %d keys", STR_FMT(path),
				    ROOTS_MAX);
		else if (!parse_line(line, &root) || !insert(roots, count, &root))
			err = failf(task, ERR_CONFIG,
				    "%.*s, line %u: expected a new number and 43 characters of "
				    "base64url; put the file back from its copy",
				    STR_FMT(path), number);
		else
			count++;
	}
	sodium_memzero(&root, sizeof(root));
	if (err == OK && count == 0)
		err = failf(task, ERR_CONFIG, "%.*s holds no key: put it back from its copy",
			    STR_FMT(path));
	if (err == OK)
		*ret_count = count;
	return err;
}

enum err root_file_read(struct task *task, struct str path, struct root *roots, size_t *ret_count)
{
	char text[FILE_MAX];
	size_t len = 0;
	enum err err = root_file_read_text(task, path, text, &len);

	if (err == OK)
		err = root_file_parse(task, path, (struct str){ text, len }, roots, ret_count);
	sodium_memzero(text, sizeof(text));
	return err;
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text += done;
		len -= (size_t)done;
	}
	return true;
}

bool root_file_write(int fd, struct str text)
{
	return write_all(fd, text.at, text.len) && fsync(fd) == 0;
}

static bool write_key(int fd)
{
	uint8_t bytes[ROOT_LEN];
	char line[2 + BASE64_CHARS + 1] = "1 ";
	bool is_written;

	random_bytes(bytes, sizeof(bytes));
	(void)sodium_bin2base64(line + 2, BASE64_CHARS + 1, bytes, sizeof(bytes),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	line[sizeof(line) - 1] = '\n';
	is_written = write_all(fd, comment, sizeof(comment) - 1) &&
		     root_file_write(fd, (struct str){ line, sizeof(line) });
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(line, sizeof(line));
	return is_written;
}

int root_file_open_folder(struct task *task, struct str path)
{
	size_t end = path.len;

	while (end > 0 && path.at[end - 1] != '/')
		end--;
	return open(end == 0 ? "." : str_to_c(&task->arena, str_sub(path, 0, end)),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool root_file_sync_folder(struct task *task, struct str path)
{
	CLEANUP(root_file_close) int fd = root_file_open_folder(task, path);

	return fd >= 0 && fsync(fd) == 0;
}

/* text: of another root file; STR_NONE: a new key. */
static enum err create(struct task *task, struct str path, const char *fresh, struct str text)
{
	const char *final = str_to_c(&task->arena, path);
	CLEANUP(root_file_close)
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fchmod(fd, 0600) != 0 ||
	    !(text.at == NULL ? write_key(fd) : root_file_write(fd, text)))
		return failf(task, ERR_IO, "%s cannot be written: %s", fresh,
			     strerrordesc_np(errno));
	if (link(fresh, final) == 0)
		return OK;
	if (errno == EEXIST)
		return failf(task, ERR_CONFLICT, "%s is there already and stays as it is", final);
	return failf(task, ERR_IO, "%s cannot be written: %s", final, strerrordesc_np(errno));
}

/*
 * Under another name first, then linked: a kill -9 leaves the whole key or none, and none is
 * overwritten.
 */
static enum err put_root(struct task *task, struct str file, struct str text)
{
	struct str fresh = STR_JOIN(&task->arena, file, STR(".new"));
	enum err err;

	(void)unlink(fresh.at);
	err = create(task, file, fresh.at, text);
	(void)unlink(fresh.at);
	if (err == OK && !root_file_sync_folder(task, file))
		return fail(task, ERR_IO, "the folder of the root key cannot be synchronised");
	return err;
}

enum err keys_create_root(struct task *task, struct str file)
{
	return put_root(task, file, STR_NONE);
}

enum err keys_copy_root(struct task *task, struct str from, struct str file)
{
	struct root roots[ROOTS_MAX];
	char text[FILE_MAX];
	size_t len = 0, count = 0;
	enum err err = root_file_read_text(task, from, text, &len);

	if (err == OK)
		err = root_file_parse(task, from, (struct str){ text, len }, roots, &count);
	if (err == OK)
		err = put_root(task, file, (struct str){ text, len });
	sodium_memzero(text, sizeof(text));
	sodium_memzero(roots, sizeof(roots));
	return err;
}

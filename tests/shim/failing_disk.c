/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails, beneath the real daemon (LD_PRELOAD): the file named by GRANTD_FAILING_DISK
 * says which call answers EIO, and for which files, by a part of their path: "sync grantd.db-wal",
 * "read grantd.db" or "write pg_wal". Empty or absent: the disk is sound. It may change any time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ORDER_MAX 64
#define PATH_LEN  512

static bool read_order(char order[ORDER_MAX])
{
	const char *file = getenv("GRANTD_FAILING_DISK");
	int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, order, ORDER_MAX - 1);
	close(fd);
	order[len > 0 ? len : 0] = '\0';
	order[strcspn(order, "\n")] = '\0';
	return len > 0;
}

static bool fails(const char *call, int fd)
{
	char order[ORDER_MAX];
	char link[32];
	char path[PATH_LEN];
	ssize_t len;
	size_t call_len = strlen(call);
	int saved = errno;

	if (!read_order(order) || strncmp(order, call, call_len) != 0 || order[call_len] != ' ')
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	errno = saved;
	return strstr(path, order + call_len + 1) != NULL;
}

static int fail_with_eio(void)
{
	errno = EIO;
	return -1;
}

int fdatasync(int fd)
{
	static int (*truly)(int);

	if (fails("sync", fd))
		return fail_with_eio();
	if (truly == NULL)
		truly = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	return truly(fd);
}

int fsync(int fd)
{
	static int (*truly)(int);

	if (fails("sync", fd))
		return fail_with_eio();
	if (truly == NULL)
		truly = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	return truly(fd);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
	static ssize_t (*truly)(int, void *, size_t, off64_t);

	if (fails("read", fd))
		return fail_with_eio();
	if (truly == NULL)
		truly = (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
	return truly(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	static ssize_t (*truly)(int, const void *, size_t, off64_t);

	if (fails("write", fd))
		return fail_with_eio();
	if (truly == NULL)
		truly = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT,
									      "pwrite64");
	return truly(fd, bytes, count, at);
}

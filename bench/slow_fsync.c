/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a server that is measured: each fsync takes 2 ms longer, as on a cloud disk. What
 * the call does, and what it answers, stays as it is.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define SLOWER_NS 2000000L

__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd);
__attribute__((visibility("default"))) int sync_file_range(int fd, off64_t offset, off64_t bytes,
							   unsigned flags);

typedef int sync_fn(int fd);
typedef int sync_range_fn(int fd, off64_t offset, off64_t bytes, unsigned flags);

static void wait_longer(void)
{
	struct timespec longer = { .tv_nsec = SLOWER_NS };

	while (nanosleep(&longer, &longer) != 0)
		continue;
}

int fsync(int fd)
{
	wait_longer();
	return ((sync_fn *)dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
	wait_longer();
	return ((sync_fn *)dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags)
{
	wait_longer();
	return ((sync_range_fn *)dlsym(RTLD_NEXT, "sync_file_range"))(fd, offset, bytes, flags);
}

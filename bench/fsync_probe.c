/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsync_probe FILE: prints how long one fdatasync behind a small write takes here, in µs, the
 * median of 101.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outside.h"

#define ROUNDS 101

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
	char page[4096] = "";
	int64_t times[ROUNDS];
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t begin = now_ns();

		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page) || fdatasync(fd) != 0)
			die("%s", strerror(errno));
		times[i] = now_ns() - begin;
	}
	close(fd);
	unlink(argv[1]);
	qsort(times, ROUNDS, sizeof(*times), by_size);
	printf("%lld\n", (long long)times[ROUNDS / 2] / 1000);
	return 0;
}

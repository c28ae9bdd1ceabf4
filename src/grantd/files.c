/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/files.h"

#include <sys/resource.h>

/* of each thread: a connection to the database, which with SQLite is three files */
#define FILES_OF_A_THREAD 4
#define FILES_OF_A_LOOP	  8
/* listeners, log, lock files, certificates while they are read, calls out */
#define FILES_OF_ALL 32

void files_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* without it there are fewer connections, nothing worse */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

unsigned files_connections(unsigned loops, unsigned threads, unsigned most)
{
	rlim_t kept = FILES_OF_ALL + threads * FILES_OF_A_THREAD + loops * FILES_OF_A_LOOP;
	struct rlimit limit;
	rlim_t each;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return most;
	each = limit.rlim_cur > kept ? (limit.rlim_cur - kept) / loops : 1;
	if (each < 1)
		each = 1;
	return each < most ? (unsigned)each : most;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password_memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include "base/clock.h"

#define REST_MS MINUTE_MS

/* Lies at the start of the memory itself. */
struct spare {
	struct spare *next;
	size_t len;
	int64_t since; /* monotonic */
};

static pthread_mutex_t sparing = PTHREAD_MUTEX_INITIALIZER;
static struct spare *spares; /* the latest first */

static struct spare *take_spare(size_t len)
{
	struct spare *spare;

	pthread_mutex_lock(&sparing);
	spare = spares;
	if (spare != NULL && spare->len == len)
		spares = spare->next;
	else
		spare = NULL;
	pthread_mutex_unlock(&sparing);
	return spare;
}

int password_memory_take(uint8_t **ret_memory, size_t len)
{
	void *memory = take_spare(len);

	if (memory == NULL)
		memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	if (memory == MAP_FAILED)
		return -1;
	*ret_memory = memory;
	return 0;
}

void password_memory_give(uint8_t *memory, size_t len)
{
	struct spare *spare = (struct spare *)memory;

	*spare = (struct spare){ .len = len, .since = clock_monotonic() };
	pthread_mutex_lock(&sparing);
	spare->next = spares;
	spares = spare;
	pthread_mutex_unlock(&sparing);
}

/* The rest of the list behind one that has lain long enough has lain longer. */
static struct spare *cut_old(int64_t now)
{
	struct spare **at, *old;

	pthread_mutex_lock(&sparing);
	at = &spares;
	while (*at != NULL && now - (*at)->since < REST_MS)
		at = &(*at)->next;
	old = *at;
	*at = NULL;
	pthread_mutex_unlock(&sparing);
	return old;
}

void password_memory_rest(int64_t now)
{
	struct spare *old = cut_old(now);

	while (old != NULL) {
		struct spare *next = old->next;

		(void)munmap(old, old->len);
		old = next;
	}
}

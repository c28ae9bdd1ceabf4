/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sodium_ready.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

static void start(void)
{
	if (sodium_init() < 0)
		abort();
}

void sodium_ready(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, start) != 0)
		abort();
}

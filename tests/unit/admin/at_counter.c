/* SPDX-License-Identifier: Apache-2.0 */
#include "at_counter.h"

struct counter counter;

int counter_start(void **state)
{
	(void)state;
	counter_open(&counter);
	return 0;
}

int counter_end(void **state)
{
	(void)state;
	counter_close(&counter);
	return 0;
}

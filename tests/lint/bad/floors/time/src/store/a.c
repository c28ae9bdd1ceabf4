/* SPDX-License-Identifier: Apache-2.0 */
/* lint: one-place */
#include <time.h>
time_t now(void)
{
	return time(NULL);
}

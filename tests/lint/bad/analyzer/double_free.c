/* SPDX-License-Identifier: Apache-2.0 */
/* lint: -Wanalyzer-double-free */
#include <stdlib.h>
void f(void *a)
{
	free(a);
	free(a);
}

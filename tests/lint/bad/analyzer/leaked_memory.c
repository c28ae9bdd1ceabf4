/* SPDX-License-Identifier: Apache-2.0 */
/* lint: -Wanalyzer-malloc-leak */
#include <stdlib.h>
#include <string.h>

size_t length_of_copy(const char *text)
{
	char *copy = strdup(text);

	return copy == NULL ? 0 : strlen(copy);
}

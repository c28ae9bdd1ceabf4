/* SPDX-License-Identifier: Apache-2.0 */
/* lint: -Wanalyzer-use-of-uninitialized-value */
#include <stdlib.h>

int first_number(void)
{
	int *numbers = malloc(4 * sizeof(*numbers));
	int first;

	if (numbers == NULL)
		return 0;
	first = numbers[0];
	free(numbers);
	return first;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* lint: uninitvar */
int last_of(const int *numbers, int count)
{
	int last;

	for (int i = 0; i < 0; i++)
		last = numbers[i] + count;
	return last;
}

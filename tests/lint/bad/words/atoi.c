/* SPDX-License-Identifier: Apache-2.0 */
/* lint: banned */
int f(char *a, const char *b)
{
	return g(atoi(a, b));
}

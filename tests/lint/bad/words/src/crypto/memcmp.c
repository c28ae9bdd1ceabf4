/* SPDX-License-Identifier: Apache-2.0 */
/* lint: banned */
int f(const char *a, const char *b)
{
	return memcmp(a, b, 32);
}

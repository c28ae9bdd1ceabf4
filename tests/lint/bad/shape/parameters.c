/* SPDX-License-Identifier: Apache-2.0 */
/* lint: parameters */
int f(int a, int b, int c, int (*d)(int, int), int e, int g, int h)
{
	return a + b + c + d(e, g) + h;
}

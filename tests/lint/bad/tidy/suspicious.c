/* SPDX-License-Identifier: Apache-2.0 */
/* lint: misc-redundant-expression */
int f(int a, int b)
{
	return a > b && a > b;
}

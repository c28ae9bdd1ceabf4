/* SPDX-License-Identifier: Apache-2.0 */
/* lint: arrayIndexOutOfBounds */
int f(void)
{
	int a[4] = { 0 };
	return a[4];
}

/* SPDX-License-Identifier: Apache-2.0 */
/* lint: if-in-function */
int f(void)
{
#ifdef FAST
	return 1;
#endif
	return 0;
}

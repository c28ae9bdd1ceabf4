/* SPDX-License-Identifier: Apache-2.0 */
/* lint: heap */
char *read_line(void)
{
	return malloc(80);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* lint: one-place */
int dice(void)
{
	return rand() % 6;
}

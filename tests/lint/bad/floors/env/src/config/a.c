/* SPDX-License-Identifier: Apache-2.0 */
/* lint: one-place */
const char *home(void)
{
	return getenv("HOME");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* lint: columns */
int f(int x)
{
	/* eight columns for the tab, and then words until it is too far: on and on and on and on and on we go */
	return x;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* lint: nesting */
int f(int x)
{
	for (int i = 0; i < x; i++) {
		while (x > i) {
			if (x == 3) {
				x--;
			} else if (x == 4) {
				if (i == 1)
					x++;
			}
		}
	}
	return x;
}

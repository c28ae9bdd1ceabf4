/* SPDX-License-Identifier: Apache-2.0 */
#define EACH(x) for (;;) { if (x) { while (x) { do { x--; } while (x); } } }
static const int table[] = { [0] = 1, [1] = (int[]){ 1, 2 }[0] };

int f(int x, int (*callback)(int a, int b), int c, int d, int e, int g)
{
	for (int i = 0; i < x; i++) {
		switch (x) {
		case 1:
			if (i)
				x = ((int[]){ 1, 2, 3 })[i];
			else if (x)
				x--;
			else if (c)
				x++;
			break;
		default:
			do
				x--;
			while (x > 3);
		}
	}
	return callback(x, d + e + g + table[0]);
}

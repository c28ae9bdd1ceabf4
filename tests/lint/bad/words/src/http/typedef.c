/* SPDX-License-Identifier: Apache-2.0 */
/* lint: typedef */
typedef struct thing {
	int a;
} thing_t;

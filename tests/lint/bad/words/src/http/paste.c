/* SPDX-License-Identifier: Apache-2.0 */
/* lint: macro-name */
#define HANDLER(x)                                                                                 \
	int x##_handle(void)

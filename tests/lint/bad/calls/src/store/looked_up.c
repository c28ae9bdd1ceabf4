/* SPDX-License-Identifier: Apache-2.0 */
/* lint: unwatched */
#include "base/library.h"

static const struct library_symbol symbols[] = {
	{ "PQexec", 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* One wire per test: with the defaults before it, taken down behind it. */
#pragma once

#include "wire.h"

static struct wire wire;

static int begin(void **state)
{
	(void)state;
	wire_begin(&wire);
	return 0;
}

static int end(void **state)
{
	(void)state;
	wire_end(&wire);
	return 0;
}

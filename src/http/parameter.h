/* SPDX-License-Identifier: Apache-2.0 */
/* name=value&…, as a program of ours writes it: a form, or behind the '?' of an address. */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct buf;

struct parameter {
	const char *name;
	struct str value; /* at == NULL: not sent */
};

/* Behind what buf holds, coded as a form. */
void parameters_add(struct buf *buf, const struct parameter *parameters, size_t count);

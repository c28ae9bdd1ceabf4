/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name=value&…, as a program of ours writes it: a form (application/x-www-form-urlencoded, RFC 6749
 * appendix B), or behind the '?' of an address. Nothing is owned here: names and values are
 * borrowed for the call.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct buf;

struct parameter {
	const char *name;
	struct str value; /* at == NULL: not sent */
};

/* Behind what buf holds, each but those that are not sent; past its ceiling buf says so itself. */
void parameters_add(struct buf *buf, const struct parameter *parameters, size_t count);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that are loaded when something first needs them (dlopen(3)), because most installations
 * never do. Each has one table of functions in the room that owns the library; it is filled once
 * and never unloaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct library_symbol {
	const char *name;
	size_t at; /* offset of its pointer in the table */
};

/*
 * Fills table (caller's) with the symbols of the library of that file name. False when the library
 * or one of them is not there; the table then holds nothing that may be called. Call it through
 * pthread_once.
 */
bool library_load(const char *file, const struct library_symbol *symbols, size_t count,
		  void *table);

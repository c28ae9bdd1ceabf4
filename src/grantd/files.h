/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file descriptors this process may have. Clients must never take the last ones: then the
 * database could not open its files, and nobody could be served.
 */
#pragma once

/* Asks the system for as many as it allows us at all. */
void files_raise(void);
/* How many connections each of so many loops may hold, at most `most`; threads read the store. */
unsigned files_connections(unsigned loops, unsigned threads, unsigned most);

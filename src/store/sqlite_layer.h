/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer between SQLite and the file system: the log is written in few calls (sqlite_log.h), and
 * pages that one connection has read are kept for the next (sqlite_pages.h). All else goes down as
 * it came (https://sqlite.org/vfs.html).
 */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

/* The name to open a connection with. The layer lies on the default file system of that moment. */
const char *sqlite_layer(void);
/*
 * Where all connections of all processes count commits, for as long as this connection is open.
 * NULL: it has not read yet, or nobody counts.
 */
const volatile uint32_t *sqlite_layer_commits(sqlite3 *connection);

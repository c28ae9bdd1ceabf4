/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer between SQLite and the file system: the log is written in few calls (sqlite_log.h), and
 * pages that one connection has read are kept for the next (sqlite_pages.h). All else goes down as
 * it came (https://sqlite.org/vfs.html).
 */
#pragma once

#include <sqlite3.h>

struct kept_pages;

/* The name to open a connection with. The layer lies on the default file system of that moment. */
const char *sqlite_layer(void);
/*
 * What is shared by all connections to its database, for as long as it is open. NULL: it has not
 * read yet, or there is no memory.
 */
const struct kept_pages *sqlite_layer_pages(sqlite3 *connection);

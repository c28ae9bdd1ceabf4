/* SPDX-License-Identifier: Apache-2.0 */
/* lint: unwatched */
#include "store/sqlite.h"

#include <sqlite3.h>

int keep(sqlite3 *db, const char *path)
{
	return sqlite3_load_extension(db, path, 0, 0);
}

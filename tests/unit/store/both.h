/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every test on SQLite and once more on PostgreSQL: on GRANTD_TEST_POSTGRES (a URI of a
 * database that tests may fill) or on a cluster of its own that postgres_fixture starts. A test
 * finds its world in *state.
 */
#pragma once

#include "world.h"

#define RUN_ON_BOTH(...)                                                                           \
	run_on_both((const struct CMUnitTest[]){ __VA_ARGS__ },                                    \
		    COUNT_OF(((const struct CMUnitTest[]){ __VA_ARGS__ })))

/* For what only SQLite does. */
#define RUN_ON_SQLITE(...)                                                                         \
	run_on_sqlite((const struct CMUnitTest[]){ __VA_ARGS__ },                                  \
		      COUNT_OF(((const struct CMUnitTest[]){ __VA_ARGS__ })))

/* For what only PostgreSQL does; no tests at all without one. */
#define RUN_ON_POSTGRES(...)                                                                       \
	run_on_postgres((const struct CMUnitTest[]){ __VA_ARGS__ },                                \
			COUNT_OF(((const struct CMUnitTest[]){ __VA_ARGS__ })))

/* In the list of RUN_ON_BOTH, a test of what only one of the two does. */
#define ONLY_ON(database, test) cmocka_unit_test_prestate(test, (void *)(uintptr_t)(database))
#define SQLITE			"sqlite"
#define POSTGRESQL		"postgresql"

int run_on_both(const struct CMUnitTest *tests, size_t count);
int run_on_sqlite(const struct CMUnitTest *tests, size_t count);
int run_on_postgres(const struct CMUnitTest *tests, size_t count);

/* A new empty database for this program, as store_config spells it; STR_NONE without PostgreSQL. */
struct str postgres_fresh(struct arena *arena);
/* Takes the cluster away from under the tests, and brings it back. */
void postgres_halt(void);
void postgres_resume(void);

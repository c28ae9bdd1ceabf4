/* SPDX-License-Identifier: Apache-2.0 */
#include "both.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTGRES_FIXTURE GRANTD_UNIT_DIR "/store/postgres_fixture"

#define URI_MAX	  512
#define TESTS_MAX 64
#define NAME_MAX_ 160

/* The one cluster of this program; a test program is one thread when it starts and stops it. */
static struct {
	char uri[URI_MAX];
	int made; /* how many fresh databases */
	bool is_ours;
} postgres;

static char fixture_uri[URI_MAX];

/* The first line of what the fixture says; false if it failed. */
static bool ask_fixture(const char *verb, const char *argument, char answer[URI_MAX])
{
	int ends[2];
	pid_t pid;
	ssize_t len;
	int status = 0;

	if (pipe(ends) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(POSTGRES_FIXTURE, POSTGRES_FIXTURE, verb, argument, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	len = read(ends[0], answer, URI_MAX - 1);
	close(ends[0]);
	answer[len > 0 ? len : 0] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void start_postgres(void)
{
	const char *given = getenv("GRANTD_TEST_POSTGRES");
	char owner[24];

	if (given != NULL) {
		snprintf(postgres.uri, sizeof(postgres.uri), "%s", given);
		return;
	}
	snprintf(owner, sizeof(owner), "%ld", (long)getpid());
	postgres.is_ours = ask_fixture("start", owner, fixture_uri);
	if (postgres.is_ours)
		memcpy(postgres.uri, fixture_uri, sizeof(postgres.uri));
}

static void stop_postgres(void)
{
	char answer[URI_MAX];

	if (postgres.is_ours && !ask_fixture("stop", postgres.uri, answer))
		fprintf(stderr, "the PostgreSQL of this test did not stop\n");
	memset(&postgres, 0, sizeof(postgres));
}

struct str postgres_fresh(struct arena *arena)
{
	char schema[64];
	char answer[URI_MAX];
	struct str uri = str_from_c(postgres.uri);

	if (uri.len == 0)
		return STR_NONE;
	snprintf(schema, sizeof(schema), "test_%ld_%d", (long)getpid(), postgres.made++);
	setenv("GRANTD_TEST_SCHEMA", schema, 1);
	CHECK(ask_fixture("fresh", postgres.uri, answer));
	return STR_JOIN(arena, uri, str_has(uri, '?') ? STR("&") : STR("?"),
			STR("options=-csearch_path%3D"), str_from_c(schema));
}

static int open_sqlite(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world_open(world);
	*state = world;
	return 0;
}

static int open_postgres(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct arena arena = { 0 };

	world_open_on(world, postgres_fresh(&arena));
	arena_free(&arena);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

/* Those that may run on this database; answers how many. */
static size_t add_tests(const struct CMUnitTest *from, size_t count, struct CMUnitTest *to,
			const char *database, CMFixtureFunction setup)
{
	size_t added = 0;

	for (size_t i = 0; i < count; i++) {
		const char *only = from[i].initial_state;
		char *name;

		if (only != NULL && strcmp(only, database) != 0)
			continue;
		name = calloc(1, NAME_MAX_);
		snprintf(name, NAME_MAX_, "%s (%s)", from[i].name, database);
		to[added] = from[i];
		to[added].name = name;
		to[added].setup_func = setup;
		to[added].teardown_func = close_world;
		to[added++].initial_state = NULL;
	}
	return added;
}

void postgres_halt(void)
{
	char answer[URI_MAX];

	CHECK(ask_fixture("halt", postgres.uri, answer));
}

void postgres_resume(void)
{
	char answer[URI_MAX];

	CHECK(ask_fixture("resume", postgres.uri, answer));
}

static int run_all(struct CMUnitTest *all, size_t count)
{
	int failed = check_run(all, count, NULL, NULL);

	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)all[i].name);
	stop_postgres();
	return failed;
}

int run_on_both(const struct CMUnitTest *tests, size_t count)
{
	struct CMUnitTest all[2 * TESTS_MAX];
	size_t total;

	CHECK(count <= TESTS_MAX);
	start_postgres();
	total = add_tests(tests, count, all, "sqlite", open_sqlite);
	if (postgres.uri[0] != '\0')
		total += add_tests(tests, count, all + total, "postgresql", open_postgres);
	return run_all(all, total);
}

int run_on_sqlite(const struct CMUnitTest *tests, size_t count)
{
	struct CMUnitTest all[TESTS_MAX];

	CHECK(count <= TESTS_MAX);
	return run_all(all, add_tests(tests, count, all, "sqlite", open_sqlite));
}

int run_on_postgres(const struct CMUnitTest *tests, size_t count)
{
	struct CMUnitTest all[TESTS_MAX];
	size_t total = 0;

	CHECK(count <= TESTS_MAX);
	start_postgres();
	if (postgres.uri[0] != '\0')
		total = add_tests(tests, count, all, "postgresql", open_postgres);
	return run_all(all, total);
}

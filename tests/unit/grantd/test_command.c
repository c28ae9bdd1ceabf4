/* SPDX-License-Identifier: Apache-2.0 */
/* How a command of on_stop runs: what it is given, what it is not, and how it ends. */
#include "grantd/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "script.h"
#include "world.h"

#define LONG_MS 10000

static struct world world;

static int start(void **state)
{
	(void)state;
	world_open(&world);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static struct str command(const char *text)
{
	return script_write(world_task(&world), world.dir, "command", text);
}

static struct str left(const char *name)
{
	return script_left(world_task(&world), world.dir, name);
}

static void arguments_arrive_as_they_are_and_no_shell_reads_them(void **state)
{
	const struct str arguments[] = {
		command("{ echo \"$#\"; for a; do echo \"<$a>\"; done; } > %s/left"),
		STR("a b; touch /nowhere $(id) `id` 'x' \"y\" * \\"),
		STR(""),
		STR("-rf"),
	};
	int status = -1;

	(void)state;
	CHECK_ERR(command_run(world_task(&world), arguments, COUNT_OF(arguments), LONG_MS, &status),
		  OK);
	CHECK(status == 0);
	CHECK_STR(left("left"),
		  STR("3\n<a b; touch /nowhere $(id) `id` 'x' \"y\" * \\>\n<>\n<-rf>\n"));
}

static void nothing_of_our_environment_is_seen(void **state)
{
	const struct str argument = command("tr '\\0' '\\n' < /proc/$$/environ | sort > %s/left");
	int status = -1;

	(void)state;
	CHECK(setenv("GRANTD_DATABASE_URL", "planted-secret", 1) == 0);
	CHECK_ERR(command_run(world_task(&world), &argument, 1, LONG_MS, &status), OK);
	unsetenv("GRANTD_DATABASE_URL");
	CHECK_STR(left("left"),
		  STR("LANG=C\n"
		      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"));
}

static void no_file_of_ours_is_open_in_it_and_what_it_prints_goes_nowhere(void **state)
{
	const struct str argument = command("head -c 3000000 /dev/zero || exit 3\n"
					    "head -c 3000000 /dev/zero >&2 || exit 4\n"
					    "for fd in /proc/$$/fd/*; do\n"
					    "  case $(readlink $fd) in\n"
					    "  /dev/null | */command) ;;\n"
					    "  *) readlink $fd >> %s/left ;;\n"
					    "  esac\n"
					    "done\n"
					    "echo done >> %s/left");
	FILE *ours = fopen("/dev/zero", "r");
	int status = -1;

	(void)state;
	assert_non_null(ours);
	CHECK_ERR(command_run(world_task(&world), &argument, 1, LONG_MS, &status), OK);
	fclose(ours);
	CHECK(status == 0);
	CHECK_STR(left("left"), STR("done\n"));
}

/* Gone, or a zombie that nobody has collected yet. */
static bool is_over(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *file;

	if (kill(pid, 0) != 0)
		return errno == ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file != NULL) {
		char text[128] = "";
		const char *at;

		if (fgets(text, sizeof(text), file) != NULL) {
			at = strrchr(text, ')');
			state = at == NULL ? 'Z' : at[2];
		}
		fclose(file);
	}
	return state == 'Z' || state == 'X';
}

static void a_command_that_hangs_is_ended_with_its_children(void **state)
{
	const struct str argument = command("sleep 1000 & echo $! > %s/child\n"
					    "trap '' TERM\n"
					    "wait");
	struct str line;
	uint64_t child = 0;
	int status = -1;

	(void)state;
	CHECK_ERR(command_run(world_task(&world), &argument, 1, 1500, &status), ERR_TIMEOUT);
	CHECK(status == -1);
	line = left("child");
	CHECK(str_to_u64(str_sub(line, 0, str_find(line, '\n')), INT32_MAX, &child));
	/* killed in the same instant, but the kernel takes it apart in its own time */
	for (int i = 0; i < 500 && !is_over((pid_t)child); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	CHECK(is_over((pid_t)child));
}

static void how_it_ended_is_told(void **state)
{
	const struct str fails = script_write(world_task(&world), world.dir, "fails", "exit 67");
	const struct str dies = script_write(world_task(&world), world.dir, "dies", "kill -9 $$");
	const struct str nowhere = STR("no-such-command-here");
	int status = -1;

	(void)state;
	CHECK_ERR(command_run(world_task(&world), &fails, 1, LONG_MS, &status), OK);
	CHECK(status == 67);
	CHECK_ERR(command_run(world_task(&world), &dies, 1, LONG_MS, &status), ERR_IO);
	CHECK_ERR(command_run(world_task(&world), &nowhere, 1, LONG_MS, &status), ERR_IO);
	CHECK_STR(world.home.task.reason, STR("no-such-command-here: no such command"));
}

/* Where SIGCHLD is ignored the kernel keeps no child's status. */
static void a_command_whose_end_nobody_knows_did_not_do_its_work(void **state)
{
	const struct str argument = command("exit 0");
	int status = -1;

	(void)state;
	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	CHECK_ERR(command_run(world_task(&world), &argument, 1, LONG_MS, &status), ERR_IO);
	CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	CHECK(status == -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	return RUN(TEST(arguments_arrive_as_they_are_and_no_shell_reads_them),
		   TEST(nothing_of_our_environment_is_seen),
		   TEST(no_file_of_ours_is_open_in_it_and_what_it_prints_goes_nowhere),
		   TEST(a_command_that_hangs_is_ended_with_its_children),
		   TEST(how_it_ended_is_told),
		   TEST(a_command_whose_end_nobody_knows_did_not_do_its_work));
}

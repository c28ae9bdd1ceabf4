/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cli.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/printable.h"
#include "base/task.h"

void cli_begin(void)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_IGN);
}

enum exit_code cli_exit_code(enum err err)
{
	if (err == OK)
		return EXIT_DONE;
	if (err == ERR_REQUEST)
		return EXIT_USAGE;
	if (err == ERR_IO || err == ERR_TIMEOUT)
		return EXIT_UNREACHABLE;
	return EXIT_REFUSED;
}

enum exit_code cli_refuse(struct task *task, const char *who, enum err err)
{
	struct str reason = str_printable(&task->arena, task->reason);

	fprintf(stderr, "%s: %.*s\n", who, STR_FMT(reason));
	return cli_exit_code(err);
}

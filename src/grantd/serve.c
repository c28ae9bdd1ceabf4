/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "grantd/app.h"
#include "grantd/files.h"
#include "grantd/notify.h"
#include "grantd/process.h"

static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	/* whoever started us may have left it ignored; then no child could be waited for */
	(void)signal(SIGCHLD, SIG_DFL);
	/* before any thread is made: all inherit it, and only this one is woken */
	pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static void reload(struct program *program, struct app *app)
{
	struct task task;

	task_begin(&task, &program->clock, &program->log);
	task.thread = app->main_thread;
	notify(program->notify_socket, str_printf(&task.arena, "RELOADING=1\nMONOTONIC_USEC=%lld",
						  (long long)clock_monotonic() * 1000));
	if (app_reload(&task, app) == OK)
		notify(program->notify_socket, STR("READY=1\nSTATUS=serving"));
	else
		notify(program->notify_socket,
		       STR("READY=1\nSTATUS=serving; the last reload was refused, see the log"));
	task_end(&task);
}

static void say_ready(struct program *program, const struct app *app)
{
	struct str trouble = app->ops.trouble;

	notify(program->notify_socket, trouble.at == NULL
					       ? STR("READY=1\nSTATUS=serving")
					       : STR("READY=1\nSTATUS=only health is served"));
	if (trouble.at == NULL)
		fputs("ready\n", stderr);
	else
		fprintf(stderr, "grantd serve: only health is served: %.*s\n", STR_FMT(trouble));
}

/*
 * Without its keys grantd can answer nothing, and a new keyd could not be trusted more than this
 * one; who can do no errands stops nobody. The supervisor starts all again. What was acknowledged
 * is safe in the database.
 */
static void end_when_alone(struct task *task, const struct program *program, const struct app *app)
{
	struct str how = STR_NONE;

	if (process_is_gone(&task->arena, app->keyd.pid, &how))
		log_error(task, "keyd.gone", LOG_STR("how", how));
	else if (process_is_gone(&task->arena, app->errands.pid, &how))
		log_error(task, "errands.gone", LOG_STR("how", how));
	else
		return;
	notify(program->notify_socket, STR("STOPPING=1\nSTATUS=one of its processes is gone"));
	_exit(EX_SOFTWARE); /* not EXIT_REFUSED, after which a supervisor need not try again */
}

static void serve_until_told(struct task *task, struct program *program, struct app *app,
			     const sigset_t *signals)
{
	int signal_number = 0;

	for (;;) {
		if (sigwait(signals, &signal_number) != 0)
			continue;
		if (signal_number == SIGHUP)
			reload(program, app);
		else if (signal_number == SIGCHLD)
			end_when_alone(task, program, app);
		else
			return;
	}
}

/* A database that is away comes back: unlike what is refused, that is worth another try. */
static enum exit_code say_not_started(struct task *task)
{
	bool is_away = task->error == ERR_STORE || task->error == ERR_BUSY ||
		       task->error == ERR_TIMEOUT;
	enum exit_code code = say_refused(task, "grantd serve");

	return is_away ? EXIT_AGAIN : code;
}

enum exit_code serve_run(struct program *program)
{
	struct app app;
	enum exit_code code = EXIT_DONE;
	sigset_t signals;
	struct task task;

	block_signals(&signals);
	files_raise();
	task_begin(&task, &program->clock, &program->log);
	if (app_open(&task, program, &app) == OK) {
		log_info(&task, "serving", LOG_STR("version", STR(GRANTD_VERSION)));
		say_ready(program, &app);
		serve_until_told(&task, program, &app, &signals);
		notify(program->notify_socket, STR("STOPPING=1"));
		log_info(&task, "stopping");
	} else {
		code = say_not_started(&task);
	}
	app_close(&app);
	task_end(&task);
	return code;
}

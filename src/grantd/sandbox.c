/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/sandbox.h"

#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/task.h"
#include "config/path.h"
#include "grantd/filter.h"
#include "grantd/landlock.h"
#include "grantd/network_filter.h"
#include "grantd/proc_status.h"
#include "grantd/process.h"
#include "grantd/sandbox_places.h"

#define LOOKS	50
#define LOOK_NS 1000000

/* Something of it is not to be had: the rest holds, and the operator is told. */
static void say_partial(struct task *task, struct str what, struct str reason)
{
	log_warning(task, "sandbox.partial", LOG_STR("what", what), LOG_STR("reason", reason));
	task_forgive(task);
}

enum err sandbox_shut_files(struct task *task, const struct config *config,
			    const char *const *environment, struct sandbox *ret_sandbox)
{
	struct sandbox sandbox = { .is_wanted = config->sandbox };
	struct sandbox_places places;
	enum err err;

	if (!process_hide_memory())
		return fail(task, ERR_INTERNAL, "the process cannot hide its memory");
	sandbox.hides_memory = prctl(PR_GET_DUMPABLE) == 0;
	*ret_sandbox = sandbox;
	if (!config->sandbox) {
		log_warning(task, "sandbox.off");
		return OK;
	}
	TRY(sandbox_prepare(task, config));
	sandbox.backup_dir = path_real(task, config->backup_dir);
	*ret_sandbox = sandbox;
	places = sandbox_places(task, config, environment);
	err = landlock_restrict(task, places.at, places.count);
	if (err == ERR_CONFIG) {
		say_partial(task, STR("files"), task->reason);
		return OK;
	}
	TRY(err);
	sandbox.landlock = landlock_version();
	sandbox.hides_root = places.hides_root;
	if (!places.hides_root)
		say_partial(task, STR("root key"),
			    STR("root_key_file lies in a folder that must be read; move one of "
				"the two"));
	*ret_sandbox = sandbox;
	return OK;
}

static enum err look_once(struct task *task, const struct sandbox *sandbox)
{
	struct proc_status status;

	if (proc_status_read(task, getpid(), &status) != OK) {
		say_partial(task, STR("check"), STR("/proc cannot be read"));
		return OK;
	}
	if (status.leaves_core)
		return fail(task, ERR_INTERNAL, "/proc says that core files are possible");
	if (sandbox->landlock > 0 && !status.has_no_new_privs)
		return fail(task, ERR_INTERNAL, "/proc says that a thread may get new privileges");
	if (sandbox->is_filtered && !status.is_filtered)
		return fail(task, ERR_INTERNAL,
			    "/proc says that a thread may make every system call");
	return OK;
}

/*
 * What the kernel says counts, and not that nothing went wrong on the way. A thread that is ending
 * gets no filter any more and is shown for a moment still, so that a "no" is asked again.
 */
static enum err look(struct task *task, const struct sandbox *sandbox)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	enum err err = look_once(task, sandbox);

	for (int again = 0; err != OK && again < LOOKS; again++) {
		task_forgive(task);
		(void)nanosleep(&pause, NULL);
		err = look_once(task, sandbox);
	}
	return err;
}

void sandbox_list_calls(struct task *task, const pid_t *children, size_t count,
			struct sandbox *sandbox)
{
	network_filter_free(&sandbox->calls);
	if (sandbox->is_wanted)
		sandbox->calls = network_filter_new(task, children, count);
}

enum err sandbox_shut_calls(struct task *task, struct sandbox *sandbox)
{
	enum err err;

	if (!sandbox->is_wanted)
		return OK;
	err = network_filter_apply(task, sandbox->calls);
	if (err != OK && err != ERR_CONFIG)
		return err;
	if (err != OK)
		say_partial(task, STR("system calls"), task->reason);
	else if (!filter_is_possible())
		say_partial(task, STR("system calls"), STR("this build has a sanitizer"));
	else
		sandbox->is_filtered = true;
	TRY(look(task, sandbox));
	log_info(task, "sandbox.in_force", LOG_INT("landlock", sandbox->landlock),
		 LOG_STR("system_calls", sandbox->is_filtered ? STR("listed") : STR("all")));
	return OK;
}

void sandbox_free(struct sandbox *sandbox)
{
	network_filter_free(&sandbox->calls);
}

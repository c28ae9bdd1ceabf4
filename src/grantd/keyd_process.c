/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/keyd_process.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/key_service.h"
#include "crypto/openssl_memory.h"
#include "grantd/keyd_filter.h"
#include "grantd/landlock.h"
#include "grantd/process.h"

struct keeper {
	/* of the main thread; the others log only when it has nothing more to say */
	struct task *task;
	struct key_service service;
	/* passed twice: all threads have begun; the filter is in force and they may answer */
	pthread_barrier_t together;
};

struct keeper_thread {
	struct keeper *keeper;
	const struct key_channel *channel;
};

static _Noreturn void refuse(struct task *task, struct str reason)
{
	log_error(task, "keyd.refused", LOG_STR("reason", reason));
	_exit(EXIT_FAILURE);
}

/* --- shutting itself in --- */

/* Neither a core file nor a debugger of the same user gets at the keys. */
static void hide_memory(struct task *task)
{
	if (!process_hide_memory() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		refuse(task, STR("the key process cannot shut itself in"));
}

static void close_others(struct task *task, const struct keyd_order *order)
{
	int *kept = NEW_ARRAY(&task->arena, int, 2 * order->channel_count);
	size_t count = 0;

	for (size_t i = 0; i < order->channel_count; i++) {
		kept[count++] = order->channels[i].from;
		kept[count++] = order->channels[i].to;
	}
	process_close_others(kept, count);
}

/* Not one file, whatever a bug or a library would like to open; threads inherit it. */
static void shut_files(struct task *task)
{
	enum err err = landlock_restrict(task, NULL, 0);

	if (err == OK)
		return;
	if (err != ERR_CONFIG)
		refuse(task, task->reason);
	log_warning(task, "keyd.files_open", LOG_STR("reason", task->reason));
	task_forgive(task);
}

static void apply_filter(struct task *task)
{
	enum err err = keyd_filter(task);

	if (err == OK)
		return;
	if (err != ERR_CONFIG)
		refuse(task, task->reason);
	/* a kernel without seccomp: all else still holds, and the operator is told */
	log_warning(task, "keyd.unfiltered", LOG_STR("reason", task->reason));
	task_forgive(task);
}

/* --- answering --- */

static _Noreturn void answer(const struct keeper_thread *thread)
{
	struct keeper *keeper = thread->keeper;
	enum err err;

	(void)pthread_barrier_wait(&keeper->together);
	err = key_service_run(&keeper->service, thread->channel);
	if (err == ERR_SYNTAX || err == ERR_TOO_LARGE)
		refuse(keeper->task, STR("grantd asked in a form that it never uses"));
	/* the keyring was closed, or its process has died */
	_exit(EXIT_SUCCESS);
}

/* The C library's own calls at the start of a thread are none of those that the filter allows. */
static void *run(void *arg)
{
	struct keeper_thread *thread = arg;

	(void)pthread_barrier_wait(&thread->keeper->together);
	answer(thread);
}

/* One per channel; the first channel is the main thread's own. */
static void start_threads(struct keeper *keeper, const struct keyd_order *order)
{
	struct keeper_thread *threads = NEW_ARRAY(&keeper->task->arena, struct keeper_thread,
						  order->channel_count);
	pthread_t unused;

	for (size_t i = 1; i < order->channel_count; i++) {
		threads[i] = (struct keeper_thread){ keeper, &order->channels[i] };
		if (pthread_create(&unused, NULL, run, &threads[i]) != 0)
			refuse(keeper->task, STR("a thread cannot be started"));
	}
}

/* A root key that is missing or wrong is an answer, too: then health is served, and says why. */
static void open_holder(struct task *task, const struct keyd_order *order,
			struct key_service *service)
{
	service->refusal = holder_open(task, order->root_file, order->issuer, &service->holder);
	service->reason = task->reason;
	if (service->refusal == OK)
		log_info(task, "keyd.ready", LOG_INT("pid", getpid()));
	task_forgive(task);
}

void keyd_process_run(struct task *task, const struct keyd_order *order)
{
	struct keeper keeper = { .task = task };

	(void)prctl(PR_SET_NAME, "keyd");
	process_follow(order->parent);
	hide_memory(task);
	openssl_memory_wipe();
	openssl_start_bare();
	close_others(task, order);
	open_holder(task, order, &keeper.service);
	if (pthread_barrier_init(&keeper.together, NULL, (unsigned)order->channel_count) != 0)
		refuse(task, STR("the key process cannot be set up"));
	if (order->is_walled)
		shut_files(task);
	start_threads(&keeper, order);
	(void)pthread_barrier_wait(&keeper.together);
	apply_filter(task);
	answer(&(struct keeper_thread){ &keeper, &order->channels[0] });
}

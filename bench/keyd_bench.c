/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to ask another process for a signature: CPU time of both together per call, beside
 * the same call in one process, in turns (the machine may be busy with other things), the median of
 * each. Bare: no filter of system calls, one channel per thread, as keyd has them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/task.h"
#include "claims.h"
#include "crypto/key_service.h"

#define TURNS  31
#define ROUNDS 1000

struct bench {
	struct clock clock;
	struct keyring *near, *far;
	clockid_t keyd; /* the processor time of the other process */
};

static void must(bool is_well, const char *what)
{
	if (is_well)
		return;
	(void)fprintf(stderr, "keyd_bench: %s\n", what);
	exit(1);
}

static double time_of(clockid_t clock)
{
	struct timespec time;

	must(clock_gettime(clock, &time) == 0, "a clock cannot be read");
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double cpu_us(const struct bench *bench)
{
	return time_of(CLOCK_PROCESS_CPUTIME_ID) + time_of(bench->keyd);
}

static enum err sign(struct bench *bench, struct keyring *keys, struct task *task)
{
	struct str jwt;

	(void)bench;
	return keys_sign_jwt(task, keys, STR("access"), STR("at+jwt"), STR(BENCH_CLAIMS), &jwt);
}

static enum err mac_refresh(struct bench *bench, struct keyring *keys, struct task *task)
{
	uint8_t tag[SHA256_LEN];

	(void)bench;
	return keys_mac_refresh(task, keys, 1, STR("0123456789abcdef0123456789abcdef"),
				STR("mail-agent\0fam_abcdefghijklmnopqrstuvwxyz\0\0\0\7"), tag);
}

static double run(struct bench *bench, struct keyring *keys,
		  enum err (*call)(struct bench *bench, struct keyring *keys, struct task *task))
{
	double start = cpu_us(bench);

	for (int i = 0; i < ROUNDS; i++) {
		struct task task;

		task_begin(&task, &bench->clock, NULL);
		must(call(bench, keys, &task) == OK, "a call failed");
		task_end(&task);
	}
	return (cpu_us(bench) - start) / ROUNDS;
}

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void measure(struct bench *bench, const char *name,
		    enum err (*call)(struct bench *bench, struct keyring *keys, struct task *task))
{
	double near[TURNS], far[TURNS];

	for (int i = 0; i < TURNS; i++) {
		near[i] = run(bench, bench->near, call);
		far[i] = run(bench, bench->far, call);
	}
	qsort(near, TURNS, sizeof(*near), compare);
	qsort(far, TURNS, sizeof(*far), compare);
	(void)printf("%-20s in process %6.2f us, by keyd %6.2f us: %5.2f us more (least: %5.2f)\n",
		     name, near[TURNS / 2], far[TURNS / 2], far[TURNS / 2] - near[TURNS / 2],
		     far[0] - near[0]);
}

static void start_keyd(struct bench *bench, struct task *task, struct str root_file)
{
	struct key_service service = { 0 };
	struct key_channel near, far;
	int there[2], back[2];
	pid_t pid;

	must(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0, "no pipe");
	near = (struct key_channel){ .from = back[0], .to = there[1] };
	far = (struct key_channel){ .from = there[0], .to = back[1] };
	pid = fork();
	must(pid >= 0, "no process");
	if (pid == 0) {
		key_channel_close(&near);
		must(holder_open(task, root_file, STR("https://grantd.example"), &service.holder) ==
			     OK,
		     "no root key");
		_exit(key_service_run(&service, &far) == OK ? 0 : 1);
	}
	key_channel_close(&far);
	must(clock_getcpuclockid(pid, &bench->keyd) == 0, "no clock of keyd's");
	must(keys_connect(task, &near, 1, &bench->far) == OK, "keyd does not answer");
}

static void prepare(struct bench *bench, struct task *task)
{
	char folder[] = "/tmp/grantd-bench-XXXXXX";
	struct key_record record;
	struct str file;

	must(mkdtemp(folder) != NULL, "no folder");
	file = str_printf(&task->arena, "%s/root.key", folder);
	must(keys_create_root(task, file) == OK, "no root key");
	start_keyd(bench, task, file);
	must(keys_open(task, file, STR("https://grantd.example"), &bench->near) == OK, "no keys");
	(void)unlink(file.at);
	(void)rmdir(folder);
	must(keys_generate(task, bench->near, STR("access"), ALG_ES256, &record) == OK, "no key");
	must(keys_load(task, bench->near, &record, 1) == OK &&
		     keys_load(task, bench->far, &record, 1) == OK,
	     "the key does not load");
}

int main(void)
{
	struct bench bench = { 0 };
	struct task task;

	(void)signal(SIGPIPE, SIG_IGN);
	task_begin(&task, &bench.clock, NULL);
	prepare(&bench, &task);
	measure(&bench, "keys_sign_jwt ES256", sign);
	measure(&bench, "keys_mac_refresh", mac_refresh);
	keys_free(&bench.near);
	keys_free(&bench.far);
	(void)wait(NULL);
	task_end(&task);
	return 0;
}

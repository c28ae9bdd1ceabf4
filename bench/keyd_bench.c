/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to ask another process for a signature: CPU time of both together per call, beside
 * the same call in one process, in turns (the machine may be busy with other things), the median of
 * each. The other process is grantd's own keyd, shut in as it is.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/task.h"
#include "claims.h"
#include "crypto/keys.h"
#include "grantd/keyd.h"

#define TURNS  31
#define ROUNDS 1000

struct bench {
	struct clock clock;
	struct keyring *near, *far;
	struct keyd keyd;
	clockid_t keyd_clock; /* the processor time of the other process */
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
	return time_of(CLOCK_PROCESS_CPUTIME_ID) + time_of(bench->keyd_clock);
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

/* The process that grantd starts, with its filter of system calls and without a file to open. */
static void start_keyd(struct bench *bench, struct task *task, struct str root_file)
{
	struct config config = { .root_key_file = root_file,
				 .issuer = STR("https://grantd.example"),
				 .sandbox = true };

	must(keyd_start(task, &task->arena, &config, 1, &bench->keyd) == OK, "no keyd");
	must(clock_getcpuclockid(bench->keyd.pid, &bench->keyd_clock) == 0, "no clock of keyd's");
	must(keyd_connect(task, &bench->keyd, &bench->far) == OK, "keyd does not answer");
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
	keyd_stop(&bench.keyd);
	task_end(&task);
	return 0;
}

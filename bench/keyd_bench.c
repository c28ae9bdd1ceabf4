/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to ask another process for a signature: CPU time of both together per signature,
 * beside the same call in one process, in turns (the machine may be busy with other things), the
 * median of each. Asked alone, and as a loop of grantd asks under load: for several tasks at once.
 * The other process is grantd's own keyd, shut in as it is.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "base/task.h"
#include "claims.h"
#include "crypto/keys.h"
#include "grantd/keyd.h"

#define TURNS  31
#define ROUNDS 250
/* 32 connections at work: 7 refreshes or 21 tokens of agents' own are asked for at once */
#define TOGETHER 4

struct bench {
	struct clock clock;
	struct keyring *near, *far;
	struct keyd keyd;
	clockid_t keyd_clock; /* the processor time of the other process */
	EVP_PKEY_CTX *plain;  /* with a key of nobody's, for OpenSSL alone */
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

/* What OpenSSL takes for a signature (as `openssl speed` asks) in the same turns: it changes. */
static void sign_plainly(struct bench *bench)
{
	static const unsigned char digest[SHA256_LEN] = { 1 };
	unsigned char signature[256];

	for (int i = 0; i < TOGETHER; i++) {
		size_t len = sizeof(signature);

		must(EVP_PKEY_sign(bench->plain, signature, &len, digest, sizeof(digest)) == 1,
		     "OpenSSL does not sign");
	}
}

static void sign(struct bench *bench, struct keyring *keys)
{
	for (int i = 0; i < TOGETHER; i++) {
		struct task task;
		struct str jwt;

		task_begin(&task, &bench->clock, NULL);
		must(keys_sign_jwt(&task, keys, STR("access"), STR("at+jwt"), STR(BENCH_CLAIMS),
				   &jwt) == OK,
		     "a token is not signed");
		task_end(&task);
	}
}

static void sign_near(struct bench *bench)
{
	sign(bench, bench->near);
}

static void sign_far(struct bench *bench)
{
	sign(bench, bench->far);
}

static void come_home(struct task *task)
{
	must(task_go_on(task) == OK, "a token is not signed");
}

static enum err went_on(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

static void sign_together(struct bench *bench)
{
	static const struct key_order order = { .purpose = STR_INIT("access"),
						.typ = STR_INIT("at+jwt"),
						.claims = STR_INIT(BENCH_CLAIMS) };
	struct task tasks[TOGETHER];
	struct key_issued issued[TOGETHER];

	for (int i = 0; i < TOGETHER; i++) {
		task_begin(&tasks[i], &bench->clock, NULL);
		tasks[i].home = come_home;
		must(keys_issue_with_others(&tasks[i], bench->far, &order, &issued[i], went_on,
					    NULL) == ERR_PARKED,
		     "nothing is gathered");
	}
	must(keys_ask_gathered(bench->far, 0), "nobody was asked");
	for (int i = 0; i < TOGETHER; i++)
		task_end(&tasks[i]);
}

static double run(struct bench *bench, void (*call)(struct bench *bench))
{
	double start = cpu_us(bench);

	for (int i = 0; i < ROUNDS; i++)
		call(bench);
	return (cpu_us(bench) - start) / (ROUNDS * TOGETHER);
}

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double median(double values[TURNS])
{
	qsort(values, TURNS, sizeof(*values), compare);
	return values[TURNS / 2];
}

static void measure(struct bench *bench)
{
	double plain[TURNS], near[TURNS], alone[TURNS], together[TURNS];

	for (int i = 0; i < TURNS; i++) {
		plain[i] = run(bench, sign_plainly);
		near[i] = run(bench, sign_near);
		alone[i] = run(bench, sign_far) - near[i];
		together[i] = run(bench, sign_together) - near[i];
	}
	(void)printf("OpenSSL signs in %.2f us, grantd a token in %.2f us; by keyd, asked alone: "
		     "%.2f us more, %d together: %.2f us more each\n",
		     median(plain), median(near), median(alone), TOGETHER, median(together));
}

/*
 * Under load no core sleeps, and who asks stays where it is. Here all else is quiet: woken by an
 * answer it would be given the other core, and keyd had to follow for each question.
 */
static void stay_on_this_core(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	must(sched_setaffinity(0, sizeof(here), &here) == 0, "no core of its own");
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

static void prepare_plain(struct bench *bench)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	bench->plain = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
	must(bench->plain != NULL && EVP_PKEY_sign_init(bench->plain) == 1, "no key for OpenSSL");
	EVP_PKEY_free(key);
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
	prepare_plain(bench);
	/* begins to gather */
	(void)keys_ask_gathered(bench->far, 0);
}

int main(void)
{
	struct bench bench = { 0 };
	struct task task;

	(void)signal(SIGPIPE, SIG_IGN);
	task_begin(&task, &bench.clock, NULL);
	prepare(&bench, &task);
	stay_on_this_core();
	measure(&bench);
	keys_free(&bench.near);
	keys_free(&bench.far);
	keyd_stop(&bench.keyd);
	EVP_PKEY_CTX_free(bench.plain);
	task_end(&task);
	return 0;
}

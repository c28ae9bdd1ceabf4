/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time per call of what the endpoints ask of crypto, without HTTP and without the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "base/task.h"
#include "claims.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "crypto/password.h"

struct bench {
	struct clock clock;
	struct keyring *keys;
	struct str jwt;
	struct str wrapped;
	struct str sealed;
	const char *purpose;
};

static const struct seal_place place = {
	.table = STR_INIT("connections"),
	.row = STR_INIT("con_abcdefghijklmnopqrstuvwxyz"),
	.column = STR_INIT("refresh_token"),
	.user_id = STR_INIT("usr_abcdefghijklmnopqrstuvwxyz"),
	.version = 1,
};

static double cpu_us(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void must(enum err err)
{
	if (err == OK)
		return;
	(void)fprintf(stderr, "crypto_bench: %s\n", err_name(err));
	exit(1);
}

static enum err run_sign(struct bench *bench, struct task *task)
{
	struct str jwt;

	return keys_sign_jwt(task, bench->keys, str_from_c(bench->purpose), STR("at+jwt"),
			     STR(BENCH_CLAIMS), &jwt);
}

static enum err run_verify(struct bench *bench, struct task *task)
{
	CLEANUP(json_unref) json_t *claims = NULL;
	struct str purpose;

	return keys_verify_jwt(task, bench->keys, bench->jwt, STR("at+jwt"), &claims, &purpose);
}

static enum err run_mac_refresh(struct bench *bench, struct task *task)
{
	uint8_t tag[SHA256_LEN];

	return keys_mac_refresh(task, bench->keys, 1, STR("0123456789abcdef0123456789abcdef"),
				STR("mail-agent\0fam_abcdefghijklmnopqrstuvwxyz\0\0\0\7"), tag);
}

static enum err run_seal(struct bench *bench, struct task *task)
{
	struct str sealed;

	return keys_seal(task, bench->keys, bench->wrapped, &place, STR(BENCH_CLAIMS), &sealed);
}

static enum err run_unseal(struct bench *bench, struct task *task)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };

	return keys_unseal(task, bench->keys, bench->wrapped, &place, bench->sealed, &plain);
}

static enum err run_sha256(struct bench *bench, struct task *task)
{
	(void)sha256_str(&task->arena, bench->jwt);
	return OK;
}

static enum err run_password(struct bench *bench, struct task *task)
{
	struct str hash;

	(void)bench;
	return password_hash(task, STR("correct horse battery"), &hash);
}

static const struct measure {
	const char *name;
	const char *purpose;
	unsigned rounds;
	enum err (*run)(struct bench *bench, struct task *task);
} measures[] = {
	{ "keys_sign_jwt ES256", "access", 5000, run_sign },
	{ "keys_sign_jwt RS256", "resource:rsa", 1000, run_sign },
	{ "keys_verify_jwt ES256", "access", 3000, run_verify },
	{ "keys_mac_refresh", "access", 50000, run_mac_refresh },
	{ "keys_seal", "access", 50000, run_seal },
	{ "keys_unseal", "access", 50000, run_unseal },
	{ "sha256 of a token", "access", 50000, run_sha256 },
	{ "password_hash", "access", 10, run_password },
};

static void measure(struct bench *bench, const struct measure *measure)
{
	double start;

	bench->purpose = measure->purpose;
	start = cpu_us();
	for (unsigned i = 0; i < measure->rounds; i++) {
		struct task task;

		task_begin(&task, &bench->clock, NULL);
		must(measure->run(bench, &task));
		task_end(&task);
	}
	(void)printf("%-24s %10.2f us\n", measure->name,
		     (cpu_us() - start) / (double)measure->rounds);
}

static void prepare(struct bench *bench, struct task *task)
{
	char folder[] = "/tmp/grantd-bench-XXXXXX";
	struct str file;
	struct key_record records[2];

	if (mkdtemp(folder) == NULL)
		must(ERR_IO);
	file = str_printf(&task->arena, "%s/root.key", folder);
	must(keys_create_root(task, file));
	must(keys_open(task, file, STR("https://grantd.example"), &bench->keys));
	(void)unlink(file.at);
	(void)rmdir(folder);
	must(keys_generate(task, bench->keys, STR("access"), ALG_ES256, &records[0]));
	must(keys_generate(task, bench->keys, STR("resource:rsa"), ALG_RS256, &records[1]));
	must(keys_load(task, bench->keys, records, COUNT_OF(records)));
	must(keys_sign_jwt(task, bench->keys, STR("access"), STR("at+jwt"), STR(BENCH_CLAIMS),
			   &bench->jwt));
	must(keys_new_user_key(task, bench->keys, place.user_id, &bench->wrapped));
	must(keys_seal(task, bench->keys, bench->wrapped, &place, STR(BENCH_CLAIMS),
		       &bench->sealed));
}

int main(void)
{
	struct bench bench = { 0 };
	struct task task;

	task_begin(&task, &bench.clock, NULL);
	prepare(&bench, &task);
	for (size_t i = 0; i < COUNT_OF(measures); i++)
		measure(&bench, &measures[i]);
	keys_free(&bench.keys);
	task_end(&task);
	return 0;
}

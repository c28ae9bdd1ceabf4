/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is wrong with an installation, not only the first thing. Changes nothing. */
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "base/url.h"
#include "config/file.h"
#include "crypto/certificate.h"
#include "grantd/check_sandbox.h"
#include "grantd/installation.h"
#include "grantd/program.h"
#include "store/key_rows.h"

#define PEM_MAX (256 * 1024)
#define SOON_MS (30 * DAY_MS)

struct report {
	const struct config_problems *settings; /* what is wrong with what was written */
	unsigned problems;
	struct json_writer *json; /* within an array; NULL: lines on stderr */
};

static void problem(struct report *report, struct str text)
{
	report->problems++;
	if (report->json != NULL)
		json_add_str(report->json, text);
	else
		fprintf(stderr, "grantd check: %.*s\n", STR_FMT(text));
}

/* Notes the task's reason when err is one. */
static bool expect(struct report *report, struct task *task, enum err err)
{
	if (err != OK)
		problem(report, task->reason);
	task_forgive(task);
	return err == OK;
}

static enum err read_certificate(struct task *task, const struct config *config, struct str key,
				 struct certificate_facts *ret_facts)
{
	struct str cert;
	struct url url;

	TRY(file_read(task, config->tls_cert, PEM_MAX, &cert));
	TRY(url_parse(config->issuer, &url));
	if (certificate_inspect(task, cert, key, url.host, ret_facts) != OK)
		return failf(task, ERR_CONFIG, "%.*s: %.*s", STR_FMT(config->tls_cert),
			     STR_FMT(task->reason));
	return OK;
}

static void check_facts(struct report *report, struct task *task, const struct config *config,
			const struct certificate_facts *facts)
{
	struct str file = config->tls_cert;

	if (!facts->key_matches)
		problem(report,
			str_printf(&task->arena,
				   "%.*s: does not belong to the key %.*s; put the two there that "
				   "were made together",
				   STR_FMT(file), STR_FMT(config->tls_key)));
	if (!facts->names_host)
		problem(report, str_printf(&task->arena,
					   "%.*s: is not for the host of %.*s; put one there that "
					   "names it",
					   STR_FMT(file), STR_FMT(config->issuer)));
	if (facts->not_before > task->now)
		problem(report,
			str_printf(&task->arena,
				   "%.*s: is valid only from %.*s; is this machine's clock right?",
				   STR_FMT(file),
				   STR_FMT(clock_format(&task->arena, facts->not_before))));
	if (facts->not_after <= task->now)
		problem(report,
			str_printf(&task->arena,
				   "%.*s: expired at %.*s; put a new one there (one made by init: "
				   "remove DIR/tls and run grantd init), then SIGHUP",
				   STR_FMT(file),
				   STR_FMT(clock_format(&task->arena, facts->not_after))));
	else if (facts->not_after - task->now < SOON_MS)
		printf("soon: %.*s expires at %.*s\n", STR_FMT(file),
		       STR_FMT(clock_format(&task->arena, facts->not_after)));
}

/* A key open to others does not keep the certificate from being looked at. */
static void check_certificate(struct report *report, struct task *task, const struct config *config)
{
	struct certificate_facts facts;
	struct str key, certificate;

	if (config->plain)
		return;
	(void)expect(report, task, file_check_private(task, config->tls_key));
	/* a file that is missing was named by that */
	if (file_read(task, config->tls_key, PEM_MAX, &key) != OK)
		key = STR("");
	task_forgive(task);
	if (config_is_wrong(report->settings, "issuer")) {
		(void)expect(report, task,
			     file_read(task, config->tls_cert, PEM_MAX, &certificate));
		return;
	}
	if (expect(report, task, read_certificate(task, config, key, &facts)) && key.len > 0)
		check_facts(report, task, config, &facts);
}

static enum err check_signing_keys(struct task *task, struct store *store, struct keyring *keys)
{
	struct key_record *records = NULL;
	struct db *db = NULL;
	size_t count = 0;

	TRY(store_reader(task, store, &db));
	TRY(key_row_list_live(task, db, &records, &count));
	if (count == 0)
		return fail(task, ERR_CONFIG, "the database has no signing keys; run grantd init");
	return keys_load(task, keys, records, count);
}

static void check_database(struct report *report, struct task *task, const struct config *config,
			   struct keyring *keys)
{
	CLEANUP(store_free) struct store *store = NULL;
	struct store_config store_config = { .database = config->database,
					     .threads = 1,
					     .pool = 1,
					     .inspect = INT64_MAX,
					     .clock = task->clock,
					     .log = task->log };

	if (config_is_wrong(report->settings, "database") ||
	    config_is_wrong(report->settings, "database_url_file"))
		return;
	if (str_starts_with(config->database, STR("sqlite:")) &&
	    !config_is_wrong(report->settings, "admin_socket") && installation_is_served(config)) {
		printf("a grantd is serving this directory; its database was not looked into\n");
		(void)expect(report, task, store_check_reserve(task, config->database));
		return;
	}
	if (!expect(report, task, installation_open_store(task, &store_config, &store)))
		return;
	(void)expect(report, task, store_check_reserve(task, config->database));
	(void)expect(report, task, installation_check_age(task, store, config));
	if (keys == NULL)
		return;
	if (expect(report, task, installation_check(task, store, keys, config)))
		(void)expect(report, task, check_signing_keys(task, store, keys));
}

/* Without an issuer the root key cannot be opened, but its file can be looked at. */
static void check_keys(struct report *report, struct task *task, const struct config *config)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;

	if (config_is_wrong(report->settings, "issuer"))
		(void)expect(report, task, file_check_private(task, config->root_key_file));
	else
		(void)expect(report, task,
			     keys_open(task, config->root_key_file, config->issuer, &keys));
	check_database(report, task, config, keys);
}

static void check_config(struct report *report, struct task *task, const struct config *config)
{
	check_certificate(report, task, config);
	if (!file_exists(task, file_path(task, config->share_dir, STR("pages"))))
		problem(report, str_printf(&task->arena,
					   "share_dir: %.*s has no pages in it; name the folder "
					   "that was installed with grantd",
					   STR_FMT(config->share_dir)));
	if (config->admin_group.len > 0 &&
	    getgrnam(str_to_c(&task->arena, config->admin_group)) == NULL)
		problem(report,
			str_printf(&task->arena,
				   "admin_group: there is no group %.*s; make it, or name another",
				   STR_FMT(config->admin_group)));
	if (config->extra_ca_file.len > 0 && !file_exists(task, config->extra_ca_file))
		problem(report,
			str_printf(&task->arena,
				   "extra_ca_file: %.*s is missing; put it there, or take the "
				   "setting out",
				   STR_FMT(config->extra_ca_file)));
	check_keys(report, task, config);
}

static void check(struct report *report, struct task *task, struct program *program)
{
	CLEANUP(config_free) const struct config *config = NULL;
	struct config_problems *problems = NEW(&task->arena, struct config_problems);

	program->source.problems = problems;
	report->settings = problems;
	/* a directory that is not there is a problem like others, but the last one */
	if (config_inspect(task, &program->source, &config) != OK)
		task_forgive(task);
	for (size_t i = 0; i < problems->count; i++)
		problem(report, problems->texts[i]);
	if (config != NULL)
		check_config(report, task, config);
}

static void check_as_json(struct report *report, struct task *task, struct program *program)
{
	struct said said;

	say_begin(task, &said);
	json_member_str(&said.json, "dir", program->source.dir);
	json_key(&said.json, "problems");
	json_open_array(&said.json);
	report->json = &said.json;
	check(report, task, program);
	report->json = NULL;
	json_close(&said.json);
	say_end(&said);
}

enum exit_code check_run(struct program *program)
{
	struct report report = { 0 };
	struct task task;

	program->log.fd = -1;
	task_begin(&task, &program->clock, &program->log);
	if (program->is_sandbox) {
		enum exit_code code = check_sandbox(&task, program);

		task_end(&task);
		return code;
	}
	if (program->is_json)
		check_as_json(&report, &task, program);
	else
		check(&report, &task, program);
	if (report.problems == 0 && !program->is_json)
		printf("%.*s: nothing is wrong\n", STR_FMT(program->source.dir));
	task_end(&task);
	return report.problems == 0 ? EXIT_DONE : EXIT_REFUSED;
}

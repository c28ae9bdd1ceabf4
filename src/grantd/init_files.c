/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/init_files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/url.h"
#include "config/file.h"
#include "crypto/certificate.h"

static const char providers_readme[] =
	"Providers (accounts that people connect) are described by JSON files here, one per "
	"provider.\n"
	"This version of grantd does not read them yet.\n";

static enum err make_folder(struct task *task, struct str path, struct init_progress *progress)
{
	struct stat status;
	const char *name = str_to_c(&task->arena, path);

	if (mkdir(name, 0700) == 0) {
		progress->made++;
		return OK;
	}
	if (errno != EEXIST)
		return failf(task, ERR_IO, "%.*s: cannot be made: %s", STR_FMT(path),
			     strerror(errno));
	if (stat(name, &status) != 0 || !S_ISDIR(status.st_mode))
		return failf(task, ERR_CONFIG, "%.*s: is there and is not a directory",
			     STR_FMT(path));
	return OK;
}

enum err init_folders(struct task *task, struct str dir, struct init_progress *progress,
		      struct str *ret_dir)
{
	static const struct str names[] = { STR_INIT("tls"), STR_INIT("resources"),
					    STR_INIT("providers") };
	char absolute[PATH_MAX];
	struct str readme;

	TRY(make_folder(task, dir, progress));
	if (realpath(str_to_c(&task->arena, dir), absolute) == NULL)
		return failf(task, ERR_IO, "%.*s: %s", STR_FMT(dir), strerror(errno));
	*ret_dir = str_copy(&task->arena, str_from_c(absolute));
	for (size_t i = 0; i < COUNT_OF(names); i++)
		TRY(make_folder(task, file_path(task, *ret_dir, names[i]), progress));
	readme = file_path(task, *ret_dir, STR("providers/README"));
	if (file_exists(task, readme))
		return OK;
	progress->made++;
	return file_replace(task, readme, str_from_c(providers_readme), 0644);
}

/* A URL given to init is relative to where init was called; the file's is relative to DIR. */
static enum err absolute_database(struct task *task, struct str database, struct str *ret_database)
{
	char here[PATH_MAX];
	struct str path = str_from(database, STR("sqlite:").len);

	*ret_database = database;
	if (!str_starts_with(database, STR("sqlite:")) || str_starts_with(path, STR("/")))
		return OK;
	if (realpath(".", here) == NULL)
		return failf(task, ERR_IO, "the current directory: %s", strerror(errno));
	*ret_database = STR_JOIN(&task->arena, STR("sqlite:"), str_from_c(here), STR("/"), path);
	return OK;
}

enum err init_check_wish(struct task *task, struct program *program)
{
	struct str path = file_path(task, program->source.dir, STR("grantd.conf"));

	if (file_exists(task, path))
		return OK;
	if (program->issuer.at == NULL)
		program->issuer = STR("https://grantd.localhost:8443");
	if (config_check_issuer(task, program->issuer, program->shared_loopback_host) != OK)
		return failf(task, ERR_CONFIG, "--issuer: %.*s", STR_FMT(task->reason));
	if (program->database.at == NULL)
		return OK;
	if (!str_is_text(program->database) || str_has(program->database, '\n'))
		return fail(task, ERR_CONFIG, "--database: is not one line of text");
	if (config_check_database(task, program->database) != OK)
		return failf(task, ERR_CONFIG, "--database: %.*s", STR_FMT(task->reason));
	return absolute_database(task, program->database, &program->database);
}

enum err init_config(struct task *task, const struct program *program,
		     struct init_progress *progress)
{
	struct str path = file_path(task, program->source.dir, STR("grantd.conf")), text;

	if (file_exists(task, path))
		return OK;
	TRY(config_template(task, program->issuer, program->database, program->shared_loopback_host,
			    &text));
	progress->made++;
	return file_replace(task, path, text, 0600);
}

static enum err write_certificate(struct task *task, const struct config *config,
				  const struct new_certificate *made)
{
	/* the certificate last: it says that the rest is there */
	TRY(file_replace(task, config->tls_key, secret_reveal(&made->key_pem), 0600));
	TRY(file_replace(task, file_path(task, config->dir, STR("ca.pem")), made->ca_pem, 0644));
	return file_replace(task, config->tls_cert, made->cert_pem, 0644);
}

enum err init_certificate(struct task *task, const struct config *config,
			  struct init_progress *progress)
{
	struct new_certificate made = { 0 };
	bool has_cert = file_exists(task, config->tls_cert);
	bool has_key = file_exists(task, config->tls_key);
	struct url url;
	enum err err;

	if (config->plain || (has_cert && has_key))
		return OK;
	if (has_cert)
		return failf(
			task, ERR_CONFIG,
			"%.*s is there, but its key %.*s is not; put the key back, or remove the "
			"certificate to have both made anew (agents must then trust a new ca.pem)",
			STR_FMT(config->tls_cert), STR_FMT(config->tls_key));
	if (!str_equals(config->tls_cert, file_path(task, config->dir, STR("tls/cert.pem"))))
		return failf(task, ERR_CONFIG, "tls_cert: %.*s: no such file",
			     STR_FMT(config->tls_cert));
	TRY(url_parse(config->issuer, &url));
	TRY(certificate_create(task, url.host, &made));
	err = write_certificate(task, config, &made);
	secret_wipe(&made.key_pem);
	progress->made++;
	return err;
}

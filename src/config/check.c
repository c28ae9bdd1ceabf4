/* SPDX-License-Identifier: Apache-2.0 */
/* What settings must be together. */
#include <arpa/inet.h>

#include "base/task.h"
#include "base/url.h"
#include "config/file.h"
#include "config/path.h"
#include "config/settings.h"

#define SOCKET_PATH_MAX 107 /* sun_path less its NUL */
#define ACCESS_MIN_MS	(30 * SECOND_MS)
#define SHOWN_MAX	200
#define LABEL		"abcdefghijklmnopqrstuvwxyz0123456789-"

struct checker {
	struct task *task;
	struct config *config;
	const struct written *written;
	struct config_problems *problems;
};

/* "DIR/grantd.conf:3: listen: why", or without a line when the setting is not written. */
static void complain(struct checker *checker, const char *name, const char *why)
{
	struct str where = checker->written[setting_find(str_from_c(name))].where;

	if (where.at == NULL)
		where = file_path(checker->task, checker->config->dir, STR("grantd.conf"));
	problem_add(checker->task, checker->problems, name,
		    str_printf(&checker->task->arena, "%.*s: %s: %s", STR_FMT(where), name, why));
}

static void check_issuer(struct checker *checker)
{
	struct config *config = checker->config;
	struct task *task = checker->task;

	if (config->issuer.len == 0) {
		complain(checker, "issuer", "is missing; write issuer = https://NAME:PORT");
		return;
	}
	if (config_check_issuer(task, config->issuer, config->shared_loopback_host) != OK) {
		complain(checker, "issuer", task->reason.at);
		return;
	}
	config->issuer_host = str_from(config->issuer, STR("https://").len);
}

static bool is_ip(struct task *task, struct str host)
{
	unsigned char bytes[16];

	if (str_starts_with(host, STR("[")) && str_ends_with(host, STR("]")))
		return inet_pton(AF_INET6, str_to_c(&task->arena, str_sub(host, 1, host.len - 2)),
				 bytes) == 1;
	return inet_pton(AF_INET, str_to_c(&task->arena, host), bytes) == 1;
}

/* ADDRESS:PORT with a number, never a name that would have to be resolved; or unix:PATH. */
static const char *listen_problem(struct task *task, struct str listen)
{
	size_t colon = listen.len;
	uint64_t port;

	if (str_starts_with(listen, STR("unix:")))
		return listen.len - 5 > SOCKET_PATH_MAX || listen.len == 5
			       ? "the path of a unix socket has 1 to 107 bytes"
			       : NULL;
	while (colon > 0 && listen.at[colon - 1] != ':')
		colon--;
	if (colon == 0 || !is_ip(task, str_sub(listen, 0, colon - 1)) ||
	    !str_to_u64(str_from(listen, colon), 65535, &port))
		return "is not ADDRESS:PORT (such as 127.0.0.1:8443 or [::1]:8443) or unix:PATH";
	return NULL;
}

static bool is_private_listener(struct str listen)
{
	return str_starts_with(listen, STR("unix:")) || str_starts_with(listen, STR("127.")) ||
	       str_starts_with(listen, STR("[::1]:"));
}

static struct str socket_path(struct checker *checker, struct str listen)
{
	if (!str_starts_with(listen, STR("unix:")))
		return listen;
	return STR_JOIN(&checker->task->arena, STR("unix:"),
			file_path(checker->task, checker->config->dir, str_from(listen, 5)));
}

static void check_listeners(struct checker *checker)
{
	struct config *config = checker->config;
	struct task *task = checker->task;
	const char *problem;
	struct url url;

	if (config->listen.len == 0 && url_parse(config->issuer, &url) == OK)
		config->listen = STR_JOIN(&task->arena, STR("127.0.0.1:"),
					  url.port.at == NULL ? STR("443") : url.port);
	problem = config->listen.len == 0 ? NULL : listen_problem(task, config->listen);
	if (problem != NULL)
		complain(checker, "listen", problem);
	problem = config->ops_listen.len == 0 ? NULL : listen_problem(task, config->ops_listen);
	if (problem != NULL)
		complain(checker, "ops_listen", problem);
	config->listen = socket_path(checker, config->listen);
	config->ops_listen = socket_path(checker, config->ops_listen);
	if (config->plain && !is_private_listener(config->listen))
		complain(checker, "plain",
			 "plain HTTP only on a loopback address or unix socket, behind a proxy "
			 "that does TLS");
	if (config->admin_socket.len == 0 || config->admin_socket.len > SOCKET_PATH_MAX)
		complain(checker, "admin_socket",
			 "the path of a unix socket has 1 to 107 bytes; give a shorter one");
}

static void check_proxies(struct checker *checker)
{
	const struct config *config = checker->config;

	for (size_t i = 0; i < config->trusted_proxy_count; i++) {
		struct str address = config->trusted_proxies[i];
		unsigned char bytes[16];
		const char *text = str_to_c(&checker->task->arena, address);

		/* "unix": whoever connects to our unix socket */
		if (!str_equals(address, STR("unix")) && inet_pton(AF_INET, text, bytes) != 1 &&
		    inet_pton(AF_INET6, text, bytes) != 1)
			complain(checker, "trusted_proxies",
				 str_printf(&checker->task->arena, "\"%.*s\" is not an IP address",
					    STR_FMT(address))
					 .at);
	}
}

/* libpq takes a password from the user part and from the query, where names may be percent-encoded.
 */
static bool has_password(struct task *task, struct str url)
{
	struct str rest = str_from(url, str_find(url, ':') + 1);
	struct str query = str_from(rest, str_find(rest, '?'));
	struct str authority, part, name;

	while (str_starts_with(rest, STR("/")))
		rest = str_from(rest, 1);
	authority = str_sub(rest, 0, str_find(str_sub(rest, 0, str_find(rest, '?')), '/'));
	if (str_has(authority, '@') &&
	    str_has(str_sub(authority, 0, str_find(authority, '@')), ':'))
		return true;
	query = str_from(query, 1);
	while (str_next(&query, '&', &part)) {
		if (url_decode(task, str_sub(part, 0, str_find(part, '=')), false, &name) != OK)
			return true; /* what cannot be read cannot be called harmless */
		if (str_equals_nocase(name, STR("password")) ||
		    str_equals_nocase(name, STR("sslpassword")))
			return true;
	}
	return false;
}

static bool is_postgres(struct str url)
{
	return str_starts_with(url, STR("postgresql://")) ||
	       str_starts_with(url, STR("postgres://"));
}

static const char *database_problem(struct task *task, struct str database, bool may_have_password)
{
	if (str_starts_with(database, STR("sqlite:")) && database.len > 7)
		return NULL;
	if (!is_postgres(database))
		return "is not sqlite:PATH or postgresql://HOST/NAME";
	if (!may_have_password && has_password(task, database))
		return "has a password; put it into ~/.pgpass, or the whole URL into a file of "
		       "mode 0600 named by database_url_file";
	return NULL;
}

enum err config_check_database(struct task *task, struct str database)
{
	const char *problem = database_problem(task, database, false);

	if (problem != NULL)
		return failf(task, ERR_CONFIG, "%s", problem);
	return OK;
}

static void check_database_url(struct checker *checker, const char *name, bool may_have_password)
{
	struct config *config = checker->config;
	struct task *task = checker->task;
	const char *problem = database_problem(task, config->database, may_have_password);

	if (problem != NULL)
		complain(checker, name, problem);
	else if (!is_postgres(config->database))
		config->database =
			STR_JOIN(&task->arena, STR("sqlite:"),
				 file_path(task, config->dir, str_from(config->database, 7)));
}

static void check_database(struct checker *checker)
{
	struct config *config = checker->config;
	struct task *task = checker->task;
	CLEANUP(secret_wipe) struct secret url = { 0 };
	struct str where = checker->written[setting_find(STR("database"))].where;

	if (config->database_url_file.len > 0 && config->database.len > 0) {
		complain(checker, "database_url_file", "is there together with database; keep one");
	} else if (config->database_url_file.len > 0) {
		if (file_read_secret(task, config->database_url_file, &url) != OK) {
			complain(checker, "database_url_file", task->reason.at);
			return;
		}
		config->database = str_copy(&task->arena, secret_reveal(&url));
		check_database_url(checker, "database_url_file", true);
	} else if (config->database.len == 0) {
		config->database = STR_JOIN(&task->arena, STR("sqlite:"), config->dir,
					    STR("/grantd.db"));
	} else {
		check_database_url(checker, "database",
				   str_equals(where, STR("GRANTD_DATABASE_FILE")));
	}
}

/*
 * The process that faces the network may write whatever lies in backup_dir: so that is a folder of
 * its own.
 */
static void check_backup_dir(struct checker *checker)
{
	const struct config *config = checker->config;
	struct task *task = checker->task;
	struct str backups = path_real(task, config->backup_dir);
	struct str resources = file_path(task, config->dir, STR("resources"));
	struct str database = str_starts_with(config->database, STR("sqlite:"))
				      ? path_folder(str_from(config->database, 7))
				      : STR_NONE;
	const struct {
		struct str folder;
		bool may_hold; /* backup_dir may lie in it */
		const char *problem;
	} others[] = {
		{ config->dir, true, "DIR" },
		{ resources, false, "DIR/resources" },
		{ config->share_dir, false, "share_dir" },
		{ database, true, "the database" },
		{ path_folder(config->root_key_file), true, "root_key_file" },
		{ path_folder(config->database_url_file), true, "database_url_file" },
		{ path_folder(config->tls_cert), true, "tls_cert" },
		{ path_folder(config->tls_key), true, "tls_key" },
		{ path_folder(config->extra_ca_file), true, "extra_ca_file" },
	};

	if (backups.at == NULL) {
		complain(checker, "backup_dir", "there is no folder to make it in; make that one");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct str other = str_is_empty(others[i].folder)
					   ? STR_NONE
					   : path_real(task, others[i].folder);

		if (other.at == NULL || (!path_is_within(other, backups) &&
					 (others[i].may_hold || !path_is_within(backups, other))))
			continue;
		complain(checker, "backup_dir",
			 str_printf(&task->arena,
				    "%.*s and the folder of %s must be apart; name a folder for "
				    "backups alone, such as backups",
				    STR_FMT(backups), others[i].problem)
				 .at);
		return;
	}
}

static void check_shown(struct checker *checker, const char *name, struct str text, bool is_url)
{
	struct url url;

	if (text.len > SHOWN_MAX)
		complain(checker, name, "is longer than 200 bytes");
	/* these become links on pages: javascript: and its kind must not */
	if (is_url && text.len > 0 &&
	    (url_parse(text, &url) != OK || !str_equals(url.scheme, STR("https")) ||
	     url.host.at == NULL))
		complain(checker, name, "is not an https:// URL");
}

static void check_domains(struct checker *checker, const char *name, const struct str *domains,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!url_host_is_name(domains[i]) && !str_only(domains[i], LABEL))
			complain(checker, name,
				 str_printf(&checker->task->arena,
					    "\"%.*s\" is no domain such as example.org: small "
					    "letters, no port, no *",
					    STR_FMT(domains[i]))
					 .at);
}

static void check_client_metadata(struct checker *checker)
{
	const struct config *config = checker->config;
	struct str host = str_sub(config->issuer_host, 0, str_find(config->issuer_host, ':'));

	check_domains(checker, "client_metadata_allow", config->client_metadata_allow,
		      config->client_metadata_allow_count);
	check_domains(checker, "client_metadata_deny", config->client_metadata_deny,
		      config->client_metadata_deny_count);
	/* .localhost is never anybody else's (RFC 6761 6.3): people cannot be served there */
	if (config->client_metadata_loopback && !str_ends_with(host, STR(".localhost")))
		complain(checker, "client_metadata_loopback",
			 "is for tests: only with an issuer such as "
			 "https://grantd.localhost:8443");
}

void config_check(struct task *task, struct config *config, const struct written *written,
		  struct config_problems *problems)
{
	struct checker checker = { task, config, written, problems };

	check_issuer(&checker);
	check_listeners(&checker);
	check_proxies(&checker);
	check_database(&checker);
	check_backup_dir(&checker);
	check_shown(&checker, "controller_name", config->controller_name, false);
	check_shown(&checker, "controller_contact", config->controller_contact,
		    str_has(config->controller_contact, ':'));
	check_shown(&checker, "privacy_url", config->privacy_url, true);
	check_shown(&checker, "support_url", config->support_url, true);
	check_client_metadata(&checker);
	if (config->access_token_ms < ACCESS_MIN_MS)
		complain(&checker, "access_token_lifetime", "must be 30s to 900s");
	if (config->refresh_idle_ms < HOUR_MS)
		complain(&checker, "refresh_idle", "must be at least 1h");
	if (config->registration_unused_ms < DAY_MS)
		complain(&checker, "registration_unused", "must be at least 1d");
	if (config->registrations_max == 0)
		complain(&checker, "registrations_max",
			 "must be at least 1; registration = off is how nobody registers");
	/* revoked tokens must be told from unknown ones, and yesterday be looked up */
	if (config->keep_events_ms < 30 * DAY_MS)
		complain(&checker, "keep_events", "must be at least 30d");
	if (config->keep_ended_ms < 30 * DAY_MS)
		complain(&checker, "keep_ended", "must be at least 30d");
	if (config->signing_key_days != 0 &&
	    config->signing_key_lead_ms >= config->signing_key_days * DAY_MS)
		complain(&checker, "signing_key_lead", "must be shorter than signing_key_days");
}

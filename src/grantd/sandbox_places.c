/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/sandbox_places.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "base/url.h"
#include "config/file.h"
#include "config/path.h"
#include "grantd/installation.h"
#include "store/ended.h"

/*
 * Of the system: libraries, names of hosts and people, certificates, time. Nothing of it is secret.
 */
static const struct {
	const char *path;
	unsigned use;
} system_places[] = {
	{ "/usr", LANDLOCK_READ },
	{ "/lib", LANDLOCK_READ },
	{ "/lib64", LANDLOCK_READ },
	{ "/etc/ssl/certs", LANDLOCK_READ },
	{ "/etc/ssl/openssl.cnf", LANDLOCK_READ },
	{ "/etc/ca-certificates", LANDLOCK_READ },
	{ "/etc/pki", LANDLOCK_READ },
	{ "/etc/ld.so.cache", LANDLOCK_READ },
	{ "/etc/resolv.conf", LANDLOCK_READ },
	{ "/etc/hosts", LANDLOCK_READ },
	{ "/etc/host.conf", LANDLOCK_READ },
	{ "/etc/gai.conf", LANDLOCK_READ },
	{ "/etc/nsswitch.conf", LANDLOCK_READ },
	{ "/etc/services", LANDLOCK_READ },
	{ "/etc/protocols", LANDLOCK_READ },
	{ "/etc/localtime", LANDLOCK_READ },
	{ "/etc/krb5.conf", LANDLOCK_READ },
	{ "/etc/krb5.conf.d", LANDLOCK_READ },
	/* what writes resolv.conf anew keeps it in a folder of its own */
	{ "/run/systemd/resolve", LANDLOCK_READ },
	{ "/run/resolvconf", LANDLOCK_READ },
	{ "/run/NetworkManager", LANDLOCK_READ },
	{ "/run/nscd", LANDLOCK_READ },
	{ "/var/lib/sss/mc", LANDLOCK_READ },
	/* of other processes than its own it sees what everybody may: Landlock shuts the rest */
	{ "/proc", LANDLOCK_READ },
	{ "/sys/devices/system/cpu", LANDLOCK_READ },
	{ "/dev/urandom", LANDLOCK_READ },
	{ "/dev/random", LANDLOCK_READ },
	{ "/dev/null", LANDLOCK_READ | LANDLOCK_WRITE },
};

/* Companions of a SQLite database, which are there as long as it is open. */
static const char *const companions[] = { "", "-wal", "-shm", ".lock", ".reserve" };

struct plan {
	struct task *task;
	const struct config *config;
	struct str root; /* the root key's file, with no link in it */
	struct str home; /* likewise; STR_NONE */
	const char *const *environment;
	struct sandbox_places places;
};

static void add(struct plan *plan, struct str path, unsigned use)
{
	struct str real = path_real(plan->task, path);

	if (real.at == NULL || plan->places.count == SANDBOX_PLACES_MAX)
		return;
	if (use & LANDLOCK_READ && path_is_within(plan->root, real))
		plan->places.hides_root = false;
	plan->places.at[plan->places.count++] = (struct landlock_place){ real, use };
}

/* Where more lies than certificates: the root key, what people keep, all of the machine's. */
static bool is_crowded(const struct plan *plan, struct str folder)
{
	return folder.len <= 1 || str_equals(folder, STR("/etc")) ||
	       path_is_within(plan->root, folder) ||
	       (plan->home.at != NULL && path_is_within(plan->home, folder));
}

/*
 * A certificate or its key, which may be replaced by another file of its name: its folder is read,
 * and the one that a link leads to. Of a crowded folder only the file itself is.
 */
static void add_certificate(struct plan *plan, struct str path)
{
	struct str real = path_real(plan->task, path);
	const struct str folders[] = { path_folder(path), path_folder(real) };

	if (real.at == NULL)
		return;
	add(plan, real, LANDLOCK_READ);
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		struct str folder = path_real(plan->task, folders[i]);

		if (folder.at != NULL && !is_crowded(plan, folder))
			add(plan, folder, LANDLOCK_READ);
	}
}

static void add_dir(struct plan *plan)
{
	const struct config *config = plan->config;
	struct task *task = plan->task;

	add(plan, config->dir, LANDLOCK_LIST);
	add(plan, installation_ended_file(task, config), LANDLOCK_READ | LANDLOCK_WRITE);
	add(plan, config->backup_dir, LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_CHANGE);
	add(plan, config->share_dir, LANDLOCK_READ);
}

static void add_sockets(struct plan *plan)
{
	const struct config *config = plan->config;
	const struct str unix_prefix = STR("unix:");
	const struct str listeners[] = { config->listen, config->ops_listen };

	add(plan, path_folder(config->admin_socket), LANDLOCK_SOCKETS);
	for (size_t i = 0; i < COUNT_OF(listeners); i++)
		if (str_starts_with(listeners[i], unix_prefix))
			add(plan, path_folder(str_from(listeners[i], unix_prefix.len)),
			    LANDLOCK_SOCKETS);
}

static void add_sqlite(struct plan *plan, struct str path)
{
	struct task *task = plan->task;

	add(plan, path_folder(path), LANDLOCK_LIST | LANDLOCK_SOCKETS);
	for (size_t i = 0; i < COUNT_OF(companions); i++)
		add(plan, STR_JOIN(&task->arena, path, str_from_c(companions[i])),
		    LANDLOCK_READ | LANDLOCK_WRITE);
}

/*
 * Files that libpq opens: as the URL names them, else the environment, else in the home. Those that
 * a service file names are not looked for.
 */
static const struct {
	const char *parameter; /* NULL: none */
	const char *variable;
	const char *in_home; /* NULL: nothing beside ~/.postgresql */
	bool is_certificate;
} postgres_files[] = {
	{ "passfile", "PGPASSFILE", ".pgpass", false },
	{ NULL, "PGSERVICEFILE", ".pg_service.conf", false },
	{ "sslcert", "PGSSLCERT", NULL, true },
	{ "sslkey", "PGSSLKEY", NULL, true },
	{ "sslrootcert", "PGSSLROOTCERT", NULL, true },
	{ "sslcrl", "PGSSLCRL", NULL, true },
	{ "sslcrldir", "PGSSLCRLDIR", NULL, true },
};

static struct str variable(const char *const *environment, const char *name)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		struct str entry = str_from_c(*environment);
		size_t end = str_find(entry, '=');

		if (end < entry.len && str_equals(str_sub(entry, 0, end), str_from_c(name)))
			return str_from(entry, end + 1);
	}
	return STR_NONE;
}

/* STR_NONE when the URL does not have it. */
static struct str parameter(struct task *task, struct str url, const char *name)
{
	struct str query = str_from(url, str_find(url, '?') + 1), part, value = STR_NONE;

	while (name != NULL && str_next(&query, '&', &part)) {
		size_t end = str_find(part, '=');

		if (!str_equals(str_sub(part, 0, end), str_from_c(name)))
			continue;
		if (url_decode(task, str_from(part, end + 1), false, &value) != OK)
			task_forgive(task);
	}
	return value;
}

static void add_postgres(struct plan *plan, struct str url)
{
	struct task *task = plan->task;
	struct str home = variable(plan->environment, "HOME");
	struct str shared = variable(plan->environment, "PGSYSCONFDIR");

	for (size_t i = 0; i < COUNT_OF(postgres_files); i++) {
		struct str path = parameter(task, url, postgres_files[i].parameter);

		if (path.at == NULL)
			path = variable(plan->environment, postgres_files[i].variable);
		if (str_is_empty(path) && !str_is_empty(home) && postgres_files[i].in_home != NULL)
			path = file_path(task, home, str_from_c(postgres_files[i].in_home));
		if (!str_starts_with(path, STR("/")))
			continue;
		if (postgres_files[i].is_certificate)
			add_certificate(plan, path);
		else
			add(plan, path, LANDLOCK_READ);
	}
	/* the server's user by name; seen as it was at the start */
	if (parameter(task, url, "requirepeer").at != NULL)
		add(plan, STR("/etc/passwd"), LANDLOCK_READ);
	if (!str_is_empty(home))
		add(plan, file_path(task, home, STR(".postgresql")), LANDLOCK_READ);
	if (str_is_empty(shared))
		shared = STR("/etc/postgresql-common");
	add(plan, file_path(task, shared, STR("pg_service.conf")), LANDLOCK_READ);
}

struct sandbox_places sandbox_places(struct task *task, const struct config *config,
				     const char *const *environment)
{
	struct str sqlite = STR("sqlite:"), home = variable(environment, "HOME");
	struct plan plan = { .task = task,
			     .config = config,
			     .environment = environment,
			     .places = { .hides_root = true } };

	plan.root = path_real(task, config->root_key_file);
	if (!str_is_empty(home))
		plan.home = path_real(task, home);
	plan.places.at = NEW_ARRAY(&task->arena, struct landlock_place, SANDBOX_PLACES_MAX);
	for (size_t i = 0; i < COUNT_OF(system_places); i++)
		add(&plan, str_from_c(system_places[i].path), system_places[i].use);
	add_dir(&plan);
	add_sockets(&plan);
	if (str_starts_with(config->database, sqlite))
		add_sqlite(&plan, str_from(config->database, sqlite.len));
	else
		add_postgres(&plan, config->database);
	return plan.places;
}

/* --- what must be there beforehand --- */

/* A disk that is full, or a folder that is not ours: who opens the file says so better. */
static void touch(struct task *task, struct str path)
{
	int fd = open(str_to_c(&task->arena, path),
		      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd >= 0)
		close(fd);
}

static void touch_companions(struct task *task, struct str path)
{
	for (size_t i = 1; i < COUNT_OF(companions) && file_exists(task, path); i++)
		touch(task, STR_JOIN(&task->arena, path, str_from_c(companions[i])));
}

static enum err make_backup_dir(struct task *task, struct str path)
{
	if (mkdir(str_to_c(&task->arena, path), 0700) != 0 && errno != EEXIST)
		return failf(task, ERR_CONFIG, "backup_dir: %.*s cannot be made: %s", STR_FMT(path),
			     strerror(errno));
	return OK;
}

enum err sandbox_prepare(struct task *task, const struct config *config)
{
	CLEANUP(ended_free) struct ended *ended = NULL;
	struct str sqlite = STR("sqlite:");

	if (str_starts_with(config->database, sqlite))
		touch_companions(task, str_from(config->database, sqlite.len));
	TRY(make_backup_dir(task, config->backup_dir));
	return ended_open(task, installation_ended_file(task, config), &ended);
}

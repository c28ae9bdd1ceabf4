/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/sandbox_places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "base/url.h"
#include "config/file.h"
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
	{ "/etc/ssl", LANDLOCK_READ },
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
	{ "/etc/passwd", LANDLOCK_READ },
	{ "/etc/group", LANDLOCK_READ },
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
	struct sandbox_places places;
};

/* Without links; STR_NONE when it is not there. */
static struct str real_path(struct task *task, struct str path)
{
	char real[PATH_MAX];

	if (realpath(str_to_c(&task->arena, path), real) == NULL)
		return STR_NONE;
	return str_copy(&task->arena, str_from_c(real));
}

static struct str folder_of(struct str path)
{
	size_t end = path.len;

	while (end > 0 && path.at[end - 1] != '/')
		end--;
	return str_sub(path, 0, end > 1 ? end - 1 : end);
}

static bool is_at_or_below(struct str path, struct str place)
{
	return str_starts_with(path, place) &&
	       (path.len == place.len || path.at[place.len] == '/' || str_equals(place, STR("/")));
}

static void add(struct plan *plan, struct str path, unsigned use)
{
	struct str real = real_path(plan->task, path);

	if (real.at == NULL || plan->places.count == SANDBOX_PLACES_MAX)
		return;
	if (use & LANDLOCK_READ && is_at_or_below(plan->root, real))
		plan->places.hides_root = false;
	plan->places.at[plan->places.count++] = (struct landlock_place){ real, use };
}

/*
 * A file that may be replaced by another one of its name, certificates above all: its folder is
 * read, and the one that a link leads to. Where the root key lies below, only the file itself is.
 */
static void add_replaceable(struct plan *plan, struct str path)
{
	struct str real = real_path(plan->task, path);
	const struct str folders[] = { folder_of(path), folder_of(real) };

	if (real.at == NULL)
		return;
	add(plan, real, LANDLOCK_READ);
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		struct str folder = real_path(plan->task, folders[i]);

		if (folder.len > 1 && !is_at_or_below(plan->root, folder))
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

	add(plan, folder_of(config->admin_socket), LANDLOCK_SOCKETS);
	for (size_t i = 0; i < COUNT_OF(listeners); i++)
		if (str_starts_with(listeners[i], unix_prefix))
			add(plan, folder_of(str_from(listeners[i], unix_prefix.len)),
			    LANDLOCK_SOCKETS);
}

static void add_sqlite(struct plan *plan, struct str path)
{
	struct task *task = plan->task;

	add(plan, folder_of(path), LANDLOCK_LIST | LANDLOCK_SOCKETS);
	for (size_t i = 0; i < COUNT_OF(companions); i++)
		add(plan, STR_JOIN(&task->arena, path, str_from_c(companions[i])),
		    LANDLOCK_READ | LANDLOCK_WRITE);
}

/* What the parameters of the URL name: certificates, keys, a file of passwords. */
static void add_postgres(struct plan *plan, struct str url, struct str home)
{
	struct str query = str_from(url, str_find(url, '?') + 1), part, value;
	struct task *task = plan->task;

	while (str_next(&query, '&', &part)) {
		if (url_decode(task, str_from(part, str_find(part, '=') + 1), false, &value) ==
			    OK &&
		    str_starts_with(value, STR("/")) && !str_starts_with(part, STR("host=")))
			add_replaceable(plan, value);
		task_forgive(task);
	}
	if (str_is_empty(home))
		return;
	add(plan, STR_JOIN(&task->arena, home, STR("/.pgpass")), LANDLOCK_READ);
	add(plan, STR_JOIN(&task->arena, home, STR("/.pg_service.conf")), LANDLOCK_READ);
	add(plan, STR_JOIN(&task->arena, home, STR("/.postgresql")), LANDLOCK_READ);
	add(plan, STR("/etc/postgresql-common"), LANDLOCK_READ);
}

struct sandbox_places sandbox_places(struct task *task, const struct config *config,
				     struct str home)
{
	struct str sqlite = STR("sqlite:");
	struct plan plan = { .task = task, .config = config, .places = { .hides_root = true } };

	plan.root = real_path(task, config->root_key_file);
	plan.places.at = NEW_ARRAY(&task->arena, struct landlock_place, SANDBOX_PLACES_MAX);
	for (size_t i = 0; i < COUNT_OF(system_places); i++)
		add(&plan, str_from_c(system_places[i].path), system_places[i].use);
	add_dir(&plan);
	add_sockets(&plan);
	if (str_starts_with(config->database, sqlite))
		add_sqlite(&plan, str_from(config->database, sqlite.len));
	else
		add_postgres(&plan, config->database, home);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* The wall of files around the process that faces the network: what a thief in there gets at. */
#include "grantd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "grantd/landlock.h"
#include "walls.h"

/* What is to be opened next; below DIR unless it begins with '/'. */
static struct {
	const char *path;
	int flags;
} wanted;

static int open_wanted(void)
{
	return opening(in_dir(wanted.path).at, wanted.flags);
}

static int read_root_key(void)
{
	return opening(walls.config.root_key_file.at, O_RDONLY);
}

static int move_root_key(void)
{
	return rename(walls.config.root_key_file.at, in_dir("backups/key").at) == 0 ? 0 : errno;
}

static int link_root_key(void)
{
	return link(walls.config.root_key_file.at, in_dir("backups/key").at) == 0 ? 0 : errno;
}

static int replace_settings(void)
{
	return opening(in_dir("backups/conf").at, O_WRONLY | O_CREAT) != 0
		       ? 199
		       : (rename(in_dir("backups/conf").at, in_dir("grantd.conf").at) == 0 ? 0
											   : errno);
}

static int lead_to_root_key(void)
{
	return symlink(walls.config.root_key_file.at, in_dir("backups/key").at) == 0 ? 0 : errno;
}

static int read_parents_memory(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return opening(path, O_RDONLY);
}

static void no_file_is_opened_that_is_not_its_own(void **state)
{
	static int (*const acts[])(void) = { read_root_key, read_parents_memory, lead_to_root_key,
					     start_program };
	static const struct {
		const char *path;
		int flags;
	} rows[] = {
		{ "/etc/shadow", O_RDONLY },
		{ "tls/key.pem", O_RDONLY },
		{ "grantd.conf", O_WRONLY },
		{ "new", O_WRONLY | O_CREAT },
		{ "resources/evil.json", O_WRONLY | O_CREAT },
		{ "/tmp/grantd-sandbox-outside", O_WRONLY | O_CREAT },
		{ "/dev/shm/grantd-sandbox-outside", O_WRONLY | O_CREAT },
	};

	(void)state;
	if (landlock_version() == 0)
		skip();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		wanted.path = rows[i].path;
		wanted.flags = rows[i].flags;
		CHECK_ROW(does(WALL_OF_FILES, open_wanted) == EACCES, "%s was opened\n",
			  rows[i].path);
	}
	for (size_t i = 0; i < COUNT_OF(acts); i++)
		CHECK_ROW(does(WALL_OF_FILES, acts[i]) == EACCES, "act %zu was done\n", i);
	CHECK(does(WALL_OF_FILES, move_root_key) == EXDEV ||
	      does(WALL_OF_FILES, move_root_key) == EACCES);
	CHECK(does(WALL_OF_FILES, link_root_key) == EXDEV ||
	      does(WALL_OF_FILES, link_root_key) == EACCES);
	CHECK(does(WALL_OF_FILES, replace_settings) == EXDEV ||
	      does(WALL_OF_FILES, replace_settings) == EACCES);
	CHECK(access("/tmp/grantd-sandbox-outside", F_OK) != 0);
	/* and without the walls each of them is a matter of who one is */
	wanted.path = "new";
	wanted.flags = O_WRONLY | O_CREAT;
	CHECK(does(0, read_root_key) == 0 && does(0, open_wanted) == 0);
}

static int use_its_own(void)
{
	static const char *const written[] = { "grantd.db",	    "grantd.db-wal",
					       "grantd.db-shm",	    "grantd.db.lock",
					       "grantd.db.reserve", "ended.log" };
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(written) && result == 0; i++)
		result = opening(in_dir(written[i]).at, O_RDWR);
	if (result == 0)
		result = opening(in_dir("share/page.html").at, O_RDONLY);
	if (result == 0)
		result = opening(in_dir("backups/new").at, O_RDWR | O_CREAT | O_EXCL);
	if (result == 0 && unlink(in_dir("backups/new").at) != 0)
		result = errno;
	if (result == 0)
		result = opening("/etc/hosts", O_RDONLY);
	return result;
}

static int bind_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", walls.folder);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return errno;
	return unlink(address.sun_path) == 0 ? 0 : errno;
}

static void what_serving_takes_is_open(void **state)
{
	(void)state;
	CHECK(does(WALL_OF_FILES, use_its_own) == 0);
	CHECK(does(WALL_OF_FILES, bind_socket) == 0);
	CHECK(does(WALL_OF_FILES | WALL_OF_CALLS, use_its_own) == 0);
}

static int the_root_key_is_hidden(void)
{
	struct sandbox sandbox = { 0 };

	return sandbox_shut_files(&walls.task, &walls.config, walls.environment, &sandbox) == OK &&
			       sandbox.hides_root
		       ? 0
		       : 1;
}

static void a_root_key_in_a_folder_that_is_read_is_told(void **state)
{
	(void)state;
	if (landlock_version() == 0)
		skip();
	CHECK(does(0, the_root_key_is_hidden) == 0);
	walls.config.root_key_file = in_dir("share/page.html");
	CHECK(does(0, the_root_key_is_hidden) == 1);
}

/* --- files of libpq --- */

static int opens(const char *path)
{
	wanted.path = path;
	wanted.flags = O_RDONLY;
	return does(WALL_OF_FILES, open_wanted);
}

static void of_a_password_file_nothing_beside_it_is_read(void **state)
{
	static const char *home[] = { NULL, NULL }, *named[] = { NULL, NULL, NULL };

	(void)state;
	if (landlock_version() == 0)
		skip();
	home[0] = STR_JOIN(&walls.task.arena, STR("HOME="), in_dir("home")).at;
	walls.environment = home;
	walls.config.database = STR("postgresql://db.example/grantd");
	CHECK(opens("home/.pgpass") == 0 && opens("home/.postgresql/root.crt") == 0);
	CHECK(opens("home/private") == EACCES && opens("pki/ca.pem") == EACCES);
	walls.config.database = STR_JOIN(&walls.task.arena,
					 STR("postgresql://db.example/grantd?passfile="),
					 in_dir("home/private"));
	CHECK(opens("home/private") == 0 && opens("home/.pgpass") == EACCES);
	named[0] = home[0];
	named[1] = STR_JOIN(&walls.task.arena, STR("PGPASSFILE="), in_dir("home/private")).at;
	walls.environment = named;
	walls.config.database = STR("postgresql://db.example/grantd");
	CHECK(opens("home/private") == 0 && opens("home/.pgpass") == EACCES);
}

static void certificates_may_be_replaced_but_in_a_home_only_themselves_are_read(void **state)
{
	static const char *variables[] = { NULL, NULL, NULL };

	(void)state;
	if (landlock_version() == 0)
		skip();
	variables[0] = STR_JOIN(&walls.task.arena, STR("HOME="), in_dir("home")).at;
	walls.environment = variables;
	walls.config.database = STR_JOIN(&walls.task.arena,
					 STR("postgresql://db.example/grantd?sslrootcert="),
					 in_dir("pki/ca.pem"));
	CHECK(opens("pki/ca.pem") == 0 && opens("pki/next.pem") == 0);
	CHECK(opens("/etc/passwd") == EACCES);
	walls.config.database = STR_JOIN(&walls.task.arena,
					 STR("postgresql://db.example/grantd?sslrootcert="),
					 in_dir("home/private"), STR("&requirepeer=postgres"));
	CHECK(opens("home/private") == 0 && opens("home/other") == EACCES);
	CHECK(opens("/etc/passwd") == 0);
	walls.config.database = STR("postgresql://db.example/grantd?sslrootcert=/etc/hostname");
	CHECK(opens("/etc/shadow") == EACCES && opens("/etc/group") == EACCES);
	variables[1] = STR_JOIN(&walls.task.arena, STR("PGSSLROOTCERT="), in_dir("pki/ca.pem")).at;
	walls.config.database = STR("postgresql://db.example/grantd");
	CHECK(opens("pki/next.pem") == 0);
	variables[1] = STR("PGSYSCONFDIR=/etc").at;
	CHECK(opens("/etc/shadow") == EACCES && opens("pki/ca.pem") == EACCES);
}

static void switched_off_nothing_is_shut(void **state)
{
	(void)state;
	walls.config.sandbox = false;
	CHECK(does(WALL_OF_FILES, read_root_key) == 0);
	CHECK(access(walls.config.backup_dir.at, F_OK) != 0);
}

int main(void)
{
	return RUN(CASE(no_file_is_opened_that_is_not_its_own), CASE(what_serving_takes_is_open),
		   CASE(a_root_key_in_a_folder_that_is_read_is_told),
		   CASE(of_a_password_file_nothing_beside_it_is_read),
		   CASE(certificates_may_be_replaced_but_in_a_home_only_themselves_are_read),
		   CASE(switched_off_nothing_is_shut));
}

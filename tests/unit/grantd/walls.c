/* SPDX-License-Identifier: Apache-2.0 */
#include "walls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/file.h"
#include "crypto/keys.h"
#include "grantd/sandbox.h"

struct walls walls;

struct str in_dir(const char *name)
{
	return file_path(&walls.task, walls.config.dir, str_from_c(name));
}

int walls_begin(void **state)
{
	static const char *const folders[] = { "tls",  "resources", "share",
					       "home", "pki",	    "home/.postgresql" };
	static const char *const files[] = { "share/page.html", "tls/key.pem",
					     "home/.pgpass",	"home/.postgresql/root.crt",
					     "home/private",	"home/other",
					     "pki/ca.pem",	"pki/next.pem" };

	(void)state;
	check_clock_start(&walls.clock);
	task_begin(&walls.task, &walls.clock.clock, NULL);
	(void)snprintf(walls.folder, sizeof(walls.folder), "/tmp/grantd-sandbox-XXXXXX");
	assert_non_null(mkdtemp(walls.folder));
	walls.config =
		(struct config){ .dir = str_from_c(walls.folder), .plain = true, .sandbox = true };
	walls.config.root_key_file = in_dir("root.key");
	walls.config.backup_dir = in_dir("backups");
	walls.config.share_dir = in_dir("share");
	walls.config.admin_socket = in_dir("admin.sock");
	walls.config.database = STR_JOIN(&walls.task.arena, STR("sqlite:"), in_dir("grantd.db"));
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		assert_int_equal(mkdir(in_dir(folders[i]).at, 0700), 0);
	CHECK_ERR(keys_create_root(&walls.task, walls.config.root_key_file), OK);
	CHECK_ERR(file_replace(&walls.task, in_dir("grantd.conf"), STR("issuer = x\n"), 0600), OK);
	CHECK_ERR(file_replace(&walls.task, in_dir("grantd.db"), STR("x"), 0600), OK);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		CHECK_ERR(file_replace(&walls.task, in_dir(files[i]), STR("x"), 0600), OK);
	walls.environment = NULL;
	return 0;
}

int walls_end(void **state)
{
	char *const remove[] = { (char[]){ "rm" }, (char[]){ "-rf" }, walls.folder, NULL };
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(execv("/bin/rm", remove));
	(void)waitpid(pid, NULL, 0);
	task_end(&walls.task);
	return 0;
}

enum err shut_calls(struct sandbox *sandbox)
{
	sandbox_list_calls(&walls.task, NULL, 0, sandbox);
	return sandbox_shut_calls(&walls.task, sandbox);
}

int does(unsigned which, int (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox sandbox = { .is_wanted = true };

		if ((which & WALL_OF_FILES) &&
		    sandbox_shut_files(&walls.task, &walls.config, walls.environment, &sandbox) !=
			    OK)
			_exit(200);
		if ((which & WALL_OF_CALLS) && shut_calls(&sandbox) != OK)
			_exit(201);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int opening(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600) >= 0 ? 0 : errno;
}

int start_program(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	return errno;
}

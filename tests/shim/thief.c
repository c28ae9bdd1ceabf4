/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thief inside the real daemon (LD_PRELOAD): whenever a connection comes, he tries one thing more
 * that the sandbox is to keep from him, and writes to the file that THIEF_LOG names, opened before
 * the walls, how it ended: "open root.key 13". The last one is a shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_LEN 512

static int log_file = -1;
static atomic_int tried;

__attribute__((constructor)) static void open_log(void)
{
	const char *path = getenv("THIEF_LOG");

	if (path != NULL)
		log_file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

static int open_in_dir(const char *name, int flags)
{
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("THIEF_DIR"), name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int read_root_key(void)
{
	return open_in_dir("root.key", O_RDONLY);
}

static int write_settings(void)
{
	return open_in_dir("grantd.conf", O_WRONLY);
}

static int write_resource(void)
{
	return open_in_dir("resources/evil.json", O_WRONLY | O_CREAT);
}

static int read_shadow(void)
{
	return open("/etc/shadow", O_RDONLY);
}

static int write_outside(void)
{
	return open("/tmp/grantd-thief", O_WRONLY | O_CREAT, 0600);
}

static int sniff(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int open_to_all(void)
{
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/root.key", getenv("THIEF_DIR"));
	return chmod(path, 0600);
}

static int fork_off(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int start_shell(void)
{
	return execl("/bin/sh", "sh", "-c", ":", (char *)NULL);
}

static const struct {
	const char *name;
	int (*act)(void);
} acts[] = {
	{ "read root.key", read_root_key },	{ "write grantd.conf", write_settings },
	{ "write a resource", write_resource }, { "read shadow", read_shadow },
	{ "write outside", write_outside },	{ "sniff", sniff },
	{ "chmod root.key", open_to_all },	{ "fork", fork_off },
	{ "start a shell", start_shell },
};

static void try_one(void)
{
	size_t at = (size_t)atomic_fetch_add(&tried, 1);
	char line[PATH_LEN];
	int got;

	if (log_file < 0 || at >= sizeof(acts) / sizeof(*acts))
		return;
	/* what he does not come back from is the last that is said */
	(void)dprintf(log_file, "%s?\n", acts[at].name);
	errno = 0;
	got = acts[at].act();
	(void)snprintf(line, sizeof(line), "%s: %d\n", acts[at].name, got >= 0 ? 0 : errno);
	if (write(log_file, line, strlen(line)) < 0)
		abort();
}

__attribute__((visibility("default"))) int accept4(int fd, struct sockaddr *address, socklen_t *len,
						   int flags);

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	int saved, got = (int)syscall(SYS_accept4, fd, address, len, flags);

	saved = errno;
	if (got >= 0)
		try_one();
	errno = saved;
	return got;
}

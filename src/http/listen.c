/* SPDX-License-Identifier: Apache-2.0 */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/task.h"

#define HOST_MAX INET6_ADDRSTRLEN

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
	socklen_t len;
};

static const struct str unix_prefix = STR_INIT("unix:");

bool listen_is_unix(struct str address)
{
	return str_starts_with(address, unix_prefix);
}

static enum err refuse(struct task *task, struct str text, const char *what)
{
	return failf(task, ERR_CONFIG, "listen %.*s: %s: %s", STR_FMT(text), what, strerror(errno));
}

/* Who lacks the right to a low port (capabilities(7)) is told of both ways out. */
static enum err refuse_bind(struct task *task, struct str text)
{
	if (errno != EACCES)
		return refuse(task, text, "cannot be bound");
	return failf(task, ERR_CONFIG,
		     "listen %.*s: cannot be bound: %s; a port below 1024 takes "
		     "CAP_NET_BIND_SERVICE, or listen = 127.0.0.1:8443 with a proxy in front",
		     STR_FMT(text), strerror(errno));
}

static enum err parse_unix(struct task *task, struct str text, struct address *ret_address)
{
	struct str path = str_from(text, unix_prefix.len);
	struct address address = { .local.sun_family = AF_UNIX, .len = sizeof(address.local) };

	if (path.len == 0 || path.at[0] != '/' || path.len >= sizeof(address.local.sun_path))
		return failf(task, ERR_CONFIG, "listen %.*s: not an absolute path under 108 bytes",
			     STR_FMT(text));
	memcpy(address.local.sun_path, path.at, path.len);
	*ret_address = address;
	return OK;
}

static enum err parse_tcp(struct task *task, struct str text, struct address *ret_address)
{
	struct address address = { 0 };
	char host[HOST_MAX] = { 0 };
	size_t colon = text.len;
	struct str name;
	uint64_t port;

	while (colon > 0 && text.at[colon - 1] != ':')
		colon--;
	name = str_sub(text, 0, colon > 0 ? colon - 1 : 0);
	if (!str_to_u64(str_from(text, colon), 65535, &port))
		return failf(task, ERR_CONFIG, "listen %.*s: no port", STR_FMT(text));
	if (str_starts_with(name, STR("[")) && str_ends_with(name, STR("]")))
		name = str_sub(name, 1, name.len - 2);
	if (name.len > 0 && name.len < sizeof(host))
		memcpy(host, name.at, name.len);
	if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons((uint16_t)port);
		address.len = sizeof(address.v4);
	} else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons((uint16_t)port);
		address.len = sizeof(address.v6);
	} else {
		return failf(task, ERR_CONFIG, "listen %.*s: not an IP address with a port",
			     STR_FMT(text));
	}
	*ret_address = address;
	return OK;
}

static int socket_for(const struct address *address)
{
	return socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int set(int fd, int level, int option)
{
	static const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on));
}

/* Binds alone for a moment: fails when anybody else listens there. */
static enum err check_free(struct task *task, struct str text, const struct address *address)
{
	int fd = socket_for(address);
	enum err err = OK;

	if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEADDR) != 0 ||
	    bind(fd, &address->any, address->len) != 0)
		err = refuse_bind(task, text);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Accepted sockets inherit TCP_NODELAY. */
static int prepare_tcp(int fd, int family)
{
	if (set(fd, SOL_SOCKET, SO_REUSEADDR) != 0 || set(fd, SOL_SOCKET, SO_REUSEPORT) != 0 ||
	    set(fd, IPPROTO_TCP, TCP_NODELAY) != 0)
		return -1;
	return family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_V6ONLY) : 0;
}

static enum err open_tcp(struct task *task, struct str text, struct address *address, int *ret_fd)
{
	int fd = socket_for(address);

	if (fd < 0)
		return refuse(task, text, "no socket");
	/* with port 0 the first socket gets one, and the others take the same */
	if (prepare_tcp(fd, address->any.sa_family) != 0 ||
	    bind(fd, &address->any, address->len) != 0 || listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, &address->any, &address->len) != 0) {
		enum err err = refuse_bind(task, text);

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return OK;
}

/* A socket file that nobody answers at was left by a process that was killed. */
static void remove_stale(const struct address *address)
{
	struct stat status;
	int fd;

	if (lstat(address->local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	fd = socket_for(address);
	if (fd < 0)
		return;
	if (connect(fd, &address->any, address->len) != 0 && errno == ECONNREFUSED)
		(void)unlink(address->local.sun_path);
	close(fd);
}

static enum err open_unix(struct task *task, struct str text, const struct address *address,
			  unsigned mode, int *ret_fd)
{
	int fd = socket_for(address);

	if (fd < 0)
		return refuse(task, text, "no socket");
	remove_stale(address);
	/* nobody gets in between bind and chmod */
	if (fchmod(fd, 0600) != 0 || bind(fd, &address->any, address->len) != 0 ||
	    chmod(address->local.sun_path, mode) != 0 || listen(fd, SOMAXCONN) != 0) {
		enum err err = refuse(task, text, "cannot be bound");

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return OK;
}

enum err listen_open(struct task *task, struct str text, unsigned unix_mode, int *fds, size_t count,
		     unsigned *ret_port)
{
	struct address address = { 0 };

	if (listen_is_unix(text)) {
		TRY(parse_unix(task, text, &address));
		*ret_port = 0;
		return open_unix(task, text, &address, unix_mode, &fds[0]);
	}
	TRY(parse_tcp(task, text, &address));
	TRY(check_free(task, text, &address));
	for (size_t i = 0; i < count; i++) {
		enum err err = open_tcp(task, text, &address, &fds[i]);

		if (err == OK)
			continue;
		while (i-- > 0)
			close(fds[i]);
		return err;
	}
	*ret_port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port
							   : address.v6.sin6_port);
	return OK;
}

void listen_unlink(struct str address)
{
	struct sockaddr_un name = { 0 };
	struct str path = str_from(address, unix_prefix.len);

	if (!listen_is_unix(address) || path.len >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path.at, path.len);
	(void)unlink(name.sun_path);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets, files, processes and threads, of grantd and of its libraries: each as the system refuses
 * it.
 */
#include "inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <seccomp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a connection that was reset: nobody reads or writes there any more, at either end. */
static int reset(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
	return ECONNRESET;
}

#define SEND(result, name, parameters, arguments, error)                                           \
	WATCH(INJECT_SEND, result, name, parameters, arguments, (errno = (error), -1))
#define SYSTEM(result, name, parameters, arguments, error)                                         \
	WATCH(INJECT_SYSTEM, result, name, parameters, arguments, (errno = (error), -1))
/* that answer their error */
#define ANSWERS(name, parameters, arguments, error)                                                \
	WATCH(INJECT_SYSTEM, int, name, parameters, arguments, (error))

SEND(ssize_t, send, (int fd, const void *at, size_t len, int flags), (fd, at, len, flags),
     reset(fd))
SEND(ssize_t, sendto,
     (int fd, const void *at, size_t len, int flags, const struct sockaddr *to, socklen_t to_len),
     (fd, at, len, flags, to, to_len), reset(fd))
SEND(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
     ENOBUFS)
SEND(ssize_t, recv, (int fd, void *at, size_t len, int flags), (fd, at, len, flags), reset(fd))
SEND(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), ENOMEM)
SEND(int, accept4, (int fd, struct sockaddr *address, socklen_t *len, int flags),
     (fd, address, len, flags), EMFILE)
SEND(int, socket, (int domain, int type, int protocol), (domain, type, protocol), EMFILE)
SEND(int, socketpair, (int domain, int type, int protocol, int ret[2]),
     (domain, type, protocol, ret), EMFILE)
SEND(int, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
     EADDRINUSE)
SEND(int, listen, (int fd, int backlog), (fd, backlog), EADDRINUSE)
SEND(int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
     ECONNREFUSED)
SEND(int, setsockopt, (int fd, int level, int name, const void *at, socklen_t len),
     (fd, level, name, at, len), ENOBUFS)
SEND(int, getsockopt, (int fd, int level, int name, void *ret, socklen_t *len),
     (fd, level, name, ret, len), ENOBUFS)
SEND(int, getsockname, (int fd, struct sockaddr *ret, socklen_t *len), (fd, ret, len), ENOBUFS)
SEND(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event),
     (epoll, what, fd, event), ENOMEM)
SEND(int, epoll_create1, (int flags), (flags), EMFILE)
SEND(int, epoll_wait, (int epoll, struct epoll_event *ret, int count, int wait),
     (epoll, ret, count, wait), ENOMEM)
SEND(int, eventfd, (unsigned count, int flags), (count, flags), EMFILE)
SEND(int, poll, (struct pollfd * list, nfds_t count, int wait), (list, count, wait), ENOMEM)

SYSTEM(ssize_t, read, (int fd, void *at, size_t len), (fd, at, len), EIO)
SYSTEM(ssize_t, write, (int fd, const void *at, size_t len), (fd, at, len), ENOSPC)
SYSTEM(ssize_t, pread64, (int fd, void *at, size_t len, off64_t from), (fd, at, len, from), EIO)
SYSTEM(ssize_t, pwrite64, (int fd, const void *at, size_t len, off64_t to), (fd, at, len, to),
       ENOSPC)
SYSTEM(int, ftruncate64, (int fd, off64_t len), (fd, len), EIO)
SYSTEM(off64_t, lseek64, (int fd, off64_t to, int from), (fd, to, from), EIO)
SYSTEM(int, fstat64, (int fd, struct stat64 *ret), (fd, ret), EIO)
SYSTEM(int, stat64, (const char *path, struct stat64 *ret), (path, ret), EIO)
SYSTEM(int, lstat64, (const char *path, struct stat64 *ret), (path, ret), EIO)
SYSTEM(int, access, (const char *path, int mode), (path, mode), EIO)
SYSTEM(int, faccessat, (int folder, const char *path, int mode, int flags),
       (folder, path, mode, flags), EIO)
SYSTEM(int, fdatasync, (int fd), (fd), EIO)
SYSTEM(int, fsync, (int fd), (fd), EIO)
SYSTEM(int, flock, (int fd, int what), (fd, what), ENOLCK)
SYSTEM(int, rename, (const char *from, const char *to), (from, to), EIO)
SYSTEM(int, link, (const char *from, const char *to), (from, to), EIO)
SYSTEM(int, unlink, (const char *path), (path), EIO)
SYSTEM(int, renameat, (int from_folder, const char *from, int to_folder, const char *to),
       (from_folder, from, to_folder, to), EIO)
SYSTEM(int, linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags),
       (from_folder, from, to_folder, to, flags), EIO)
SYSTEM(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), EIO)
SYSTEM(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)
SYSTEM(int, fchmod, (int fd, mode_t mode), (fd, mode), EIO)
SYSTEM(int, fchown, (int fd, uid_t user, gid_t group), (fd, user, group), EPERM)
SYSTEM(int, chmod, (const char *path, mode_t mode), (path, mode), EPERM)
SYSTEM(int, chown, (const char *path, uid_t user, gid_t group), (path, user, group), EPERM)
SYSTEM(int, memfd_create, (const char *name, unsigned flags), (name, flags), EMFILE)
SYSTEM(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags), EMFILE)
SYSTEM(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags), EMFILE)
SYSTEM(int, close_range, (unsigned from, unsigned to, int flags), (from, to, flags), EMFILE)
SYSTEM(int, getrlimit64, (__rlimit_resource_t what, struct rlimit64 *ret), (what, ret), EPERM)
SYSTEM(int, setrlimit64, (__rlimit_resource_t what, const struct rlimit64 *to), (what, to), EPERM)
SYSTEM(int, gethostname, (char *ret, size_t size), (ret, size), ENAMETOOLONG)
SYSTEM(int, pipe2, (int ret[2], int flags), (ret, flags), EMFILE)
SYSTEM(pid_t, fork, (void), (), EAGAIN)
SYSTEM(pid_t, waitpid, (pid_t pid, int *ret, int flags), (pid, ret, flags), ECHILD)
SYSTEM(int, waitid, (idtype_t what, id_t id, siginfo_t *ret, int flags), (what, id, ret, flags),
       ECHILD)
ANSWERS(posix_fallocate64, (int fd, off64_t from, off64_t len), (fd, from, len), ENOSPC)
ANSWERS(posix_spawn,
	(pid_t * ret, const char *path, const posix_spawn_file_actions_t *actions,
	 const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]),
	(ret, path, actions, attributes, arguments, environment), EAGAIN)
ANSWERS(pthread_create,
	(pthread_t * ret, const pthread_attr_t *attributes, void *(*run)(void *), void *arg),
	(ret, attributes, run, arg), EAGAIN)
WATCH(INJECT_SYSTEM, scmp_filter_ctx, seccomp_init, (uint32_t otherwise), (otherwise), NULL)
ANSWERS(seccomp_attr_set, (scmp_filter_ctx filter, enum scmp_filter_attr name, uint32_t value),
	(filter, name, value), -ENOMEM)
ANSWERS(seccomp_rule_add_array,
	(scmp_filter_ctx filter, uint32_t action, int call, unsigned count,
	 const struct scmp_arg_cmp *arguments),
	(filter, action, call, count, arguments), -ENOMEM)
ANSWERS(seccomp_export_bpf, (const scmp_filter_ctx filter, int fd), (filter, fd), -EIO)
WATCH(INJECT_SYSTEM, DIR *, opendir, (const char *path), (path), (errno = EMFILE, NULL))
WATCH(INJECT_SYSTEM, DIR *, fdopendir, (int fd), (fd), (errno = ENOMEM, NULL))
WATCH(INJECT_SYSTEM, struct dirent64 *, readdir64, (DIR * folder), (folder), (errno = EIO, NULL))
WATCH(INJECT_SYSTEM, char *, realpath, (const char *path, char *ret), (path, ret),
      (errno = EIO, NULL))
WATCH(INJECT_SYSTEM, char *, getcwd, (char *ret, size_t size), (ret, size), (errno = EIO, NULL))
WATCH(INJECT_SYSTEM, FILE *, fdopen, (int fd, const char *mode), (fd, mode), (errno = ENOMEM, NULL))
WATCH(INJECT_SYSTEM, void *, mmap64,
      (void *at, size_t len, int protection, int flags, int fd, off64_t from),
      (at, len, protection, flags, fd, from), (errno = ENOMEM, MAP_FAILED))

/* The mode is not always there; then what is passed on is not looked at. */
#define OPENS(name, before, ...)                                                                   \
	__attribute__((visibility("default"))) int name before                                     \
	{                                                                                          \
		static __typeof__(name) *real;                                                     \
		va_list list;                                                                      \
		mode_t mode;                                                                       \
		va_start(list, flags);                                                             \
		mode = va_arg(list, mode_t);                                                       \
		va_end(list);                                                                      \
		if (real == NULL)                                                                  \
			real = (__typeof__(name) *)inject_real(#name);                             \
		if (!INJECT(INJECT_SYSTEM, #name))                                                 \
			return real(__VA_ARGS__, mode);                                            \
		errno = EMFILE;                                                                    \
		return -1;                                                                         \
	}

OPENS(open64, (const char *path, int flags, ...), path, flags)
OPENS(openat64, (int folder, const char *path, int flags, ...), folder, path, flags)

/* What follows the first is a number, an address or nothing: one word each in any case. */
#define CALLS_WORDS(result, type, name, first)                                                     \
	__attribute__((visibility("default"))) result name(type first, ...)                        \
	{                                                                                          \
		static __typeof__(name) *real;                                                     \
		long words[5];                                                                     \
		va_list list;                                                                      \
		va_start(list, first);                                                             \
		for (size_t i = 0; i < 5; i++)                                                     \
			words[i] = va_arg(list, long);                                             \
		va_end(list);                                                                      \
		if (real == NULL)                                                                  \
			real = (__typeof__(name) *)inject_real(#name);                             \
		if (!INJECT(INJECT_SYSTEM, #name))                                                 \
			return real(first, words[0], words[1], words[2], words[3], words[4]);      \
		errno = EPERM;                                                                     \
		return -1;                                                                         \
	}

CALLS_WORDS(int, int, prctl, what)
CALLS_WORDS(long, long, syscall, number)

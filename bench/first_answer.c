/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	first_answer PORT PATH PROGRAM ARGUMENT...
 *
 * Starts the program, asks for PATH over plain HTTP until the answer is 200, prints how many ms
 * that took, and ends the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "outside.h"

#define PATIENCE_NS INT64_C(20000000000)
/* a try costs up to 60 µs: more of them take a core from who is starting */
#define PAUSE_NS 500000L

static pid_t start(char **words)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
	execv(words[0], words);
	fprintf(stderr, "first_answer: %s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static bool answers(int port, const char *path)
{
	char request[512], answer[64];
	bool is_well = false;
	int fd = connect_to(port);
	int len = snprintf(request, sizeof(request),
			   "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n", path);

	if (fd < 0)
		return false;
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) == len &&
	    recv(fd, answer, sizeof(answer), 0) > 12)
		is_well = strncmp(answer, "HTTP/1.1 200", 12) == 0;
	close(fd);
	return is_well;
}

int main(int argc, char **argv)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };
	int64_t begin = now_ns(), end;
	bool is_well = false;
	pid_t pid;
	int port;

	if (argc < 4) {
		fprintf(stderr, "usage: first_answer PORT PATH PROGRAM ARGUMENT...\n");
		return 2;
	}
	port = (int)number_of(argv[1]);
	pid = start(argv + 3);
	if (pid < 0)
		return 1;
	while (!(is_well = answers(port, argv[2])) && now_ns() - begin < PATIENCE_NS &&
	       waitpid(pid, NULL, WNOHANG) == 0)
		nanosleep(&pause, NULL);
	end = now_ns();
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	if (!is_well) {
		fprintf(stderr, "first_answer: %s gave no answer\n", argv[3]);
		return 1;
	}
	printf("%.2f\n", (double)(end - begin) / 1e6);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

int64_t number_of(const char *digits)
{
	int64_t number = 0;
	const char *at = digits;

	while (*at == ' ')
		at++;
	if (*at < '0' || *at > '9')
		die("not a number: %.20s", digits);
	for (; *at >= '0' && *at <= '9' && number < INT64_MAX / 100; at++)
		number = number * 10 + (*at - '0');
	return number;
}

int64_t seconds_of(const char *text)
{
	return (int64_t)(strtod(text, NULL) * (double)NS_PER_SEC);
}

int connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

double own_cpu(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void wait_for_word(void)
{
	printf("go\n");
	(void)fflush(stdout);
	if (getchar() == EOF)
		exit(1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	handshakes full|resumed PORT SECONDS PATH
 *	handshakes stalled PORT SECONDS CONNECTIONS
 *
 * full, resumed: connects, shakes hands, asks once for PATH, closes, again and again from a few
 * threads. stalled: opens many connections, begins a TLS record on each and never goes on. Says
 * "go" and waits for a line before it begins to count; prints one line of JSON.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "outside.h"

#define THREADS 4

struct caller {
	pthread_t thread;
	SSL_CTX *tls;
	SSL_SESSION *session; /* the newest ticket */
	const char *request;
	int port;
	int64_t until;
	bool resumes;
	long count;
};

static _Noreturn void die_of(const char *what)
{
	ERR_print_errors_fp(stderr);
	die("%s", what);
}

/* Closing sends a reset: thousands of ports in TIME_WAIT would end the run. */
static int connect_shortly(int port)
{
	struct linger linger = { .l_onoff = 1 };
	int fd = connect_to(port);

	if (fd < 0)
		die("no connection to port %d", port);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

/* Each ticket is used once, as RFC 8446 C.4 asks of clients. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct caller *caller = SSL_get_app_data(ssl);

	SSL_SESSION_free(caller->session);
	caller->session = session;
	return 1;
}

static void ask_once(SSL *ssl, const char *request)
{
	char answer[32768];
	size_t len = 0;

	if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
		die_of("request");
	while (len < sizeof(answer) - 1) {
		int got = SSL_read(ssl, answer + len, (int)(sizeof(answer) - 1 - len));

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	answer[len] = '\0';
	if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0)
		die_of(answer);
}

static void shake_hands(struct caller *caller, bool must_resume)
{
	int fd = connect_shortly(caller->port);
	SSL *ssl = SSL_new(caller->tls);

	if (ssl == NULL)
		die_of("SSL_new");
	SSL_set_app_data(ssl, caller);
	if (caller->resumes && caller->session != NULL)
		SSL_set_session(ssl, caller->session);
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		die_of("handshake");
	if (SSL_session_reused(ssl) != must_resume)
		die_of(must_resume ? "the session was not resumed" : "a session was resumed");
	ask_once(ssl, caller->request);
	/* else its session would count as broken off, and not be resumed */
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static void *call(void *arg)
{
	struct caller *caller = arg;

	while (now_ns() < caller->until) {
		shake_hands(caller, caller->resumes);
		caller->count++;
	}
	return NULL;
}

static void prepare(struct caller *caller)
{
	caller->tls = SSL_CTX_new(TLS_client_method());
	if (caller->tls == NULL)
		die_of("SSL_CTX_new");
	SSL_CTX_set_verify(caller->tls, SSL_VERIFY_NONE, NULL);
	if (!caller->resumes)
		return;
	SSL_CTX_set_session_cache_mode(caller->tls,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(caller->tls, keep_session);
	shake_hands(caller, false);
	if (caller->session == NULL)
		die_of("the server gave no ticket");
}

static void report(long count, int64_t begin)
{
	printf("{\"count\":%ld,\"seconds\":%.4f,\"own_cpu\":%.3f}\n", count,
	       (double)(now_ns() - begin) / (double)NS_PER_SEC, own_cpu());
}

static void call_often(const struct caller *plan, int64_t run_ns)
{
	struct caller callers[THREADS];
	int64_t begin;
	long count = 0;

	for (int i = 0; i < THREADS; i++) {
		callers[i] = *plan;
		prepare(&callers[i]);
	}
	wait_for_word();
	begin = now_ns();
	for (int i = 0; i < THREADS; i++) {
		callers[i].until = begin + run_ns;
		if (pthread_create(&callers[i].thread, NULL, call, &callers[i]) != 0)
			die_of("pthread_create");
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(callers[i].thread, NULL);
		count += callers[i].count;
	}
	report(count, begin);
}

/* The head of a record of 512 bytes, and no more of it. */
static void stall(int port, long connections, int64_t run_ns)
{
	static const char beginning[] = "\x16\x03\x01\x02\x00\x01";
	struct timespec settle = { .tv_nsec = 500000000 };
	struct timespec rest = { .tv_sec = run_ns / NS_PER_SEC, .tv_nsec = run_ns % NS_PER_SEC };
	int64_t begin;

	for (long i = 0; i < connections; i++)
		if (write(connect_shortly(port), beginning, sizeof(beginning) - 1) < 0)
			die_of("write");
	nanosleep(&settle, NULL); /* taking them up is not what is asked */
	wait_for_word();
	begin = now_ns();
	nanosleep(&rest, NULL);
	report(connections, begin);
}

int main(int argc, char **argv)
{
	struct caller caller = { 0 };
	char request[512];
	int64_t run_ns;

	if (argc != 5) {
		fprintf(stderr, "usage: handshakes full|resumed|stalled PORT SECONDS PATH|COUNT\n");
		return 2;
	}
	caller.port = (int)number_of(argv[2]);
	run_ns = seconds_of(argv[3]);
	if (strcmp(argv[1], "stalled") == 0) {
		stall(caller.port, number_of(argv[4]), run_ns);
		return 0;
	}
	(void)snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: grantd.localhost\r\nConnection: close\r\n\r\n",
		       argv[4]);
	caller.request = request;
	caller.resumes = strcmp(argv[1], "resumed") == 0;
	call_often(&caller, run_ns);
	return 0;
}

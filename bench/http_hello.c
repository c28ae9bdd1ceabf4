/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of one small JSON answer, for measuring the HTTP core by itself (bench/http.sh).
 * usage: http_hello LOOPS PLAIN_PORT TLS_PORT CERT KEY [log]
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/random.h"
#include "http/server.h"
#include "http/tls.h"

static enum err say_hello(struct exchange *exchange)
{
	reply_field(exchange, STR("Cache-Control"), STR("no-store"));
	reply_with(exchange, 200, STR("application/json"),
		   STR("{\"active\":true,\"scope\":\"mail.read\",\"client_id\":\"agent\","
		       "\"sub\":\"usr_abcdefghijklmnopqrstuvwxyz\",\"exp\":1795597500}"));
	return OK;
}

static void refuse(struct exchange *exchange, enum err err)
{
	reply_with(exchange, 404, STR("text/plain"), str_from_c(err_name(err)));
}

static const struct route routes[] = {
	{ "GET", "/hello.json", say_hello, LANE_LOOP, 0 },
	{ "GET", "/worker.json", say_hello, LANE_STORE, 0 },
};
static const struct door door = { routes, COUNT_OF(routes), NULL, refuse, NULL };
static const struct door *const doors[] = { &door };

static enum err serve(struct task *task, char **argv, struct http_config *config,
		      struct http_listener *listeners)
{
	CLEANUP(tls_free) struct tls *tls = NULL;
	CLEANUP(http_server_free) struct http_server *server = NULL;
	sigset_t wanted;
	int signal;

	TRY(tls_open(task, str_from_c(argv[4]), str_from_c(argv[5]), &tls));
	listeners[1].tls = tls;
	TRY(http_server_open(task, config, &server));
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	TRY(http_server_start(task, server));
	(void)sigwait(&wanted, &signal);
	http_server_stop(server, 1000);
	return OK;
}

int main(int argc, char **argv)
{
	struct clock clock = { 0 };
	struct log log = { .fd = STDOUT_FILENO, .level = LOG_WARNING };
	struct http_listener listeners[2] = { 0 };
	struct http_config config = {
		.listeners = listeners,
		.listener_count = COUNT_OF(listeners),
		.lanes = { [LANE_STORE] = { 1, 1000 } },
		.clock = &clock,
		.log = &log,
		.random = random_bytes,
	};
	struct task task;
	uint64_t loops;
	enum err err;

	if (argc < 6 || !str_to_u64(str_from_c(argv[1]), 64, &loops)) {
		fprintf(stderr, "usage: http_hello LOOPS PLAIN_PORT TLS_PORT CERT KEY [log]\n");
		return 2;
	}
	if (argc > 6)
		log.level = LOG_INFO;
	task_begin(&task, &clock, &log);
	config.loops = (unsigned)loops;
	for (size_t i = 0; i < COUNT_OF(listeners); i++)
		listeners[i] = (struct http_listener){
			.address = str_printf(&task.arena, "127.0.0.1:%s", argv[2 + i]),
			.doors = doors,
			.door_count = COUNT_OF(doors),
		};
	err = serve(&task, argv, &config, listeners);
	if (err != OK)
		fprintf(stderr, "http_hello: %.*s\n", STR_FMT(task.reason));
	task_end(&task);
	return err == OK ? 0 : 1;
}

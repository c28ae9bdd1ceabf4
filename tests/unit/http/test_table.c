/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of malformed and ambiguous requests (rows.h) over real sockets: to our core, and to
 * nginx in front of it. Both must end each row as the table says, we without a handler having run
 * for what is refused.
 */
#include "wire.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "rows.h"

#define NGINX	      "/usr/sbin/nginx"
#define complain(...) (print_error(__VA_ARGS__), 1u)

extern char **environ;

static struct wire wire;

static int begin(void **state)
{
	(void)state;
	wire_begin(&wire);
	wire.config.limits = (struct http_limits){ .head_ms = 300, .body_ms = 300 };
	wire_start(&wire);
	return 0;
}

static int end(void **state)
{
	(void)state;
	wire_end(&wire);
	return 0;
}

/* The status of the first answer that is not 100; 0 when the connection ends without one. */
static unsigned ask(unsigned port, struct str bytes)
{
	int fd = wire_connect(port);
	char answer[16] = { 0 };
	size_t len = 0;
	ssize_t got;

	wire_send(fd, bytes);
	while (len < 12 && (got = recv(fd, answer + len, 12 - len, 0)) > 0)
		len += (size_t)got;
	/* the end is ours to wait for: a kept connection would be the server's */
	shutdown(fd, SHUT_WR);
	(void)expect_end(fd);
	if (len < 12 || memcmp(answer, "HTTP/1.1 ", 9) != 0)
		return 0;
	return (unsigned)((answer[9] - '0') * 100 + (answer[10] - '0') * 10 + answer[11] - '0');
}

/* An answer by a handler or by the door: the request was taken for one. */
static bool is_accepted(unsigned status)
{
	return status == 200 || status == 404;
}

static bool ends_as_it_should(const struct row *row, unsigned status, unsigned handled)
{
	if (row->status == 0)
		return is_accepted(status);
	return status == row->status && handled == 0;
}

static unsigned free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(fd, (struct sockaddr *)&address, len) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void write_config(const char *dir, unsigned port)
{
	char path[128];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/nginx.conf", dir);
	out = fopen(path, "w");
	CHECK(out != NULL);
	(void)fprintf(out,
		      "daemon off; master_process off; pid %s/pid; error_log %s/log crit;\n"
		      "events { worker_connections 64; }\n"
		      "http { access_log off; client_header_timeout 1s; client_body_timeout 1s;\n"
		      "keepalive_timeout 1s; client_max_body_size 64k;\n"
		      "client_body_temp_path %s/a; proxy_temp_path %s/b; fastcgi_temp_path %s/c;\n"
		      "uwsgi_temp_path %s/d; scgi_temp_path %s/e;\n"
		      "server { listen 127.0.0.1:%u; location / {\n"
		      "proxy_pass http://127.0.0.1:%u; } } }\n",
		      dir, dir, dir, dir, dir, dir, dir, port, wire.port);
	CHECK(fclose(out) == 0);
}

static bool answers(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	is_there = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return is_there;
}

static pid_t start_nginx(const char *dir, unsigned port)
{
	char config[128], log[128];
	char *argv[] = {
		(char[]){ "nginx" }, (char[]){ "-e" }, log, (char[]){ "-c" }, config, NULL
	};
	pid_t pid;

	(void)snprintf(config, sizeof(config), "%s/nginx.conf", dir);
	(void)snprintf(log, sizeof(log), "%s/log", dir);
	write_config(dir, port);
	CHECK(posix_spawn(&pid, NGINX, NULL, NULL, argv, environ) == 0);
	while (!answers(port)) {
		/* it ended instead of listening */
		CHECK(waitpid(pid, NULL, WNOHANG) == 0);
		usleep(10000);
	}
	return pid;
}

static void remove_all(const char *dir)
{
	static const char *const names[] = { "nginx.conf", "pid", "log", "a", "b", "c", "d", "e" };
	char path[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (unlink(path) != 0)
			(void)rmdir(path);
	}
	(void)rmdir(dir);
}

static unsigned ask_for(const struct row *row, unsigned port)
{
	struct arena arena = { 0 };
	unsigned status = ask(port, row_bytes(&arena, row));

	arena_free(&arena);
	return status;
}

static void ask_nginx(unsigned *statuses)
{
	char dir[] = "/tmp/grantd-nginx-XXXXXX";
	unsigned port;
	pid_t pid;

	CHECK_ROW(access(NGINX, X_OK) == 0, "%s is missing: tools/install-deps test\n", NGINX);
	CHECK(mkdtemp(dir) != NULL);
	port = free_port();
	pid = start_nginx(dir, port);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		statuses[i] = ask_for(&rows[i], port);
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	remove_all(dir);
}

static void we_end_every_row_as_the_table_says(void **state)
{
	unsigned failures = 0, must_refuse = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned handled = stage.handled;
		unsigned status = ask_for(&rows[i], wire.port);

		must_refuse += rows[i].status != 0;
		if (!ends_as_it_should(&rows[i], status, stage.handled - handled))
			failures += complain("%s: %u instead of %u\n", rows[i].name, status,
					     rows[i].status);
	}
	CHECK(must_refuse >= 60);
	CHECK(failures == 0);
}

static void nginx_ends_every_row_as_the_table_says(void **state)
{
	static unsigned statuses[COUNT_OF(rows)];
	unsigned failures = 0;

	(void)state;
	ask_nginx(statuses);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (statuses[i] != rows[i].nginx)
			failures += complain("%s: nginx says %u, the table has %u of nginx 1.22\n",
					     rows[i].name, statuses[i], rows[i].nginx);
	CHECK(failures == 0);
}

static void what_nginx_refuses_we_accept_only_with_a_reason(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool is_looser = rows[i].status == 0 && !is_accepted(rows[i].nginx);

		if (is_looser != (rows[i].why_not != NULL))
			failures += complain("%s: %s\n", rows[i].name,
					     is_looser ? "nginx refuses it, and no reason is given"
						       : "nginx accepts it too, or we refuse it");
	}
	CHECK(failures == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(we_end_every_row_as_the_table_says),
		cmocka_unit_test(nginx_ends_every_row_as_the_table_says),
		cmocka_unit_test(what_nginx_refuses_we_accept_only_with_a_reason),
	};

	return check_run(tests, COUNT_OF(tests), begin, end);
}

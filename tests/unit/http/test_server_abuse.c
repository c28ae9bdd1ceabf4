/* SPDX-License-Identifier: Apache-2.0 */
/* What a thief or a bad day does to a server: each test is named for what it must not achieve. */
#include "one_wire.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define ROOT "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static int port_of(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in address = { 0 };
	socklen_t len = sizeof(address);

	if (ask(fd, (struct sockaddr *)&address, &len) != 0 || address.sin_family != AF_INET)
		return -1;
	return ntohs(address.sin_port);
}

/* The server's end of a connection of ours: it runs in this process. */
static int other_end(int fd)
{
	int port = port_of(fd, getsockname);

	for (int at = 3; at < 1024; at++)
		if (at != fd && port_of(at, getpeername) == port)
			return at;
	return -1;
}

/* posix_spawn copies all descriptors into the child for the moment until it becomes the command. */
static void a_socket_that_a_child_still_holds_tells_nothing_to_a_closed_connection(void **state)
{
	int fd, held, copy, other;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	other = wire_connect(wire.port);
	wire_send(fd, STR(ROOT));
	expect(fd, 200, "root");
	held = other_end(fd);
	CHECK(held >= 0);
	copy = fcntl(held, F_DUPFD_CLOEXEC, 900);
	CHECK(copy >= 0);
	wire_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	expect(fd, 200, "root");
	while (fcntl(held, F_GETFD) != -1)
		;
	wire_send(other, STR(ROOT));
	expect(other, 200, "root");
	wire_send(fd, STR(ROOT));
	wire_send(other, STR(ROOT));
	expect(other, 200, "root");
	close(copy);
	close(fd);
	close(other);
}

static void one_who_ended_its_direction_with_the_request_is_not_kept_idle(void **state)
{
	const struct timeval patience = { .tv_sec = 10 };
	int blocker, fd;
	char byte;

	(void)state;
	wire.config.lanes[LANE_SLOW].workers = 0;
	wire.config.limits.idle_ms = 3600 * 1000;
	wire_start(&wire);
	blocker = wire_connect(wire.port);
	fd = wire_connect(wire.port);
	wire_send(fd, STR(ROOT));
	expect(fd, 200, "root");
	/* while the loop is busy, so that request and end arrive as one event */
	wire_send(blocker, STR("GET /block HTTP/1.1\r\nHost: h\r\n\r\n"));
	stage_await(&stage.blocked, 1);
	wire_send(fd, STR(ROOT));
	CHECK(shutdown(fd, SHUT_WR) == 0);
	stage_open(true);
	expect(fd, 200, "root");
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	CHECK(recv(fd, &byte, 1, 0) == 0);
	close(fd);
	close(blocker);
}

static void a_malformed_target_does_not_bring_its_query_into_the_log(void **state)
{
	static const struct str requests[] = {
		STR_INIT("GET foo?code=sesame HTTP/1.1\r\nHost: h\r\n\r\n"),
		STR_INIT("GET http://u:sesame@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
		STR_INIT("GET http://h?code=sesame HTTP/1.1\r\nHost: h\r\n\r\n"),
	};
	char text[8192] = { 0 };

	(void)state;
	wire.log.fd = memfd_create("log", MFD_CLOEXEC);
	wire.log.level = LOG_INFO;
	wire_start(&wire);
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		int fd = wire_connect(wire.port);

		wire_send(fd, requests[i]);
		expect(fd, 400, NULL);
		close(fd);
	}
	http_server_stop(wire.server, 1000);
	CHECK(pread(wire.log.fd, text, sizeof(text) - 1, 0) > 0);
	CHECK(strstr(text, "\"status\":400") != NULL);
	CHECK(strstr(text, "sesame") == NULL);
	close(wire.log.fd);
	wire.log.level = LOG_ERROR;
}

static void without_file_descriptors_a_client_waits_and_is_served_later(void **state)
{
	struct rlimit before, few;
	int fds[128], count = 0, fd, other;

	(void)state;
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	few = (struct rlimit){ 64, before.rlim_max };
	wire_start(&wire);
	other = wire_connect(wire.port);
	wire_send(other, STR(ROOT));
	expect(other, 200, "root");
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	while (count < (int)COUNT_OF(fds) && (fds[count] = dup(STDIN_FILENO)) >= 0)
		count++;
	CHECK(count > 0 && fds[count] == -1);
	/* the last one is the client's own */
	close(fds[--count]);
	fd = wire_connect(wire.port);
	wire_send(fd, STR(ROOT));
	wire_send(other, STR(ROOT));
	expect(other, 200, "root");
	while (count > 0)
		close(fds[--count]);
	expect(fd, 200, "root");
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	close(fd);
	close(other);
}

static void idle_connections_make_room_for_those_who_ask(void **state)
{
	int idle, silent, asking;

	(void)state;
	wire.config.limits.connections = 2;
	wire.config.limits.idle_ms = wire.config.limits.head_ms = 3600 * 1000;
	wire_start(&wire);
	silent = wire_connect(wire.port);
	idle = wire_connect(wire.port);
	wire_send(idle, STR(ROOT));
	expect(idle, 200, "root");
	asking = wire_connect(wire.port);
	wire_send(asking, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
	stage_await(&stage.parked_count, 1);
	CHECK(expect_end(idle) == 0);
	idle = wire_connect(wire.port);
	CHECK(expect_end(silent) == 0);
	wire_send(idle, STR(ROOT));
	expect(idle, 200, "root");
	task_resume(stage.parked[0], OK);
	expect(asking, 200, "parked");
	close(idle);
	close(asking);
}

static void a_full_server_still_hears_its_unix_socket(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/grantd-test-XXXXXX";
	int fd, parked;

	(void)state;
	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	wire.listeners[1] = wire.listeners[0];
	wire.listeners[1].address = str_printf(&wire.task.arena, "unix:%s", address.sun_path);
	wire.config.listener_count = 2;
	wire.config.limits.connections = 1;
	wire_start(&wire);
	parked = wire_connect(wire.port);
	wire_send(parked, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
	stage_await(&stage.parked_count, 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	wire_send(fd, STR(ROOT));
	expect(fd, 200, "root");
	task_resume(stage.parked[0], OK);
	expect(parked, 200, "parked");
	close(fd);
	close(parked);
	http_server_free(&wire.server);
	CHECK(rmdir(dir) == 0);
	wire.config.listener_count = 1;
	wire_start(&wire);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(a_socket_that_a_child_still_holds_tells_nothing_to_a_closed_connection),
		   TEST(one_who_ended_its_direction_with_the_request_is_not_kept_idle),
		   TEST(a_malformed_target_does_not_bring_its_query_into_the_log),
		   TEST(without_file_descriptors_a_client_waits_and_is_served_later),
		   TEST(idle_connections_make_room_for_those_who_ask),
		   TEST(a_full_server_still_hears_its_unix_socket));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "one_wire.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "http/loop.h"

static void a_connection_carries_one_request_after_another(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	for (int i = 0; i < 20; i++) {
		wire_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		expect(fd, 200, "root");
		wire_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
		expect(fd, 200, "abc");
	}
	close(fd);
}

static void a_request_may_come_byte_by_byte(void **state)
{
	struct str request = STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
				 "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	for (size_t i = 0; i < request.len; i++)
		wire_send(fd, str_sub(request, i, 1));
	expect(fd, 200, "abcde");
	close(fd);
}

static void a_hundred_pipelined_requests_are_answered_in_order(void **state)
{
	struct buf buf = buf_in(&wire.task.arena, 65536);
	struct str all = STR_NONE;
	char name[16];
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	for (int i = 0; i < 100; i++) {
		buf_add_c(&buf, i % 2 == 0 ? "GET /name/n" : "GET /worker/n");
		buf_add_i64(&buf, i);
		buf_add_c(&buf, " HTTP/1.1\r\nHost: h\r\n\r\n");
	}
	CHECK_ERR(buf_finish(&buf, &all), OK);
	wire_send(fd, all);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		expect(fd, 200, name);
	}
	close(fd);
}

static void head_says_the_length_and_sends_no_body(void **state)
{
	struct got got;
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK(wire_head(fd, &got));
	CHECK(got.status == 200 && content_length(got.head) == 4);
	CHECK(strstr(got.head, "\r\nDate: ") != NULL);
	expect(fd, 200, "root");
	close(fd);
}

static void the_connection_ends_when_the_client_says_so(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	expect(fd, 200, "root");
	CHECK(expect_end(fd) == 0);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET / HTTP/1.0\r\n\r\n"));
	expect(fd, 200, "root");
	CHECK(expect_end(fd) == 0);
}

static void a_client_that_ended_its_direction_still_gets_its_answers(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /worker/x HTTP/1.1\r\nHost: h\r\n"
			  "\r\n"));
	CHECK(shutdown(fd, SHUT_WR) == 0);
	expect(fd, 200, "root");
	expect(fd, 200, "x");
	CHECK(expect_end(fd) == 0);
}

static void one_who_expects_it_is_told_to_continue(void **state)
{
	struct got got;
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			  "Content-Length: 2\r\n\r\n"));
	CHECK(wire_head(fd, &got));
	CHECK(got.status == 100);
	wire_send(fd, STR("ok"));
	expect(fd, 200, "ok");
	close(fd);
}

static void send_body(int fd, const char *head, size_t len, const char *tail)
{
	char *body = calloc(1, len + 1);

	CHECK(body != NULL);
	memset(body, 'x', len);
	wire_send(fd, str_from_c(head));
	wire_send(fd, (struct str){ body, len });
	wire_send(fd, str_from_c(tail));
	free(body);
}

static void a_body_of_64_kib_is_the_largest(void **state)
{
	struct got got;
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	send_body(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n", 65536, "");
	CHECK(wire_read(fd, &got));
	CHECK(got.status == 200 && got.len == 65536);
	got_free(&got);
	send_body(fd, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n",
		  65536, "\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
	CHECK(wire_read(fd, &got));
	CHECK(got.status == 200 && got.len == 65536);
	got_free(&got);
	expect(fd, 200, "root");
	close(fd);
}

static void a_larger_body_is_refused_before_it_has_come(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n"));
	expect(fd, 413, NULL);
	shutdown(fd, SHUT_WR);
	CHECK(expect_end(fd) == 0);
	fd = wire_connect(wire.port);
	send_body(fd, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n",
		  32768, "\r\nFFFFFFFFFFFF\r\n");
	expect(fd, 413, NULL);
	shutdown(fd, SHUT_WR);
	CHECK(expect_end(fd) == 0);
	CHECK(stage.handled == 0);
}

static void one_who_goes_on_sending_can_still_read_the_refusal(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	send_body(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n", 300000, "");
	expect(fd, 413, NULL);
	close(fd);
}

static void a_smuggled_request_is_never_routed(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
			  "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(fd, 400, NULL);
	shutdown(fd, SHUT_WR);
	CHECK(expect_end(fd) == 0);
	CHECK(stage.handled == 0);
}

static void the_door_words_what_the_router_refuses(void **state)
{
	struct got got;
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(fd, 404, "ERR_NOT_FOUND");
	wire_send(fd, STR("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK(wire_read(fd, &got));
	CHECK(got.status == 405 && strstr(got.head, "\r\nAllow: GET, HEAD, POST\r\n") != NULL);
	got_free(&got);
	close(fd);
}

static void exactly_128_busy_connections_do_not_stall_a_loop(void **state)
{
	int fds[128];

	(void)state;
	wire_start(&wire);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = wire_connect(wire.port);
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < COUNT_OF(fds); i++)
			wire_send(fds[i], STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		for (size_t i = 0; i < COUNT_OF(fds); i++)
			expect(fds[i], 200, "root");
	}
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
}

static void connections_beyond_the_ceiling_are_refused(void **state)
{
	int first, second, third;

	(void)state;
	wire.config.limits.connections = 2;
	wire_start(&wire);
	first = wire_connect(wire.port);
	second = wire_connect(wire.port);
	wire_send(first, STR("GET /park HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	wire_send(second, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
	stage_await(&stage.parked_count, 2);
	third = wire_connect(wire.port);
	CHECK(expect_end(third) == 0);
	task_resume(stage.parked[0], OK);
	task_resume(stage.parked[1], OK);
	expect(first, 200, "parked");
	CHECK(expect_end(first) == 0);
	expect(second, 200, "parked");
	third = wire_connect(wire.port);
	wire_send(third, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(third, 200, "root");
	close(second);
	close(third);
}

static void a_port_that_is_taken_is_refused_with_the_reason(void **state)
{
	struct http_server *second = NULL;
	struct http_config config;
	struct http_listener listener;

	(void)state;
	wire_start(&wire);
	listener = wire.listeners[0];
	listener.address = str_printf(&wire.task.arena, "127.0.0.1:%u", wire.port);
	config = wire.config;
	config.listeners = &listener;
	CHECK_ERR(http_server_open(&wire.task, &config, &second), ERR_CONFIG);
	CHECK(second == NULL && str_ends_with(wire.task.reason, STR("Address already in use")));
	listener.address = STR("localhost:80");
	CHECK_ERR(http_server_open(&wire.task, &config, &second), ERR_CONFIG);
	listener.address = STR("127.0.0.1");
	CHECK_ERR(http_server_open(&wire.task, &config, &second), ERR_CONFIG);
	listener.address = STR("unix:relative");
	CHECK_ERR(http_server_open(&wire.task, &config, &second), ERR_CONFIG);
}

static void a_unix_socket_tells_who_is_at_the_other_end(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char expected[64], dir[] = "/tmp/grantd-test-XXXXXX";
	struct stat status;
	int fd;

	(void)state;
	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	wire.listeners[1] = wire.listeners[0];
	wire.listeners[1].address = str_printf(&wire.task.arena, "unix:%s", address.sun_path);
	wire.listeners[1].unix_mode = 0660;
	wire.config.listener_count = 2;
	wire.config.loops = 2;
	wire_start(&wire);
	CHECK(stat(address.sun_path, &status) == 0 && (status.st_mode & 0777) == 0660);
	for (int i = 0; i < 8; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
		wire_send(fd, STR("GET /peer HTTP/1.1\r\nHost: h\r\n\r\n"));
		(void)snprintf(expected, sizeof(expected),
			       " secure=0 unix=1 uid=%d xff=", (int)getuid());
		expect(fd, 200, expected);
		close(fd);
	}
	http_server_stop(wire.server, 1000);
	http_server_free(&wire.server);
	CHECK(stat(address.sun_path, &status) != 0);
	CHECK(rmdir(dir) == 0);
	wire.config.listener_count = 1;
	wire_start(&wire);
}

static void a_server_has_as_many_loops_as_wanted_up_to_its_most(void **state)
{
	unsigned count = 0;

	(void)state;
	CHECK(http_loops(HTTP_LOOPS_MAX) == HTTP_LOOPS_MAX);
	CHECK(http_loops(HTTP_LOOPS_MAX + 1) == HTTP_LOOPS_MAX);
	CHECK(http_loops(0) >= 1 && http_loops(0) <= HTTP_LOOPS_MAX);
	wire.config.loops = 3;
	wire_start(&wire);
	(void)http_server_loops(wire.server, &count);
	CHECK(count == 3);
}

static void only_a_trusted_proxy_speaks_for_the_client(void **state)
{
	static const struct str proxies[] = { STR_INIT("127.0.0.1") };
	struct str request = STR("GET /peer HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, "
				 "10.1.2.3\r\nX-Forwarded-Proto: https\r\n\r\n");
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, request);
	expect(fd, 200, "127.0.0.1 secure=0 unix=0 uid=-1 xff=");
	close(fd);
	http_server_free(&wire.server);
	wire.config.trusted_proxies = proxies;
	wire.config.trusted_proxy_count = 1;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, request);
	expect(fd, 200, "10.1.2.3 secure=1 unix=0 uid=-1 xff=6.6.6.6, 10.1.2.3");
	wire_send(fd, STR("GET /peer HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.2.3\r\n\r\n"));
	expect(fd, 200, "127.0.0.1 secure=0 unix=0 uid=-1 xff=1.2.3");
	close(fd);
}

static void the_log_has_one_line_per_request_without_the_query(void **state)
{
	char line[4096] = { 0 };
	ssize_t len;
	int fd;

	(void)state;
	wire.log.fd = memfd_create("log", MFD_CLOEXEC);
	wire.log.level = LOG_INFO;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET /name/x?code=sesame HTTP/1.1\r\nHost: h\r\nCookie: s=sesame\r\n\r\n"
			  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nsesame"));
	expect(fd, 200, "x");
	expect(fd, 200, "sesame");
	close(fd);
	http_server_stop(wire.server, 1000);
	len = pread(wire.log.fd, line, sizeof(line) - 1, 0);
	CHECK(len > 0);
	CHECK(strstr(line, "\"event\":\"http.request\"") != NULL);
	CHECK(strstr(line, "\"method\":\"GET\",\"path\":\"/name/x\",\"status\":200") != NULL);
	CHECK(strstr(line, "sesame") == NULL);
	CHECK(strchr(strchr(line, '\n') + 1, '\n') == line + len - 1);
	close(wire.log.fd);
	wire.log.level = LOG_ERROR;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(a_connection_carries_one_request_after_another),
		   TEST(a_request_may_come_byte_by_byte),
		   TEST(a_hundred_pipelined_requests_are_answered_in_order),
		   TEST(head_says_the_length_and_sends_no_body),
		   TEST(the_connection_ends_when_the_client_says_so),
		   TEST(a_client_that_ended_its_direction_still_gets_its_answers),
		   TEST(one_who_expects_it_is_told_to_continue),
		   TEST(a_body_of_64_kib_is_the_largest),
		   TEST(a_larger_body_is_refused_before_it_has_come),
		   TEST(one_who_goes_on_sending_can_still_read_the_refusal),
		   TEST(a_smuggled_request_is_never_routed),
		   TEST(the_door_words_what_the_router_refuses),
		   TEST(exactly_128_busy_connections_do_not_stall_a_loop),
		   TEST(connections_beyond_the_ceiling_are_refused),
		   TEST(a_port_that_is_taken_is_refused_with_the_reason),
		   TEST(a_unix_socket_tells_who_is_at_the_other_end),
		   TEST(a_server_has_as_many_loops_as_wanted_up_to_its_most),
		   TEST(only_a_trusted_proxy_speaks_for_the_client),
		   TEST(the_log_has_one_line_per_request_without_the_query));
}

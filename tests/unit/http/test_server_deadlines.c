/* SPDX-License-Identifier: Apache-2.0 */
/* Slow and silent clients. Nothing is measured: each test ends because the server ends it. */
#include "wire.h"

#define HALF "GET / HTTP/1.1\r\nHost: h\r\n"

static struct wire wire;

static int begin_with(int ms)
{
	wire_begin(&wire);
	wire.config.limits =
		(struct http_limits){ .head_ms = ms, .body_ms = ms, .write_ms = ms, .idle_ms = ms };
	wire_start(&wire);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	return begin_with(50);
}

/* Time enough for those who do not drip, on a machine that has much to do. */
static int begin_patient(void **state)
{
	(void)state;
	return begin_with(2000);
}

static int end(void **state)
{
	(void)state;
	wire_end(&wire);
	return 0;
}

static void a_head_that_drips_is_ended_by_408(void **state)
{
	int fd = wire_connect(wire.port);

	(void)state;
	wire_send(fd, STR(HALF "X-Slow: "));
	while (wire_drips(fd, 'x'))
		;
	expect(fd, 408, NULL);
	shutdown(fd, SHUT_WR);
	CHECK(expect_end(fd) == 0);
}

static void a_body_that_drips_is_ended_by_408(void **state)
{
	int fd = wire_connect(wire.port);

	(void)state;
	wire_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n"));
	while (wire_drips(fd, 'x'))
		;
	expect(fd, 408, NULL);
	close(fd);
	CHECK(stage.handled == 0);
}

/* One byte to each that is still there, in turn; how many were. */
static size_t drip_all(const int *fds, bool *are_there, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct pollfd answered = { fds[i], POLLIN, 0 };

		are_there[i] = are_there[i] && poll(&answered, 1, 0) == 0 &&
			       send(fds[i], "x", 1, MSG_NOSIGNAL) == 1;
		left += are_there[i];
	}
	return left;
}

static void two_hundred_that_drip_are_all_ended_and_others_are_served_meanwhile(void **state)
{
	bool are_there[200];
	int fds[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		are_there[i] = true;
		fds[i] = wire_connect(wire.port);
		wire_send(fds[i], i % 2 == 0 ? STR(HALF "X-Slow: ")
					     : STR("POST / HTTP/1.1\r\nHost: h\r\n"
						   "Content-Length: 60000\r\n\r\n"));
	}
	while (drip_all(fds, are_there, COUNT_OF(fds)) > 0) {
		int other = wire_connect(wire.port);

		wire_send(other, STR(HALF "\r\n"));
		expect(other, 200, "root");
		close(other);
		(void)poll(NULL, 0, 10);
	}
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		expect(fds[i], 408, NULL);
		close(fds[i]);
	}
}

static void one_who_says_nothing_is_ended_without_a_word(void **state)
{
	int fd = wire_connect(wire.port);

	(void)state;
	CHECK(expect_end(fd) == 0);
	fd = wire_connect(wire.port);
	wire_send(fd, STR(HALF "\r\n"));
	expect(fd, 200, "root");
	CHECK(expect_end(fd) == 0);
}

static void one_who_does_not_read_is_dropped_and_stops_nobody(void **state)
{
	int small = 4096, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)wire.port) };
	struct pollfd hung_up = { fd, 0, 0 };

	(void)state;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	wire_send(fd, STR("GET /much HTTP/1.1\r\nHost: h\r\n\r\n"));
	other = wire_connect(wire.port);
	wire_send(other, STR(HALF "\r\n"));
	expect(other, 200, "root");
	close(other);
	CHECK(poll(&hung_up, 1, 60000) == 1);
	CHECK(expect_end(fd) < BIG_ANSWER);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(a_head_that_drips_is_ended_by_408), TEST(a_body_that_drips_is_ended_by_408),
		   cmocka_unit_test_setup_teardown(
			   two_hundred_that_drip_are_all_ended_and_others_are_served_meanwhile,
			   begin_patient, end),
		   TEST(one_who_says_nothing_is_ended_without_a_word),
		   TEST(one_who_does_not_read_is_dropped_and_stops_nobody));
}

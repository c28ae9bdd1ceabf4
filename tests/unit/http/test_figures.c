/* SPDX-License-Identifier: Apache-2.0 */
/* What the server counts of itself while it answers. */
#include "wire.h"

#include "http/figures.h"

static struct wire wire;

static int begin(void **state)
{
	(void)state;
	wire_begin(&wire);
	wire.listeners[0].name = STR("public");
	wire.listeners[1] = wire.listeners[0];
	wire.listeners[1].name = STR("other");
	wire.config.listener_count = 2;
	return 0;
}

static int end(void **state)
{
	(void)state;
	wire_end(&wire);
	return 0;
}

static void get(int fd, const char *method, const char *path, unsigned status)
{
	wire_send(fd,
		  str_printf(&wire.task.arena, "%s %s HTTP/1.1\r\nHost: h\r\n\r\n", method, path));
	expect(fd, status, NULL);
}

/* The place of that listener and path; "none": without a route. */
static struct http_place place(struct str listener, struct str path)
{
	struct http_place place;

	for (size_t i = 0; i < http_server_places(wire.server); i++) {
		http_server_place(wire.server, i, &place);
		if (str_equals(place.listener, listener) &&
		    str_equals(path,
			       place.route == NULL ? STR("none") : str_from_c(place.route->path)))
			return place;
	}
	_fail(__FILE__, __LINE__);
	return place;
}

static void each_answer_is_counted_at_its_listener_and_route(void **state)
{
	struct http_place at;
	int fd;

	(void)state;
	wire.config.loops = 2;
	wire_start(&wire);
	for (int i = 0; i < 5; i++) {
		fd = wire_connect(wire.port);
		get(fd, "GET", i % 2 == 0 ? "/name/a" : "/name/b", 200);
		get(fd, "GET", "/worker/a", 200);
		get(fd, "GET", "/nobody", 404);
		get(fd, "DELETE", "/name/a", 405);
		close(fd);
	}
	fd = wire_connect(http_server_port(wire.server, 1));
	get(fd, "GET", "/name/c", 200);
	wire_send(fd, STR("GET / HTTP/1.1\r\n\r\n"));
	expect(fd, 400, NULL);
	close(fd);
	/* "none", and each route, on each of two listeners */
	CHECK(http_server_places(wire.server) == 2 * (1 + COUNT_OF(routes)));
	at = place(STR("public"), STR("/name/{name}"));
	CHECK(at.classes[STATUS_2XX] == 5 && at.classes[STATUS_4XX] == 0);
	CHECK(at.took.count == 5);
	CHECK(place(STR("public"), STR("/worker/{name}")).classes[STATUS_2XX] == 5);
	CHECK(place(STR("public"), STR("none")).classes[STATUS_4XX] == 10);
	CHECK(place(STR("public"), STR("/park")).took.count == 0);
	CHECK(place(STR("other"), STR("/name/{name}")).classes[STATUS_2XX] == 1);
	CHECK(place(STR("other"), STR("none")).classes[STATUS_4XX] == 1);
}

static void a_full_lane_says_how_full_it_is_and_how_often_it_refused(void **state)
{
	struct http_lane_figures slow, loop;
	int fds[3];

	(void)state;
	wire_start(&wire);
	for (size_t i = 0; i < 2; i++) {
		fds[i] = wire_connect(wire.port);
		wire_send(fds[i], STR("GET /block HTTP/1.1\r\nHost: h\r\n\r\n"));
		/* one is with the worker before the next one comes, which then waits */
		if (i == 0)
			stage_await(&stage.blocked, 1);
	}
	do {
		http_server_lane(wire.server, LANE_SLOW, &slow);
	} while (slow.waiting == 0);
	CHECK(slow.workers == 1 && slow.waiting == 1 && slow.room == 1 && slow.refused == 0);
	fds[2] = wire_connect(wire.port);
	get(fds[2], "GET", "/block", 503);
	http_server_lane(wire.server, LANE_SLOW, &slow);
	CHECK(slow.refused == 1);
	http_server_lane(wire.server, LANE_LOOP, &loop);
	CHECK(loop.workers == 0);
	stage_open(true);
	for (size_t i = 0; i < 2; i++)
		expect(fds[i], 200, NULL);
	http_server_lane(wire.server, LANE_SLOW, &slow);
	CHECK(slow.waiting == 0);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
}

static void open_connections_are_counted_until_they_end(void **state)
{
	struct http_connections connections;
	struct http_totals totals;
	int fds[10];

	(void)state;
	wire_start(&wire);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = wire_connect(wire.port);
		get(fds[i], "GET", "/", 200);
	}
	http_server_connections(wire.server, 0, &connections);
	CHECK_STR(connections.listener, STR("public"));
	CHECK(connections.open == COUNT_OF(fds));
	for (size_t i = 1; i < COUNT_OF(fds); i++)
		close(fds[i]);
	do {
		get(fds[0], "GET", "/", 200);
		http_server_connections(wire.server, 0, &connections);
	} while (connections.open > 1);
	CHECK(connections.open == 1);
	http_server_connections(wire.server, 1, &connections);
	CHECK(connections.open == 0);
	http_server_totals(wire.server, &totals);
	CHECK(totals.most_connections == 1000 && totals.crowded == 0 && totals.late == 0);
	close(fds[0]);
}

static void an_answer_that_came_too_late_is_counted_as_late(void **state)
{
	struct http_totals totals;
	int fd;

	(void)state;
	wire.config.limits.task_ms = 20;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET /park HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(fd, 503, NULL);
	http_server_totals(wire.server, &totals);
	CHECK(totals.late == 1);
	stage_await(&stage.parked_count, 1);
	task_resume(stage.parked[0], OK);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(TEST(each_answer_is_counted_at_its_listener_and_route),
		   TEST(a_full_lane_says_how_full_it_is_and_how_often_it_refused),
		   TEST(open_connections_are_counted_until_they_end),
		   TEST(an_answer_that_came_too_late_is_counted_as_late));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that are away while things happen to their client, their lane or the server. */
#include "one_wire.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

static int ask(const char *path)
{
	int fd = wire_connect(wire.port);

	wire_send(fd, str_printf(&wire.task.arena, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path));
	return fd;
}

static void a_parked_task_goes_on_when_it_comes_home(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = ask("/park");
	stage_await(&stage.parked_count, 1);
	task_resume(stage.parked[0], OK);
	expect(fd, 200, "parked");
	wire_send(fd, STR("GET /lane-park HTTP/1.1\r\nHost: h\r\n\r\n"));
	stage_await(&stage.parked_count, 2);
	task_resume(stage.parked[1], ERR_STORE);
	expect(fd, 500, "ERR_STORE");
	close(fd);
}

static void the_next_step_runs_in_the_lane_when_it_may_block(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = ask("/lane-lane");
	stage_await(&stage.parked_count, 1);
	task_resume(stage.parked[0], OK);
	expect(fd, 200, "lane");
	wire_send(fd, STR("GET /lane-lane-loop HTTP/1.1\r\nHost: h\r\n\r\n"));
	stage_await(&stage.parked_count, 2);
	task_resume(stage.parked[1], OK);
	stage_await(&stage.parked_count, 3);
	task_resume(stage.parked[2], OK);
	expect(fd, 200, "loop");
	close(fd);
}

/* How many of stage.parked the loop has met; the loop's own thread only. */
static unsigned met;

static bool meet(void *gatherer, unsigned thread)
{
	unsigned first = met;

	CHECK(gatherer == &met && thread == 0);
	for (; met < stage.parked_count; met++)
		task_resume(stage.parked[met], OK);
	return met > first;
}

/* Without a wake from outside: the server ends its waits by itself, or this test hangs. */
static void what_the_loop_meets_before_it_waits_goes_on_at_once(void **state)
{
	int first, second;

	(void)state;
	met = 0;
	wire.config.meet_gathered = meet;
	wire.config.gatherer = &met;
	wire_start(&wire);
	first = ask("/park");
	second = ask("/park-park");
	expect(first, 200, "parked");
	expect(second, 200, "parked");
	close(first);
	close(second);
}

/* The first meeting waits until the second client has asked; then the order of all is looked at. */
static bool meet_when_open(void *gatherer, unsigned thread)
{
	pthread_mutex_lock(&stage.lock);
	while (stage.parked_count > 0 && !stage.is_open)
		pthread_cond_wait(&stage.changed, &stage.lock);
	pthread_mutex_unlock(&stage.lock);
	return meet(gatherer, thread);
}

/* The server's side has all that was sent. */
static void await_delivery(int fd)
{
	int left = 1;

	while (left > 0)
		CHECK(ioctl(fd, SIOCOUTQ, &left) == 0);
}

/* How many tasks had finished when this was answered: the loop's word, so no race with it. */
static uint64_t finished_says(int fd)
{
	uint64_t count = 0;
	struct got got;

	CHECK(wire_read(fd, &got) && got.status == 200);
	CHECK(str_to_u64(str_from_c(got.body), 200, &count));
	got_free(&got);
	return count;
}

/* What the many requests of one connection wait for is met at once, each time. */
static void a_connection_that_always_has_more_does_not_keep_others_waiting(void **state)
{
	struct buf many = buf_in(&wire.task.arena, 65536);
	struct str text;
	int first, second;

	(void)state;
	met = 0;
	wire.config.meet_gathered = meet_when_open;
	wire.config.gatherer = &met;
	wire_start(&wire);
	for (int i = 0; i < 200; i++)
		buf_add_c(&many, "GET /park HTTP/1.1\r\nHost: h\r\n\r\n");
	CHECK_ERR(buf_finish(&many, &text), OK);
	first = wire_connect(wire.port);
	wire_send(first, text);
	stage_await(&stage.parked_count, 1);
	second = ask("/finished");
	await_delivery(second);
	stage_open(true);
	CHECK(finished_says(second) < 100);
	for (int i = 0; i < 200; i++)
		expect(first, 200, "parked");
	close(first);
	close(second);
}

static void two_hundred_tasks_come_home_at_once(void **state)
{
	int fds[200];

	(void)state;
	wire.config.loops = 2;
	wire_start(&wire);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = ask(i % 2 == 0 ? "/park" : "/lane-park");
	/* the lane's queue holds 64, and its workers take from it all the time */
	for (unsigned i = 0, busy = 0; i + busy < COUNT_OF(fds);) {
		pthread_mutex_lock(&stage.lock);
		i = stage.parked_count;
		pthread_mutex_unlock(&stage.lock);
		busy = 0;
		for (size_t k = 1; k < COUNT_OF(fds); k += 2) {
			char byte;

			busy += recv(fds[k], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
		}
	}
	for (unsigned i = 0; i < stage.parked_count; i++)
		task_resume(stage.parked[i], OK);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		struct got got;

		CHECK(wire_read(fds[i], &got));
		CHECK(got.status == 200 || (got.status == 503 && i % 2 == 1));
		got_free(&got);
		close(fds[i]);
	}
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	close(fd);
}

static void a_task_whose_client_is_gone_is_finished_and_freed(void **state)
{
	int first, second, fd;

	(void)state;
	wire_start(&wire);
	first = ask("/park");
	second = ask("/park");
	stage_await(&stage.parked_count, 2);
	reset(first);
	reset(second);
	/* the loop has seen the reset before it answers this one */
	fd = ask("/name/x");
	expect(fd, 200, "x");
	close(fd);
	task_resume(stage.parked[0], OK);
	task_resume(stage.parked[1], ERR_STORE);
	stage_await(&stage.finished, 2);
}

static void a_full_lane_is_busy_and_the_others_are_not(void **state)
{
	struct pollfd polls[] = { { .events = POLLIN }, { .events = POLLIN } };
	int away, first, second, fd;
	struct got got;

	(void)state;
	wire_start(&wire);
	away = ask("/block-lane");
	stage_await(&stage.parked_count, 1);
	first = ask("/block");
	stage_await(&stage.blocked, 1);
	second = ask("/block");
	/* the queue has room for one; which of these two is it is up to the scheduler */
	fd = ask("/block");
	polls[0].fd = second;
	polls[1].fd = fd;
	CHECK(poll(polls, 2, 60000) >= 1);
	if (polls[0].revents != 0) {
		second = polls[1].fd;
		fd = polls[0].fd;
	}
	CHECK(wire_read(fd, &got));
	CHECK(got.status == 503 && strstr(got.head, "\r\nRetry-After: 1\r\n") != NULL);
	assert_string_equal(got.body, "ERR_BUSY");
	got_free(&got);
	/* who comes back to it waits for its turn */
	task_resume(stage.parked[0], OK);
	/* neither the loop nor another lane waits for it */
	wire_send(fd, STR("GET /worker/x HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(fd, 200, "x");
	stage_open(true);
	expect(first, 200, "unblocked");
	expect(second, 200, "unblocked");
	expect(away, 200, "lane");
	close(away);
	close(first);
	close(second);
	close(fd);
}

static void *stop(void *drain_ms)
{
	http_server_stop(wire.server, *(int *)drain_ms);
	return NULL;
}

static void stopping_waits_for_parked_tasks_and_loses_none(void **state)
{
	int drain_ms = 60000, fds[32], idle;
	pthread_t thread;

	(void)state;
	wire_start(&wire);
	idle = wire_connect(wire.port);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = ask("/park");
	stage_await(&stage.parked_count, COUNT_OF(fds));
	CHECK(pthread_create(&thread, NULL, stop, &drain_ms) == 0);
	/* idle connections end at once */
	CHECK(expect_end(idle) == 0);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		task_resume(stage.parked[i], OK);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		struct got got;

		CHECK(wire_read(fds[i], &got));
		CHECK(got.status == 200 && strstr(got.head, "\r\nConnection: close\r\n") != NULL);
		got_free(&got);
		CHECK(expect_end(fds[i]) == 0);
	}
	CHECK(pthread_join(thread, NULL) == 0);
}

static void what_cannot_be_finished_in_time_is_answered_503(void **state)
{
	pthread_t thread;
	int drain_ms = 0, fd;

	(void)state;
	wire_start(&wire);
	fd = ask("/park");
	stage_await(&stage.parked_count, 1);
	CHECK(pthread_create(&thread, NULL, stop, &drain_ms) == 0);
	expect(fd, 503, "");
	CHECK(expect_end(fd) == 0);
	/* the task is still somebody else's: the server waits for it */
	task_resume(stage.parked[0], OK);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(stage.finished == 1);
}

static void a_task_that_does_not_come_home_in_time_is_answered_503(void **state)
{
	int fd;

	(void)state;
	wire.config.limits.task_ms = 50;
	wire_start(&wire);
	fd = ask("/park");
	expect(fd, 503, "");
	CHECK(expect_end(fd) == 0);
	task_resume(stage.parked[0], OK);
	stage_await(&stage.finished, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(a_parked_task_goes_on_when_it_comes_home),
		   TEST(the_next_step_runs_in_the_lane_when_it_may_block),
		   TEST(what_the_loop_meets_before_it_waits_goes_on_at_once),
		   TEST(a_connection_that_always_has_more_does_not_keep_others_waiting),
		   TEST(two_hundred_tasks_come_home_at_once),
		   TEST(a_task_whose_client_is_gone_is_finished_and_freed),
		   TEST(a_full_lane_is_busy_and_the_others_are_not),
		   TEST(stopping_waits_for_parked_tasks_and_loses_none),
		   TEST(what_cannot_be_finished_in_time_is_answered_503),
		   TEST(a_task_that_does_not_come_home_in_time_is_answered_503));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grant_cli/callback.h"

/*
 * A browser on a thread of its own: sends each text on a connection, keeps the first line of
 * what came back.
 */
struct browser {
	const char *port;
	const char *const
		*sends; /* NULL-terminated; an empty one opens a connection and says nothing */
	char answers[8][16];
	pthread_t thread;
};

struct world {
	struct check_clock clock;
	struct log log;
	struct task task;
	struct callback *callback;
	struct callback_answer answer;
	struct browser browser;
	struct str host;
};

static int dial(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint64_t number = 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!str_to_u64(str_from_c(port), 65535, &number))
		return -1;
	address.sin_port = htons((uint16_t)number);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static void *visit(void *context)
{
	struct browser *browser = context;
	int silent = -1;

	for (size_t i = 0; browser->sends[i] != NULL; i++) {
		int fd = dial(browser->port);

		if (browser->sends[i][0] == '\0') {
			silent = fd;
			continue;
		}
		(void)!send(fd, browser->sends[i], strlen(browser->sends[i]), MSG_NOSIGNAL);
		(void)!recv(fd, browser->answers[i], sizeof(browser->answers[i]) - 1, MSG_WAITALL);
		close(fd);
	}
	if (silent >= 0)
		close(silent);
	return NULL;
}

static void world_begin(struct world *world)
{
	struct str uri;

	memset(world, 0, sizeof(*world));
	check_clock_start(&world->clock);
	world->log.fd = -1;
	task_begin(&world->task, &world->clock.clock, &world->log);
	CHECK_ERR(callback_open(&world->task, STR("the-state"), &world->callback), OK);
	uri = callback_uri(&world->task, world->callback);
	CHECK(str_starts_with(uri, STR("http://127.0.0.1:")) &&
	      str_ends_with(uri, STR("/callback")));
	world->host = str_sub(uri, 7, uri.len - 7 - 9);
	world->browser.port = str_to_c(&world->task.arena, str_from(world->host, 10));
}

static const char *request(struct world *world, const char *method, const char *target)
{
	return str_printf(&world->task.arena, "%s %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", method,
			  target, STR_FMT(world->host))
		.at;
}

static void world_visit(struct world *world, const char *const *sends)
{
	world->browser.sends = sends;
	assert_int_equal(pthread_create(&world->browser.thread, NULL, visit, &world->browser), 0);
}

static void world_end(struct world *world)
{
	callback_finish(&world->task, world->callback, "Done", "Close this page.");
	pthread_join(world->browser.thread, NULL);
	callback_close(&world->callback);
	task_end(&world->task);
}

static void the_answer_with_our_state_is_taken(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	const char *const sends[] = {
		request(&world, "GET", "/callback?code=c%2F1&state=the-state&iss=https%3A%2F%2Fa"),
		NULL
	};
	world_visit(&world, sends);
	CHECK_ERR(callback_wait(&world.task, world.callback, clock_monotonic() + 20000,
				&world.answer),
		  OK);
	CHECK_STR(world.answer.code, STR("c/1"));
	CHECK_STR(world.answer.iss, STR("https://a"));
	CHECK(world.answer.error.at == NULL);
	world_end(&world);
	CHECK(strncmp(world.browser.answers[0], "HTTP/1.1 200 ", 13) == 0);
}

static void whatever_else_knocks_is_answered_and_forgotten(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	const char *const sends[] = {
		"",
		request(&world, "GET", "/callback?code=evil&state=another"),
		request(&world, "GET", "/callback?code=evil&code=two&state=the-state"),
		request(&world, "GET", "/favicon.ico"),
		request(&world, "POST", "/callback?code=evil&state=the-state"),
		"GET /callback?code=evil&state=the-state HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"GET /callback HTTP/1.1\nHost: x\n\n",
		request(&world, "GET", "/callback?error=access_denied&state=the-state"),
		NULL,
	};
	static const char *const statuses[] = {
		"", "400", "400", "404", "405", "400", "400", "200"
	};
	world_visit(&world, sends);
	CHECK_ERR(callback_wait(&world.task, world.callback, clock_monotonic() + 20000,
				&world.answer),
		  OK);
	CHECK_STR(world.answer.error, STR("access_denied"));
	CHECK(world.answer.code.at == NULL);
	world_end(&world);
	for (size_t i = 1; i < COUNT_OF(statuses); i++)
		CHECK(strncmp(world.browser.answers[i] + 9, statuses[i], 3) == 0);
}

static void nobody_coming_ends_at_the_deadline(void **state)
{
	static const char *const sends[] = { NULL };
	struct world world;

	(void)state;
	world_begin(&world);
	world_visit(&world, sends);
	CHECK_ERR(callback_wait(&world.task, world.callback, clock_monotonic() + 50, &world.answer),
		  ERR_DENIED);
	world_end(&world);
}

int main(void)
{
	return RUN(cmocka_unit_test(the_answer_with_our_state_is_taken),
		   cmocka_unit_test(whatever_else_knocks_is_answered_and_forgotten),
		   cmocka_unit_test(nobody_coming_ends_at_the_deadline));
}

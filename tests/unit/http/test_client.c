/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/client.h"

/*
 * A server for one connection: reads a head, sends what it was given, or nothing until it is
 * stopped.
 */
struct server {
	int fd;
	int stop[2];
	uint16_t port;
	const char *answer;
	char seen[2048];
	pthread_t thread;
};

static void *serve(void *context)
{
	struct server *server = context;
	int connection = accept(server->fd, NULL, NULL);
	size_t len = 0;
	char byte;

	while (len < sizeof(server->seen) - 1 && strstr(server->seen, "\r\n\r\n") == NULL) {
		ssize_t got = read(connection, server->seen + len, sizeof(server->seen) - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	if (server->answer == NULL)
		(void)!read(server->stop[0], &byte, 1);
	else
		(void)!send(connection, server->answer, strlen(server->answer), MSG_NOSIGNAL);
	close(connection);
	return NULL;
}

static void server_run(struct server *server, const char *answer)
{
	server->answer = answer;
	assert_int_equal(pipe(server->stop), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_start(struct server *server, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	*server = (struct server){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	server_run(server, answer);
}

static void server_stop(struct server *server)
{
	close(server->stop[1]);
	pthread_join(server->thread, NULL);
	close(server->stop[0]);
	close(server->fd);
}

struct world {
	struct check_clock clock;
	struct log log;
	struct task task;
	struct server server;
	struct http_answer answer;
};

static void world_begin(struct world *world, const char *answer)
{
	memset(world, 0, sizeof(*world));
	check_clock_start(&world->clock);
	world->log.fd = -1;
	task_begin(&world->task, &world->clock.clock, &world->log);
	server_start(&world->server, answer);
}

static void world_end(struct world *world)
{
	server_stop(&world->server);
	task_end(&world->task);
}

static struct http_call call_to(struct world *world, const char *host)
{
	return (struct http_call){
		.method = STR("GET"),
		.url = str_printf(&world->task.arena, "http://%s:%u/path?a=b", host,
				  world->server.port),
		.allow_loopback_http = true,
		.answer_max = 64,
		.timeout_ms = 5000,
	};
}

/* For calls that must be refused before a byte is sent: lets the server's thread end. */
static void knock(struct world *world)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons(world->server.port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void an_answer_comes_with_status_type_and_body(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, "HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\n"
			    "Retry-After: 7\r\nContent-Length: 2\r\n\r\n{}");
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), OK);
	assert_int_equal(world.answer.status, 503);
	assert_int_equal(world.answer.retry_after, 7);
	CHECK_STR(world.answer.type, STR("application/json"));
	CHECK_STR(world.answer.body, STR("{}"));
	CHECK(strncmp(world.server.seen, "GET /path?a=b HTTP/1.1\r\n", 24) == 0);
	world_end(&world);
}

static void a_body_and_fields_are_sent_as_given(void **state)
{
	struct world world;
	struct http_call call;
	const struct str fields[] = { STR_INIT("Authorization: Basic eDp5"),
				      STR_INIT("Content-Type: application/json") };

	(void)state;
	world_begin(&world, "HTTP/1.1 204 No Content\r\n\r\n");
	call = call_to(&world, "127.0.0.1");
	call.method = STR("PUT");
	call.body = STR("{\"a\":1}");
	call.fields = fields;
	call.field_count = COUNT_OF(fields);
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), OK);
	assert_int_equal(world.answer.status, 204);
	CHECK(strncmp(world.server.seen, "PUT ", 4) == 0);
	CHECK(strstr(world.server.seen, "\r\nAuthorization: Basic eDp5\r\n") != NULL);
	CHECK(strstr(world.server.seen, "\r\nContent-Type: application/json\r\n") != NULL);
	CHECK(strstr(world.server.seen, "\r\nContent-Length: 7\r\n") != NULL);
	CHECK(strstr(world.server.seen, "Expect") == NULL);
	world_end(&world);
}

static void a_redirect_is_an_answer_and_not_a_way(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
			    "Content-Length: 0\r\n\r\n");
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), OK);
	assert_int_equal(world.answer.status, 302);
	world_end(&world);
}

/* A field that is lost looks as if it had not been sent. */
static void fields_come_whole_however_long_and_a_head_that_is_too_long_is_said(void **state)
{
	static char answer[HTTP_CLIENT_HEAD_MAX + 512];
	struct world world;
	struct http_call call;
	struct str head, value;
	int len;

	(void)state;
	len = snprintf(answer, sizeof(answer),
		       "HTTP/1.1 103 Early Hints\r\nLocation: early\r\n\r\n"
		       "HTTP/1.1 303 See Other\r\nlocation:  /%08000d \r\n"
		       "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
		       "Content-Length: 0\r\n\r\n",
		       7);
	CHECK(len > 8000);
	world_begin(&world, answer);
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), OK);
	value = http_answer_field(&world.answer, STR("Location"));
	assert_int_equal(value.len, 8001);
	CHECK(str_starts_with(value, STR("/0")) && str_ends_with(value, STR("7")));
	CHECK(http_answer_field(&world.answer, STR("Locatio")).at == NULL);
	head = world.answer.head;
	CHECK(http_next_field(&head, STR("set-cookie"), &value));
	CHECK_STR(value, STR("a=1"));
	CHECK(http_next_field(&head, STR("set-cookie"), &value));
	CHECK_STR(value, STR("b=2"));
	CHECK(!http_next_field(&head, STR("set-cookie"), &value));
	world_end(&world);

	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 303 See Other\r\nLocation: /%0*d\r\n\r\n",
		       HTTP_CLIENT_HEAD_MAX, 7);
	world_begin(&world, answer);
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_TOO_LARGE);
	CHECK(strstr(world.task.reason.at, "the header of the answer has more than 32768 bytes"));
	world_end(&world);
}

/* Who is told an address by a server on the internet does not call what only it can reach. */
static void a_server_leads_nobody_further_inside_than_it_is(void **state)
{
	static const struct {
		enum address_reach from;
		bool is_followed;
	} cases[] = { { ADDRESS_PUBLIC, false },
		      { ADDRESS_SPECIAL, false },
		      { ADDRESS_LOOPBACK, true } };
	struct world world;
	struct http_call call;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world_begin(&world, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		call = call_to(&world, "127.0.0.1");
		call.is_led = true;
		call.led_from = cases[i].from;
		CHECK_ERR(http_client_call(&world.task, &call, &world.answer),
			  cases[i].is_followed ? OK : ERR_REQUEST);
		if (cases[i].is_followed) {
			assert_int_equal(world.answer.reach, ADDRESS_LOOPBACK);
		} else {
			CHECK(strstr(world.task.reason.at, "leads to 127.0.0.1, which is not on"));
			knock(&world);
		}
		world_end(&world);
		CHECK((world.server.seen[0] != '\0') == cases[i].is_followed);
	}
}

static bool is_given_up(void)
{
	return true;
}

static void a_call_that_nobody_waits_for_any_more_ends(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, NULL);
	call = call_to(&world, "127.0.0.1");
	call.is_given_up = is_given_up;
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_IO);
	CHECK(strstr(world.task.reason.at, "was not waited for"));
	knock(&world);
	world_end(&world);
}

static void the_environment_names_no_proxy(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	world_begin(&world, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), OK);
	world_end(&world);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void an_answer_over_the_cap_is_refused(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world,
		    "HTTP/1.1 200 OK\r\n\r\n"
		    "0123456789012345678901234567890123456789012345678901234567890123456789");
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_TOO_LARGE);
	world_end(&world);
}

static void a_silent_server_meets_the_deadline(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, NULL);
	call = call_to(&world, "127.0.0.1");
	call.timeout_ms = 100;
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_TIMEOUT);
	world_end(&world);
}

static void what_is_not_http_is_no_answer(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, "* OK IMAP ready\r\n");
	call = call_to(&world, "127.0.0.1");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_IO);
	world_end(&world);
}

static void nothing_listening_is_said_in_words(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, "");
	call = call_to(&world, "127.0.0.1");
	call.url = STR("https://127.0.0.1:1/");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_IO);
	CHECK(str_starts_with(world.task.reason, STR("nothing answers at https://127.0.0.1:1")));
	knock(&world);
	world_end(&world);
}

static void a_ca_file_that_is_not_there_is_said_in_words(void **state)
{
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, "HTTP/1.1 200 OK\r\n\r\n");
	call = call_to(&world, "127.0.0.1");
	call.url = str_printf(&world.task.arena, "https://127.0.0.1:%u/", world.server.port);
	call.ca_file = STR("/nonexistent/ca.pem");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_IO);
	CHECK(str_starts_with(world.task.reason, STR("the CA file /nonexistent/ca.pem")));
	world_end(&world);
}

static void calls_we_do_not_make_send_nothing(void **state)
{
	static const char *const urls[] = {
		"http://example.org/",	"http://localhost/",  "http://10.0.0.1/",
		"ftp://127.0.0.1/",	"file:///etc/passwd", "https://name:word@127.0.0.1/",
		"https://127.0.0.1/ a", "127.0.0.1",	      "",
	};
	const struct str split = STR("A: b\r\nC: d");
	struct world world;
	struct http_call call;

	(void)state;
	world_begin(&world, "");
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		call = call_to(&world, "127.0.0.1");
		call.url = str_from_c(urls[i]);
		CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_REQUEST);
	}
	call = call_to(&world, "127.0.0.1");
	call.allow_loopback_http = false;
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_REQUEST);
	call = call_to(&world, "127.0.0.1");
	call.fields = &split;
	call.field_count = 1;
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_REQUEST);
	call = call_to(&world, "127.0.0.1");
	call.method = STR("GET / HTTP/1.1\r\nX:");
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), ERR_REQUEST);
	knock(&world);
	world_end(&world);
	CHECK(world.server.seen[0] == '\0');
}

static void a_unix_socket_is_called_without_tls(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct world world;
	struct http_call call;

	(void)state;
	memset(&world, 0, sizeof(world));
	check_clock_start(&world.clock);
	task_begin(&world.task, &world.clock.clock, &world.log);
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test_client.%d", getpid());
	world.server.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(world.server.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	server_run(&world.server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	call = (struct http_call){ .method = STR("POST"),
				   .url = STR("http://grantd/users"),
				   .unix_socket = str_from_c(address.sun_path),
				   .answer_max = 64,
				   .timeout_ms = 5000 };
	CHECK_ERR(http_client_call(&world.task, &call, &world.answer), OK);
	CHECK_STR(world.answer.body, STR("ok"));
	CHECK(strstr(world.server.seen, "\r\nContent-Length: 0\r\n") != NULL);
	world_end(&world);
	unlink(address.sun_path);
}

int main(void)
{
	return RUN(cmocka_unit_test(an_answer_comes_with_status_type_and_body),
		   cmocka_unit_test(a_body_and_fields_are_sent_as_given),
		   cmocka_unit_test(a_redirect_is_an_answer_and_not_a_way),
		   cmocka_unit_test(
			   fields_come_whole_however_long_and_a_head_that_is_too_long_is_said),
		   cmocka_unit_test(a_server_leads_nobody_further_inside_than_it_is),
		   cmocka_unit_test(a_call_that_nobody_waits_for_any_more_ends),
		   cmocka_unit_test(the_environment_names_no_proxy),
		   cmocka_unit_test(an_answer_over_the_cap_is_refused),
		   cmocka_unit_test(a_silent_server_meets_the_deadline),
		   cmocka_unit_test(what_is_not_http_is_no_answer),
		   cmocka_unit_test(nothing_listening_is_said_in_words),
		   cmocka_unit_test(a_ca_file_that_is_not_there_is_said_in_words),
		   cmocka_unit_test(calls_we_do_not_make_send_nothing),
		   cmocka_unit_test(a_unix_socket_is_called_without_tls));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that stall or drip over TLS: each test ends because the server ends them. */
#include "tls_wire.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define STALLED 1000

static atomic_uint wakes;

/* Stands before the C library's: how often a loop of the server woke up. */
int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
	int count = epoll_pwait(epoll, events, max, timeout, NULL);

	atomic_fetch_add(&wakes, 1);
	return count;
}

/* Both ends of each connection are in this process. */
static void make_room_for_descriptors(void)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 3 * STALLED > limit.rlim_cur ? 3 * STALLED : limit.rlim_cur;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void a_thousand_stalled_handshakes_cost_nothing_stop_nobody_and_end(void **state)
{
	/* nothing; half a record's head; a record's head that promises a ClientHello; half of one
	 */
	static const struct str first[] = {
		STR_INIT(""), STR_INIT("\x16\x03\x01"), STR_INIT("\x16\x03\x01\x02\x00"),
		STR_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
	};
	SSL_CTX *client = client_new();
	int stalled[STALLED];

	(void)state;
	make_room_for_descriptors();
	wire.config.limits.head_ms = 4000;
	wire.config.limits.connections = STALLED + 10;
	wire_start(&wire);
	for (size_t i = 0; i < STALLED; i++) {
		stalled[i] = wire_connect(wire.port);
		wire_send(stalled[i], first[i % COUNT_OF(first)]);
	}
	atomic_store(&wakes, 0);
	for (int i = 0; i < 3; i++) {
		struct pollfd last = { stalled[STALLED - 1], POLLIN, 0 };
		SSL *ssl = shake(client, NULL);

		CHECK(ssl != NULL);
		ask(ssl, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
		CHECK(poll(&last, 1, 0) == 0);
		hang_up(ssl);
	}
	for (size_t i = 0; i < STALLED; i++)
		(void)expect_end(stalled[i]);
	/* a few each: it came, it spoke, its time was over; a loop that spins wakes without end */
	CHECK(atomic_load(&wakes) < 4 * STALLED);
	CHECK(stage.handled == 3);
	SSL_CTX_free(client);
}

/* A handshake that goes on, but a byte at a time, has no more time than one that stands still. */
static void a_handshake_that_drips_ends_at_its_deadline(void **state)
{
	int fd;

	(void)state;
	wire.config.limits.head_ms = 50;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("\x16\x03\x01\x20\x00\x01\x00\x1f\xfc\x03\x03"));
	while (wire_drips(fd, 'x'))
		;
	(void)expect_end(fd);
	CHECK(stage.handled == 0);
}

/* Sends at once what the session wrote to memory. */
static void flush(SSL *ssl, BIO *out)
{
	char *at;
	long len = BIO_get_mem_data(out, &at);

	wire_send(SSL_get_fd(ssl), (struct str){ at, (size_t)len });
	(void)BIO_reset(out);
}

/* A session that has had its tickets, and writes to memory from now on. */
static SSL *shake_to_memory(SSL_CTX *client, BIO **ret_out)
{
	SSL *ssl = shake(client, NULL);

	CHECK(ssl != NULL);
	ask(ssl, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
	*ret_out = BIO_new(BIO_s_mem());
	SSL_set0_wbio(ssl, *ret_out);
	return ssl;
}

static void records_of_one_byte_do_not_stretch_the_deadline_of_a_head(void **state)
{
	SSL_CTX *client = client_new();
	char text[256] = { 0 };
	struct pollfd answer;
	BIO *out;
	SSL *ssl;

	(void)state;
	wire.config.limits.head_ms = 200;
	wire_start(&wire);
	ssl = shake_to_memory(client, &out);
	answer = (struct pollfd){ SSL_get_fd(ssl), POLLIN, 0 };
	CHECK(SSL_write(ssl, "GET / HTTP/1.1\r\nHost: h\r\nX: ", 29) == 29);
	while (poll(&answer, 1, 40) == 0) {
		for (int i = 0; i < 130; i++)
			CHECK(SSL_write(ssl, "x", 1) == 1);
		flush(ssl, out);
	}
	CHECK(SSL_read(ssl, text, sizeof(text) - 1) > 0);
	CHECK(strncmp(text, "HTTP/1.1 408 ", 13) == 0);
	close(answer.fd);
	SSL_free(ssl);
	SSL_CTX_free(client);
}

/* Each costs the server a key derivation and says nothing. */
static void one_who_only_changes_keys_is_ended(void **state)
{
	struct str request = STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	SSL_CTX *client = client_new();
	char text[256];
	BIO *out;
	SSL *ssl;
	int fd;

	(void)state;
	wire_start(&wire);
	ssl = shake_to_memory(client, &out);
	for (int i = 0; i < 10000; i++) {
		CHECK(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
		CHECK(SSL_do_handshake(ssl) == 1);
	}
	CHECK(SSL_write(ssl, request.at, (int)request.len) > 0);
	fd = SSL_get_fd(ssl);
	flush(ssl, out);
	CHECK(SSL_read(ssl, text, sizeof(text)) <= 0);
	close(fd);
	SSL_free(ssl);
	SSL_CTX_free(client);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(a_thousand_stalled_handshakes_cost_nothing_stop_nobody_and_end),
		   TEST(a_handshake_that_drips_ends_at_its_deadline),
		   TEST(records_of_one_byte_do_not_stretch_the_deadline_of_a_head),
		   TEST(one_who_only_changes_keys_is_ended));
}

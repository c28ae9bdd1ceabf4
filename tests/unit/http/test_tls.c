/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define STALLED 1000

static struct wire wire;
static char dir[64];
static struct str cert_file, key_file;

static void write_pem(struct str file, EVP_PKEY *key, X509 *cert)
{
	FILE *out = fopen(file.at, "w");

	CHECK(out != NULL);
	if (cert != NULL)
		CHECK(PEM_write_X509(out, cert) == 1);
	else
		CHECK(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1);
	CHECK(fclose(out) == 0);
}

/* A self-signed P-256 certificate with that serial number. */
static void make_cert(long serial)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	CHECK(key != NULL && cert != NULL);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
	write_pem(cert_file, NULL, cert);
	write_pem(key_file, key, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static int begin(void **state)
{
	(void)state;
	wire_begin(&wire);
	(void)snprintf(dir, sizeof(dir), "/tmp/grantd-test-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	cert_file = str_printf(&wire.task.arena, "%s/cert.pem", dir);
	key_file = str_printf(&wire.task.arena, "%s/key.pem", dir);
	make_cert(1);
	CHECK_ERR(tls_open(&wire.task, cert_file, key_file, &wire.listeners[0].tls), OK);
	return 0;
}

static int end(void **state)
{
	struct tls *tls = wire.listeners[0].tls;

	(void)state;
	unlink(cert_file.at);
	unlink(key_file.at);
	rmdir(dir);
	wire_end(&wire);
	tls_free(&tls);
	return 0;
}

static SSL_CTX *client_new(void)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	CHECK(client != NULL);
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
	return client;
}

static SSL *shake(SSL_CTX *client, SSL_SESSION *session)
{
	SSL *ssl = SSL_new(client);

	CHECK(ssl != NULL);
	CHECK(SSL_set_fd(ssl, wire_connect(wire.port)) == 1);
	if (session != NULL)
		CHECK(SSL_set_session(ssl, session) == 1);
	if (SSL_connect(ssl) == 1)
		return ssl;
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

static void hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	/* without a goodbye OpenSSL would not resume the session */
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static void ask(SSL *ssl, struct str request, const char *body)
{
	char text[8192] = { 0 };
	int len = 0;

	CHECK(SSL_write(ssl, request.at, (int)request.len) == (int)request.len);
	while (!str_ends_with(str_from_c(text), str_from_c(body))) {
		int got = SSL_read(ssl, text + len, (int)sizeof(text) - 1 - len);

		CHECK(got > 0);
		len += got;
	}
	CHECK(strncmp(text, "HTTP/1.1 200 ", 13) == 0);
}

static void requests_are_answered_over_tls_1_2_and_1_3(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	wire_start(&wire);
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		SSL_CTX *client = client_new();
		SSL *ssl;

		SSL_CTX_set_max_proto_version(client, versions[i]);
		ssl = shake(client, NULL);
		CHECK(ssl != NULL && SSL_version(ssl) == versions[i]);
		for (int k = 0; k < 5; k++) {
			ask(ssl, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
			ask(ssl, STR("GET /peer HTTP/1.1\r\nHost: h\r\n\r\n"),
			    "127.0.0.1 secure=1 unix=0 uid=-1 xff=");
			ask(ssl, STR("GET /worker/abc HTTP/1.1\r\nHost: h\r\n\r\n"), "abc");
		}
		hang_up(ssl);
		SSL_CTX_free(client);
	}
}

static void an_older_tls_is_refused(void **state)
{
	SSL_CTX *client = client_new();

	(void)state;
	wire_start(&wire);
	SSL_CTX_set_security_level(client, 0);
	SSL_CTX_set_min_proto_version(client, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(client, TLS1_1_VERSION);
	CHECK(shake(client, NULL) == NULL);
	SSL_CTX_free(client);
}

static void pieces_smaller_than_a_request_and_larger_than_a_record_arrive(void **state)
{
	struct str head = STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n");
	SSL_CTX *client = client_new();
	char *body = calloc(1, 65537), *answer = calloc(1, 70000);
	int len = 0;
	SSL *ssl;

	(void)state;
	CHECK(body != NULL && answer != NULL);
	memset(body, 'b', 65536);
	wire_start(&wire);
	ssl = shake(client, NULL);
	CHECK(ssl != NULL);
	for (size_t i = 0; i < head.len; i++)
		CHECK(SSL_write(ssl, head.at + i, 1) == 1);
	CHECK(SSL_write(ssl, body, 65536) == 65536);
	while (len < 65536 || strstr(answer, body) == NULL) {
		int got = SSL_read(ssl, answer + len, 69999 - len);

		CHECK(got > 0);
		len += got;
	}
	hang_up(ssl);
	SSL_CTX_free(client);
	free(body);
	free(answer);
}

static void a_session_is_resumed_by_its_ticket(void **state)
{
	SSL_CTX *client = client_new();
	SSL_SESSION *session;
	SSL *ssl;

	(void)state;
	wire_start(&wire);
	ssl = shake(client, NULL);
	CHECK(ssl != NULL && !SSL_session_reused(ssl));
	ask(ssl, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
	session = SSL_get1_session(ssl);
	hang_up(ssl);
	ssl = shake(client, session);
	CHECK(ssl != NULL && SSL_session_reused(ssl));
	ask(ssl, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
	hang_up(ssl);
	SSL_SESSION_free(session);
	SSL_CTX_free(client);
}

static void another_protocol_than_http_1_1_is_refused(void **state)
{
	static const unsigned char h2[] = "\x02h2", both[] = "\x02h2\x08http/1.1";
	const unsigned char *chosen;
	SSL_CTX *client = client_new();
	unsigned len;
	SSL *ssl;

	(void)state;
	wire_start(&wire);
	CHECK(SSL_CTX_set_alpn_protos(client, h2, sizeof(h2) - 1) == 0);
	CHECK(shake(client, NULL) == NULL);
	CHECK(SSL_CTX_set_alpn_protos(client, both, sizeof(both) - 1) == 0);
	ssl = shake(client, NULL);
	CHECK(ssl != NULL);
	SSL_get0_alpn_selected(ssl, &chosen, &len);
	CHECK_STR(((struct str){ (const char *)chosen, len }), STR("http/1.1"));
	hang_up(ssl);
	SSL_CTX_free(client);
}

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

static void plain_http_on_a_tls_port_ends(void **state)
{
	int fd;

	(void)state;
	wire_start(&wire);
	fd = wire_connect(wire.port);
	wire_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	(void)expect_end(fd);
	CHECK(stage.handled == 0);
}

static long serial_of(SSL *ssl)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	long serial = ASN1_INTEGER_get(X509_get0_serialNumber(cert));

	X509_free(cert);
	return serial;
}

static void a_reload_serves_the_new_certificate_and_keeps_running_connections(void **state)
{
	SSL_CTX *client = client_new();
	SSL *before, *after;

	(void)state;
	wire_start(&wire);
	before = shake(client, NULL);
	make_cert(2);
	CHECK_ERR(tls_reload(&wire.task, wire.listeners[0].tls), OK);
	after = shake(client, NULL);
	CHECK(before != NULL && after != NULL);
	CHECK(serial_of(before) == 1 && serial_of(after) == 2);
	ask(before, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
	ask(after, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "root");
	hang_up(before);
	hang_up(after);
	SSL_CTX_free(client);
}

static void broken_files_are_refused_and_the_old_ones_stay(void **state)
{
	SSL_CTX *client = client_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct tls *other = NULL;
	FILE *out;
	SSL *ssl;

	(void)state;
	wire_start(&wire);
	out = fopen(cert_file.at, "w");
	CHECK(out != NULL && fputs("no certificate\n", out) >= 0 && fclose(out) == 0);
	CHECK_ERR(tls_reload(&wire.task, wire.listeners[0].tls), ERR_CONFIG);
	CHECK(str_starts_with(wire.task.reason, STR("certificate ")));
	make_cert(3);
	write_pem(key_file, key, NULL);
	EVP_PKEY_free(key);
	CHECK_ERR(tls_reload(&wire.task, wire.listeners[0].tls), ERR_CONFIG);
	CHECK(str_starts_with(wire.task.reason, STR("private key ")));
	CHECK_ERR(tls_open(&wire.task, cert_file, STR("/nowhere/key.pem"), &other), ERR_CONFIG);
	CHECK(other == NULL);
	CHECK(str_ends_with(wire.task.reason, STR("No such file or directory")));
	ssl = shake(client, NULL);
	CHECK(ssl != NULL && serial_of(ssl) == 1);
	hang_up(ssl);
	SSL_CTX_free(client);
}

/* OpenSSL would ask at the terminal, and without one read the answer from the standard input. */
static void an_encrypted_key_is_refused_and_nobody_is_asked(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *out = fopen(key_file.at, "w");
	int ends[2], input = dup(STDIN_FILENO);

	(void)state;
	wire_start(&wire);
	CHECK(out != NULL && key != NULL && input >= 0);
	CHECK(PEM_write_PrivateKey(out, key, EVP_aes_256_cbc(), (const unsigned char *)"sesame", 6,
				   NULL, NULL) == 1);
	CHECK(fclose(out) == 0);
	EVP_PKEY_free(key);
	CHECK(pipe(ends) == 0 && write(ends[1], "sesame\n", 7) == 7);
	CHECK(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	CHECK_ERR(tls_reload(&wire.task, wire.listeners[0].tls), ERR_CONFIG);
	CHECK(dup2(input, STDIN_FILENO) == STDIN_FILENO);
	close(input);
	close(ends[1]);
	/* the words are still there */
	CHECK(read(ends[0], (char[8]){ 0 }, 8) == 7);
	close(ends[0]);
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
	return RUN(TEST(requests_are_answered_over_tls_1_2_and_1_3), TEST(an_older_tls_is_refused),
		   TEST(pieces_smaller_than_a_request_and_larger_than_a_record_arrive),
		   TEST(a_session_is_resumed_by_its_ticket),
		   TEST(another_protocol_than_http_1_1_is_refused),
		   TEST(a_thousand_stalled_handshakes_cost_nothing_stop_nobody_and_end),
		   TEST(a_handshake_that_drips_ends_at_its_deadline),
		   TEST(plain_http_on_a_tls_port_ends),
		   TEST(a_reload_serves_the_new_certificate_and_keeps_running_connections),
		   TEST(records_of_one_byte_do_not_stretch_the_deadline_of_a_head),
		   TEST(one_who_only_changes_keys_is_ended),
		   TEST(an_encrypted_key_is_refused_and_nobody_is_asked),
		   TEST(broken_files_are_refused_and_the_old_ones_stay));
}

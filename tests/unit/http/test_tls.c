/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_wire.h"

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	return RUN(TEST(requests_are_answered_over_tls_1_2_and_1_3), TEST(an_older_tls_is_refused),
		   TEST(pieces_smaller_than_a_request_and_larger_than_a_record_arrive),
		   TEST(a_session_is_resumed_by_its_ticket),
		   TEST(another_protocol_than_http_1_1_is_refused),
		   TEST(plain_http_on_a_tls_port_ends),
		   TEST(a_reload_serves_the_new_certificate_and_keeps_running_connections),
		   TEST(an_encrypted_key_is_refused_and_nobody_is_asked),
		   TEST(broken_files_are_refused_and_the_old_ones_stay));
}

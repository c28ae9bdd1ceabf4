/* SPDX-License-Identifier: Apache-2.0 */
/* The real server of wire.h behind TLS with a certificate made here, and a client of OpenSSL. */
#pragma once

#include "wire.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

static struct wire wire;
static char dir[64];
static struct str cert_file, key_file;

static inline void write_pem(struct str file, EVP_PKEY *key, X509 *cert)
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
static inline void make_cert(long serial)
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

static inline int begin(void **state)
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

static inline int end(void **state)
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

static inline SSL_CTX *client_new(void)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	CHECK(client != NULL);
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
	return client;
}

static inline SSL *shake(SSL_CTX *client, SSL_SESSION *session)
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

static inline void hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	/* without a goodbye OpenSSL would not resume the session */
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static inline void ask(SSL *ssl, struct str request, const char *body)
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

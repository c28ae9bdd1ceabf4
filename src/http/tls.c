/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/task.h"
#include "http/tls_stream.h"

/* Forward secrecy and AEAD only; TLS 1.3 has nothing else. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS	"X25519:P-256:P-384"
/*
 * The most that one step reads from the socket. A record or a handshake needs far less; what goes
 * on without ever saying a byte of HTTP (key updates, empty records) would keep a loop busy.
 */
#define READ_MAX (64 * 1024)

struct tls {
	pthread_mutex_t
		lock; /* around context, while it is replaced and while a session takes it */
	SSL_CTX *context;
	BIO_METHOD *method;
	char *cert_file;
	char *key_file;
	tls_open_fn *open;
};

static const unsigned char session_name[] = "grantd";

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char http1[] = "\x08http/1.1";

	(void)ssl;
	(void)arg;
	/* a client that wants another protocol only must not get its bytes taken for HTTP (ALPACA)
	 */
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, http1,
				  sizeof(http1) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static enum err configure(struct task *task, SSL_CTX *context)
{
	/* not const: OpenSSL's macro casts it */
	char groups[] = GROUPS;

	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 1);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, CIPHERS) != 1 ||
	    SSL_CTX_set1_groups_list(context, groups) != 1 ||
	    SSL_CTX_set_session_id_context(context, session_name, sizeof(session_name) - 1) != 1)
		return fail(task, ERR_CRYPTO, "TLS cannot be set up with this OpenSSL");
	return OK;
}

/* The reason is the system's or OpenSSL's word: "No such file…", "no start line", "key values
 * mismatch". */
static enum err refuse_file(struct task *task, const char *what, const char *file)
{
	/* the first of the queue is the cause; those above it only say which call passed it on */
	unsigned long code = ERR_peek_error();
	const char *why = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						 : ERR_reason_error_string(code);
	enum err err = failf(task, ERR_CONFIG, "%s %s: %s", what, file,
			     why == NULL ? "not usable" : why);

	ERR_clear_error();
	return err;
}

static void context_free(SSL_CTX **context)
{
	SSL_CTX_free(*context);
	*context = NULL;
}

/* Nobody sits at a daemon's terminal: an encrypted key is refused, never asked about. */
static int no_pass_phrase(char *at, int room, int is_writing, void *arg)
{
	(void)at;
	(void)room;
	(void)is_writing;
	(void)arg;
	return -1;
}

static int open_plainly(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* The file goes with it, also where there is none. */
static BIO *read_from(FILE *file)
{
	BIO *bio = BIO_new_fp(file, BIO_CLOSE);

	if (bio == NULL)
		(void)fclose(file);
	return bio;
}

/* NULL, and OpenSSL knows why. */
static BIO *open_file(const struct tls *tls, const char *path)
{
	int fd = tls->open(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (file != NULL)
		return read_from(file);
	ERR_raise(ERR_LIB_SYS, errno);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* All that follow the first one. The end of the file is the one error that is none. */
static bool use_rest_of_chain(SSL_CTX *context, BIO *file)
{
	X509 *next;

	while ((next = PEM_read_bio_X509(file, NULL, no_pass_phrase, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(context, next) != 1) {
			X509_free(next);
			return false;
		}
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

static bool use_chain(SSL_CTX *context, BIO *file)
{
	X509 *own = file == NULL ? NULL : PEM_read_bio_X509_AUX(file, NULL, no_pass_phrase, NULL);
	bool is_used = own != NULL && SSL_CTX_use_certificate(context, own) == 1 &&
		       use_rest_of_chain(context, file);

	X509_free(own);
	BIO_free(file);
	return is_used;
}

static bool use_key(SSL_CTX *context, BIO *file)
{
	EVP_PKEY *key = file == NULL ? NULL
				     : PEM_read_bio_PrivateKey(file, NULL, no_pass_phrase, NULL);
	bool is_used = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 &&
		       SSL_CTX_check_private_key(context) == 1;

	EVP_PKEY_free(key);
	BIO_free(file);
	return is_used;
}

static enum err load(struct task *task, const struct tls *tls, SSL_CTX **ret_context)
{
	CLEANUP(context_free) SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL)
		return fail(task, ERR_CRYPTO, "no TLS context");
	TRY(configure(task, context));
	ERR_clear_error();
	if (!use_chain(context, open_file(tls, tls->cert_file)))
		return refuse_file(task, "certificate", tls->cert_file);
	if (!use_key(context, open_file(tls, tls->key_file)))
		return refuse_file(task, "private key", tls->key_file);
	*ret_context = context;
	context = NULL;
	return OK;
}

/* As the socket BIO, but without SIGPIPE, and it notices when the socket has been read empty. */
static int socket_write(BIO *bio, const char *at, int len)
{
	const struct stream *stream = BIO_get_data(bio);
	ssize_t sent = send(stream->fd, at, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)sent;
}

static int socket_read(BIO *bio, char *at, int len)
{
	struct stream *stream = BIO_get_data(bio);
	size_t room = (size_t)len < stream->budget ? (size_t)len : stream->budget;
	ssize_t got;

	BIO_clear_retry_flags(bio);
	if (room == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	got = recv(stream->fd, at, room, 0);
	stream_note(stream, got, room);
	if (got > 0)
		stream->budget -= (size_t)got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)got;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "stream");

	if (method == NULL || BIO_meth_set_write(method, socket_write) != 1 ||
	    BIO_meth_set_read(method, socket_read) != 1 ||
	    BIO_meth_set_ctrl(method, socket_control) != 1)
		abort();
	return method;
}

enum err tls_open(struct task *task, struct str cert_file, struct str key_file,
		  struct tls **ret_tls)
{
	CLEANUP(tls_free) struct tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		abort();
	pthread_mutex_init(&tls->lock, NULL);
	tls->method = method_new();
	tls->open = open_plainly;
	tls->cert_file = strndup(cert_file.at, cert_file.len);
	tls->key_file = strndup(key_file.at, key_file.len);
	if (tls->cert_file == NULL || tls->key_file == NULL)
		abort();
	TRY(load(task, tls, &tls->context));
	*ret_tls = tls;
	tls = NULL;
	return OK;
}

void tls_open_by(struct tls *tls, tls_open_fn *open)
{
	tls->open = open;
}

enum err tls_reload(struct task *task, struct tls *tls)
{
	SSL_CTX *fresh = NULL, *old;

	TRY(load(task, tls, &fresh));
	pthread_mutex_lock(&tls->lock);
	old = tls->context;
	tls->context = fresh;
	pthread_mutex_unlock(&tls->lock);
	SSL_CTX_free(old);
	return OK;
}

static int64_t end_of(const X509 *certificate)
{
	struct tm end = { 0 };

	if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return 0;
	return timegm(&end);
}

int64_t tls_expires_at(struct tls *tls)
{
	int64_t end;

	pthread_mutex_lock(&tls->lock);
	end = end_of(SSL_CTX_get0_certificate(tls->context));
	pthread_mutex_unlock(&tls->lock);
	return end;
}

void tls_free(struct tls **tls)
{
	if (*tls == NULL)
		return;
	SSL_CTX_free((*tls)->context);
	BIO_meth_free((*tls)->method);
	free((*tls)->cert_file);
	free((*tls)->key_file);
	pthread_mutex_destroy(&(*tls)->lock);
	free(*tls);
	*tls = NULL;
}

enum err tls_attach(struct tls *tls, struct stream *stream)
{
	SSL *ssl;
	BIO *bio;

	pthread_mutex_lock(&tls->lock);
	ssl = SSL_new(tls->context);
	pthread_mutex_unlock(&tls->lock);
	if (ssl == NULL)
		return ERR_CRYPTO;
	bio = BIO_new(tls->method);
	if (bio == NULL) {
		SSL_free(ssl);
		return ERR_CRYPTO;
	}
	BIO_set_data(bio, stream);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	stream->ssl = ssl;
	return OK;
}

void tls_detach(struct stream *stream)
{
	SSL_free(stream->ssl);
	stream->ssl = NULL;
}

void tls_goodbye(struct stream *stream)
{
	ERR_clear_error();
	(void)SSL_shutdown(stream->ssl);
	ERR_clear_error();
}

static enum io io_of(struct stream *stream, int result)
{
	int error = SSL_get_error(stream->ssl, result);

	if (stream->budget > 0 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE))
		return IO_WAIT;
	/* after these the session must not be used, not even for a goodbye */
	if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL)
		stream->is_ready = false;
	ERR_clear_error();
	return IO_END;
}

enum io tls_handshake(struct stream *stream)
{
	int result;

	ERR_clear_error();
	stream->budget = READ_MAX;
	result = SSL_do_handshake(stream->ssl);
	return result == 1 ? IO_OK : io_of(stream, result);
}

enum io tls_read(struct stream *stream, char *at, size_t room, size_t *ret_len)
{
	int result;

	ERR_clear_error();
	stream->budget = READ_MAX;
	result = SSL_read_ex(stream->ssl, at, room, ret_len);
	return result == 1 ? IO_OK : io_of(stream, result);
}

enum io tls_write(struct stream *stream, const void *at, size_t len, size_t *ret_len)
{
	int result;

	ERR_clear_error();
	stream->budget = READ_MAX;
	result = SSL_write_ex(stream->ssl, at, len, ret_len);
	return result == 1 ? IO_OK : io_of(stream, result);
}

bool tls_has_pending(const struct stream *stream)
{
	return SSL_has_pending(stream->ssl) == 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What grantd calls in its libraries and may be refused: each with what it answers then. Why others
 * are not here is said in tools/lint/calls.allow.
 */
#include "inject.h"

#include <argon2.h>
#include <errno.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>

#define SQLITE(result, name, parameters, arguments, refusal)                                       \
	WATCH(INJECT_SQLITE, result, name, parameters, arguments, refusal)
#define OPENSSL(result, name, parameters, arguments, refusal)                                      \
	WATCH(INJECT_OPENSSL, result, name, parameters, arguments, refusal)
#define SODIUM(result, name, parameters, arguments, refusal)                                       \
	WATCH(INJECT_SODIUM, result, name, parameters, arguments, refusal)

SQLITE(int, sqlite3_open_v2, (const char *path, sqlite3 **ret, int flags, const char *vfs),
       (path, ret, flags, vfs), (*ret = NULL, SQLITE_CANTOPEN))
SQLITE(int, sqlite3_exec,
       (sqlite3 * db, const char *sql, int (*each)(void *, int, char **, char **), void *arg,
	char **error),
       (db, sql, each, arg, error), SQLITE_NOMEM)
SQLITE(int, sqlite3_prepare_v3,
       (sqlite3 * db, const char *sql, int len, unsigned flags, sqlite3_stmt **ret,
	const char **tail),
       (db, sql, len, flags, ret, tail), (*ret = NULL, SQLITE_NOMEM))
SQLITE(int, sqlite3_prepare_v2,
       (sqlite3 * db, const char *sql, int len, sqlite3_stmt **ret, const char **tail),
       (db, sql, len, ret, tail), (*ret = NULL, SQLITE_NOMEM))
SQLITE(int, sqlite3_step, (sqlite3_stmt * statement), (statement), SQLITE_NOMEM)
SQLITE(int, sqlite3_bind_blob64,
       (sqlite3_stmt * statement, int at, const void *bytes, sqlite3_uint64 len,
	void (*done)(void *)),
       (statement, at, bytes, len, done), SQLITE_NOMEM)
SQLITE(int, sqlite3_bind_text64,
       (sqlite3_stmt * statement, int at, const char *text, sqlite3_uint64 len,
	void (*done)(void *), unsigned char encoding),
       (statement, at, text, len, done, encoding), SQLITE_NOMEM)
SQLITE(int, sqlite3_bind_int64, (sqlite3_stmt * statement, int at, sqlite3_int64 value),
       (statement, at, value), SQLITE_NOMEM)
SQLITE(int, sqlite3_bind_null, (sqlite3_stmt * statement, int at), (statement, at), SQLITE_NOMEM)
SQLITE(const unsigned char *, sqlite3_column_text, (sqlite3_stmt * statement, int at),
       (statement, at), NULL)
SQLITE(const void *, sqlite3_column_blob, (sqlite3_stmt * statement, int at), (statement, at), NULL)
SQLITE(sqlite3_vfs *, sqlite3_vfs_find, (const char *name), (name), NULL)
SQLITE(int, sqlite3_file_control, (sqlite3 * db, const char *name, int what, void *arg),
       (db, name, what, arg), SQLITE_NOMEM)
SQLITE(int, sqlite3_busy_timeout, (sqlite3 * db, int wait), (db, wait), SQLITE_NOMEM)
SQLITE(int, sqlite3_extended_result_codes, (sqlite3 * db, int is_on), (db, is_on), SQLITE_NOMEM)
SQLITE(int, sqlite3_wal_checkpoint_v2,
       (sqlite3 * db, const char *name, int mode, int *in_log, int *done),
       (db, name, mode, in_log, done), SQLITE_NOMEM)

OPENSSL(SSL *, SSL_new, (SSL_CTX * context), (context), NULL)
OPENSSL(int, SSL_do_handshake, (SSL * ssl), (ssl), -1)
OPENSSL(int, SSL_read_ex, (SSL * ssl, void *at, size_t len, size_t *ret), (ssl, at, len, ret), 0)
OPENSSL(int, SSL_write_ex, (SSL * ssl, const void *at, size_t len, size_t *ret),
	(ssl, at, len, ret), 0)
OPENSSL(int, SSL_shutdown, (SSL * ssl), (ssl), -1)
OPENSSL(SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *method), (method), NULL)
/* what OpenSSL's macros set on a context: the curves, the oldest version, a chain */
OPENSSL(long, SSL_CTX_ctrl, (SSL_CTX * context, int what, long number, void *at),
	(context, what, number, at), 0)
OPENSSL(int, SSL_CTX_use_certificate, (SSL_CTX * context, X509 *certificate),
	(context, certificate), 0)
OPENSSL(int, SSL_CTX_use_PrivateKey, (SSL_CTX * context, EVP_PKEY *key), (context, key), 0)
OPENSSL(int, SSL_CTX_set_session_id_context,
	(SSL_CTX * context, const unsigned char *id, unsigned len), (context, id, len), 0)
OPENSSL(BIO *, BIO_new, (const BIO_METHOD *method), (method), NULL)
OPENSSL(BIO *, BIO_new_mem_buf, (const void *at, int len), (at, len), NULL)
OPENSSL(BIO *, BIO_new_fp, (FILE * file, int flags), (file, flags), NULL)
OPENSSL(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), NULL)
OPENSSL(EVP_MD *, EVP_MD_fetch, (OSSL_LIB_CTX * library, const char *name, const char *properties),
	(library, name, properties), NULL)
OPENSSL(int, EVP_DigestInit_ex2,
	(EVP_MD_CTX * context, const EVP_MD *type, const OSSL_PARAM params[]),
	(context, type, params), 0)
OPENSSL(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *at, size_t len),
	(context, at, len), 0)
OPENSSL(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char *ret, unsigned *ret_len),
	(context, ret, ret_len), 0)
OPENSSL(EVP_PKEY_CTX *, EVP_PKEY_CTX_dup, (const EVP_PKEY_CTX *context), (context), NULL)
OPENSSL(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_pkey,
	(OSSL_LIB_CTX * library, EVP_PKEY *key, const char *properties), (library, key, properties),
	NULL)
OPENSSL(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name,
	(OSSL_LIB_CTX * library, const char *name, const char *properties),
	(library, name, properties), NULL)
OPENSSL(int, EVP_PKEY_sign_init, (EVP_PKEY_CTX * context), (context), 0)
OPENSSL(int, EVP_PKEY_sign,
	(EVP_PKEY_CTX * context, unsigned char *ret, size_t *ret_len, const unsigned char *at,
	 size_t len),
	(context, ret, ret_len, at, len), 0)
OPENSSL(int, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * context, int padding),
	(context, padding), 0)
OPENSSL(int, EVP_PKEY_CTX_set_rsa_mgf1_md, (EVP_PKEY_CTX * context, const EVP_MD *type),
	(context, type), 0)
OPENSSL(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX * context, int len), (context, len), 0)
OPENSSL(int, EVP_PKEY_CTX_set_signature_md, (EVP_PKEY_CTX * context, const EVP_MD *type),
	(context, type), 0)
OPENSSL(int, EVP_PKEY_verify_init, (EVP_PKEY_CTX * context), (context), 0)
OPENSSL(int, EVP_PKEY_verify,
	(EVP_PKEY_CTX * context, const unsigned char *signature, size_t signature_len,
	 const unsigned char *at, size_t len),
	(context, signature, signature_len, at, len), -1)
OPENSSL(int, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * context), (context), 0)
OPENSSL(int, EVP_PKEY_fromdata,
	(EVP_PKEY_CTX * context, EVP_PKEY **ret, int selection, OSSL_PARAM params[]),
	(context, ret, selection, params), 0)
OPENSSL(ECDSA_SIG *, ECDSA_SIG_new, (void), (), NULL)
OPENSSL(ECDSA_SIG *, d2i_ECDSA_SIG, (ECDSA_SIG * *at, const unsigned char **bytes, long len),
	(at, bytes, len), NULL)
OPENSSL(int, i2d_ECDSA_SIG, (const ECDSA_SIG *signature, unsigned char **ret), (signature, ret), -1)
OPENSSL(BIGNUM *, BN_bin2bn, (const unsigned char *at, int len, BIGNUM *ret), (at, len, ret), NULL)
OPENSSL(int, ECDSA_SIG_set0, (ECDSA_SIG * signature, BIGNUM *r, BIGNUM *s), (signature, r, s), 0)
OPENSSL(int, BN_bn2binpad, (const BIGNUM *number, unsigned char *ret, int len), (number, ret, len),
	-1)
OPENSSL(int, BN_bn2nativepad, (const BIGNUM *number, unsigned char *ret, int len),
	(number, ret, len), -1)
OPENSSL(int, EVP_DigestVerifyInit,
	(EVP_MD_CTX * context, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine,
	 EVP_PKEY *key),
	(context, ret, type, engine, key), 0)
OPENSSL(int, EVP_DigestVerify,
	(EVP_MD_CTX * context, const unsigned char *signature, size_t signature_len,
	 const unsigned char *at, size_t len),
	(context, signature, signature_len, at, len), -1)
OPENSSL(EVP_PKEY *, EVP_PKEY_new_raw_public_key_ex,
	(OSSL_LIB_CTX * library, const char *type, const char *properties, const unsigned char *at,
	 size_t len),
	(library, type, properties, at, len), NULL)
OPENSSL(int, EVP_PKEY_get_bn_param, (const EVP_PKEY *key, const char *name, BIGNUM **ret),
	(key, name, ret), 0)
OPENSSL(int, EVP_PKEY_get_group_name,
	(const EVP_PKEY *key, char *ret, size_t size, size_t *ret_len), (key, ret, size, ret_len),
	0)
OPENSSL(int, i2d_PrivateKey, (const EVP_PKEY *key, unsigned char **ret), (key, ret), -1)
OPENSSL(int, SSL_CTX_set_cipher_list, (SSL_CTX * context, const char *names), (context, names), 0)
OPENSSL(int, SSL_CTX_check_private_key, (const SSL_CTX *context), (context), 0)
OPENSSL(BIO_METHOD *, BIO_meth_new, (int type, const char *name), (type, name), NULL)
OPENSSL(EVP_PKEY *, PEM_read_bio_PrivateKey,
	(BIO * bio, EVP_PKEY **at, pem_password_cb *ask, void *arg), (bio, at, ask, arg), NULL)
OPENSSL(int, PEM_write_bio_PrivateKey,
	(BIO * bio, const EVP_PKEY *key, const EVP_CIPHER *cipher, const unsigned char *pass,
	 int pass_len, pem_password_cb *ask, void *arg),
	(bio, key, cipher, pass, pass_len, ask, arg), 0)
OPENSSL(int, PEM_write_bio_PKCS8PrivateKey,
	(BIO * bio, const EVP_PKEY *key, const EVP_CIPHER *cipher, const char *pass, int pass_len,
	 pem_password_cb *ask, void *arg),
	(bio, key, cipher, pass, pass_len, ask, arg), 0)
OPENSSL(int, PEM_write_bio_X509, (BIO * bio, const X509 *certificate), (bio, certificate), 0)
OPENSSL(X509 *, X509_new, (void), (), NULL)
OPENSSL(int, X509_set_version, (X509 * certificate, long version), (certificate, version), 0)
OPENSSL(int, X509_set_pubkey, (X509 * certificate, EVP_PKEY *key), (certificate, key), 0)
OPENSSL(int, X509_set_issuer_name, (X509 * certificate, const X509_NAME *name), (certificate, name),
	0)
OPENSSL(int, X509_NAME_add_entry_by_txt,
	(X509_NAME * name, const char *field, int type, const unsigned char *at, int len, int where,
	 int set),
	(name, field, type, at, len, where, set), 0)
OPENSSL(ASN1_TIME *, X509_time_adj_ex, (ASN1_TIME * at, int days, long seconds, time_t *from),
	(at, days, seconds, from), NULL)
OPENSSL(X509_EXTENSION *, X509V3_EXT_conf_nid,
	(LHASH_OF(CONF_VALUE) * names, X509V3_CTX *context, int nid, const char *value),
	(names, context, nid, value), NULL)
OPENSSL(int, X509_add_ext, (X509 * certificate, X509_EXTENSION *extension, int at),
	(certificate, extension, at), 0)
OPENSSL(ASN1_INTEGER *, BN_to_ASN1_INTEGER, (const BIGNUM *number, ASN1_INTEGER *ret),
	(number, ret), NULL)
OPENSSL(int, X509_sign, (X509 * certificate, EVP_PKEY *key, const EVP_MD *type),
	(certificate, key, type), 0)
OPENSSL(int, X509_check_private_key, (const X509 *certificate, const EVP_PKEY *key),
	(certificate, key), 0)
OPENSSL(int, ASN1_TIME_to_tm, (const ASN1_TIME *time, struct tm *ret), (time, ret), 0)
OPENSSL(X509 *, PEM_read_bio_X509, (BIO * bio, X509 **at, pem_password_cb *ask, void *arg),
	(bio, at, ask, arg), NULL)
OPENSSL(X509 *, PEM_read_bio_X509_AUX, (BIO * bio, X509 **at, pem_password_cb *ask, void *arg),
	(bio, at, ask, arg), NULL)

/* What follows the type is a name, a length or nothing: one word in any case. */
__attribute__((visibility("default"))) EVP_PKEY *EVP_PKEY_Q_keygen(OSSL_LIB_CTX *library,
								   const char *properties,
								   const char *type, ...)
{
	static __typeof__(EVP_PKEY_Q_keygen) *real;
	va_list list;
	size_t word;

	va_start(list, type);
	word = va_arg(list, size_t);
	va_end(list);
	if (real == NULL)
		real = (__typeof__(EVP_PKEY_Q_keygen) *)inject_real("EVP_PKEY_Q_keygen");
	return INJECT(INJECT_OPENSSL, "EVP_PKEY_Q_keygen") ? NULL
							   : real(library, properties, type, word);
}

SODIUM(int, crypto_aead_xchacha20poly1305_ietf_encrypt,
       (unsigned char *ret, unsigned long long *ret_len, const unsigned char *at,
	unsigned long long len, const unsigned char *with, unsigned long long with_len,
	const unsigned char *none, const unsigned char *nonce, const unsigned char *key),
       (ret, ret_len, at, len, with, with_len, none, nonce, key), -1)
SODIUM(int, crypto_aead_xchacha20poly1305_ietf_decrypt,
       (unsigned char *ret, unsigned long long *ret_len, unsigned char *none,
	const unsigned char *at, unsigned long long len, const unsigned char *with,
	unsigned long long with_len, const unsigned char *nonce, const unsigned char *key),
       (ret, ret_len, none, at, len, with, with_len, nonce, key), -1)
SODIUM(void *, sodium_allocarray, (size_t count, size_t size), (count, size),
       (errno = ENOMEM, NULL))
SODIUM(int, sodium_init, (void), (), -1)
SODIUM(int, sodium_mprotect_readonly, (void *at), (at), (errno = ENOMEM, -1))
/* a password's hash is argon2's own, in memory of ours */
SODIUM(int, argon2id_ctx, (argon2_context * context), (context), ARGON2_MEMORY_ALLOCATION_ERROR)

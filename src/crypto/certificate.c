/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/task.h"
#include "crypto/random.h"

#define SERIAL_LEN    16
#define PEM_MAX	      (256 * 1024)
#define EXTENSION_MAX 512
#define BACKDATE_S    3600 /* clocks of other machines may be behind */

static void key_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void x509_free(X509 **certificate)
{
	X509_free(*certificate);
}

static void bio_free(BIO **bio)
{
	BIO_free(*bio);
}

static enum err failed(struct task *task, const char *what)
{
	return failf(task, ERR_CRYPTO, "OpenSSL cannot make %s", what);
}

static bool is_address(struct str host)
{
	return str_has(host, ':') || str_only(host, "0123456789.");
}

static struct str without_brackets(struct str host)
{
	return str_starts_with(host, STR("[")) ? str_sub(host, 1, host.len - 2) : host;
}

static enum err set_serial(struct task *task, X509 *certificate)
{
	unsigned char bytes[SERIAL_LEN];
	BIGNUM *number;
	bool is_set;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7F; /* RFC 5280 4.1.2.2: positive */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	is_set = number != NULL &&
		 BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return is_set ? OK : failed(task, "a serial number");
}

static enum err set_name(struct task *task, X509_NAME *name, struct str common_name)
{
	/* RFC 5280 ub-common-name; the subject alternative name is what counts */
	int len = common_name.len > 64 ? 64 : (int)common_name.len;

	if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				       (const unsigned char *)common_name.at, len, -1, 0) != 1)
		return failed(task, "a name");
	return OK;
}

static enum err add_extension(struct task *task, X509 *certificate, X509 *issuer, int nid,
			      const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int added;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	added = extension != NULL && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return added ? OK : failed(task, "an extension");
}

/* A certificate without extensions, not yet signed. */
static enum err draft(struct task *task, EVP_PKEY *key, struct str name, X509 **ret_certificate)
{
	CLEANUP(x509_free) X509 *certificate = X509_new();
	time_t now = (time_t)(task->now / SECOND_MS);

	if (certificate == NULL || X509_set_version(certificate, X509_VERSION_3) != 1 ||
	    X509_set_pubkey(certificate, key) != 1 ||
	    X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -BACKDATE_S, &now) == NULL ||
	    X509_time_adj_ex(X509_getm_notAfter(certificate), CERTIFICATE_DAYS, 0, &now) == NULL)
		return failed(task, "a certificate");
	TRY(set_serial(task, certificate));
	TRY(set_name(task, X509_get_subject_name(certificate), name));
	*ret_certificate = certificate;
	certificate = NULL;
	return OK;
}

static enum err make_authority(struct task *task, EVP_PKEY *key, struct str host, X509 **ret_ca)
{
	CLEANUP(x509_free) X509 *ca = NULL;
	struct str name = STR_JOIN(&task->arena, STR("grantd CA for "), host);
	struct str only = STR_JOIN(&task->arena, STR("critical,permitted;DNS:"), host);

	TRY(draft(task, key, name, &ca));
	TRY(add_extension(task, ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
	TRY(add_extension(task, ca, ca, NID_key_usage, "critical,keyCertSign"));
	TRY(add_extension(task, ca, ca, NID_subject_key_identifier, "hash"));
	if (!is_address(host))
		TRY(add_extension(task, ca, ca, NID_name_constraints, only.at));
	if (X509_set_issuer_name(ca, X509_get_subject_name(ca)) != 1 ||
	    X509_sign(ca, key, EVP_sha256()) == 0)
		return failed(task, "a certificate authority");
	*ret_ca = ca;
	ca = NULL;
	return OK;
}

static enum err make_server(struct task *task, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key,
			    struct str host, X509 **ret_server)
{
	CLEANUP(x509_free) X509 *server = NULL;
	struct str kind = is_address(host) ? STR("IP:") : STR("DNS:");
	struct str names = STR_JOIN(&task->arena, kind, host);

	TRY(draft(task, key, host, &server));
	TRY(add_extension(task, server, ca, NID_basic_constraints, "critical,CA:FALSE"));
	TRY(add_extension(task, server, ca, NID_key_usage, "critical,digitalSignature"));
	TRY(add_extension(task, server, ca, NID_ext_key_usage, "serverAuth"));
	TRY(add_extension(task, server, ca, NID_subject_key_identifier, "hash"));
	TRY(add_extension(task, server, ca, NID_authority_key_identifier, "keyid:always"));
	TRY(add_extension(task, server, ca, NID_subject_alt_name, names.at));
	if (X509_set_issuer_name(server, X509_get_subject_name(ca)) != 1 ||
	    X509_sign(server, ca_key, EVP_sha256()) == 0)
		return failed(task, "a server certificate");
	*ret_server = server;
	server = NULL;
	return OK;
}

static struct str memory_of(BIO *bio)
{
	char *at = NULL;
	long len = BIO_get_mem_data(bio, &at);

	return (struct str){ at, len > 0 ? (size_t)len : 0 };
}

static enum err print_certificate(struct task *task, X509 *certificate, struct str *ret_pem)
{
	CLEANUP(bio_free) BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1)
		return failed(task, "PEM");
	*ret_pem = str_copy(&task->arena, memory_of(bio));
	return OK;
}

static enum err print_key(struct task *task, EVP_PKEY *key, struct secret *ret_pem)
{
	CLEANUP(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
	struct str pem;

	if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return failed(task, "PEM");
	pem = memory_of(bio);
	secret_set(ret_pem, pem.at, pem.len);
	return OK;
}

enum err certificate_create(struct task *task, struct str host,
			    struct new_certificate *ret_certificate)
{
	CLEANUP(key_free) EVP_PKEY *ca_key = EVP_EC_gen("P-256");
	CLEANUP(key_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(x509_free) X509 *ca = NULL, *server = NULL;
	struct new_certificate made = { 0 };

	host = without_brackets(host);
	if (ca_key == NULL || key == NULL)
		return failed(task, "a key");
	TRY(make_authority(task, ca_key, host, &ca));
	TRY(make_server(task, key, ca, ca_key, host, &server));
	TRY(print_certificate(task, ca, &made.ca_pem));
	TRY(print_certificate(task, server, &made.cert_pem));
	TRY(print_key(task, key, &made.key_pem));
	*ret_certificate = made;
	return OK;
}

static int64_t wall_of(const ASN1_TIME *asn1)
{
	struct tm parts = { 0 };

	return ASN1_TIME_to_tm(asn1, &parts) == 1 ? (int64_t)timegm(&parts) * SECOND_MS : 0;
}

static BIO *reader_of(struct str pem)
{
	return pem.len > PEM_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.len);
}

/* A password-protected key must be refused, not asked for at a terminal. */
static int no_password(char *at, int size, int is_writing, void *context)
{
	(void)at, (void)size, (void)is_writing, (void)context;
	return -1;
}

enum err certificate_inspect(struct task *task, struct str cert_pem, struct str key_pem,
			     struct str host, struct certificate_facts *ret_facts)
{
	CLEANUP(bio_free) BIO *cert_bio = reader_of(cert_pem), *key_bio = reader_of(key_pem);
	CLEANUP(x509_free)
	X509 *certificate = cert_bio == NULL ? NULL
					     : PEM_read_bio_X509(cert_bio, NULL, no_password, NULL);
	CLEANUP(key_free)
	EVP_PKEY *key = key_bio == NULL ? NULL
					: PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
	const char *name = str_to_c(&task->arena, without_brackets(host));

	if (certificate == NULL)
		return fail(task, ERR_CONFIG, "holds no certificate in PEM form");
	if (key == NULL)
		return fail(task, ERR_CONFIG, "the key file holds no private key in PEM form");
	*ret_facts = (struct certificate_facts){
		.not_before = wall_of(X509_get0_notBefore(certificate)),
		.not_after = wall_of(X509_get0_notAfter(certificate)),
		.names_host = X509_check_host(certificate, name, 0, 0, NULL) == 1 ||
			      X509_check_ip_asc(certificate, name, 0) == 1,
		.key_matches = X509_check_private_key(certificate, key) == 1,
	};
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* TLS for listeners: TLS 1.2 and 1.3 by OpenSSL on the socket, session tickets, certificates
 * replaced while running. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct tls;

/* ERR_CONFIG with the file and what is wrong with it: unreadable, no PEM, key and certificate do
 * not match. */
MUST_CHECK enum err tls_open(struct task *task, struct str cert_file, struct str key_file,
			     struct tls **ret_tls);
/* What opens a file to be read, as open(2) answers; where we may not, somebody else may. */
typedef int tls_open_fn(const char *path);
/* For reloads; before any. */
void tls_open_by(struct tls *tls, tls_open_fn *open);
/* New connections use the files as they are now; running ones go on. The old ones stay on any
 * error. */
MUST_CHECK enum err tls_reload(struct task *task, struct tls *tls);
/* When the certificate in force ends, in seconds since 1970; 0 when it does not say. */
int64_t tls_expires_at(struct tls *tls);
void tls_free(struct tls **tls);

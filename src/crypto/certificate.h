/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private certificate authority made for one installation, with one server certificate (RFC
 * 5280): what a machine without a public name needs to speak HTTPS. The authority's key signs once
 * and is never written anywhere, and name constraints bind it to that one host: who trusts ca.pem
 * trusts nothing else by it. Not for public names: get those certificates from a public authority
 * (ACME).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct task;

#define CERTIFICATE_DAYS 825 /* the longest that all browsers accept */

struct new_certificate {
	struct str ca_pem;     /* for those who are to trust it */
	struct str cert_pem;   /* the chain a server sends */
	struct secret key_pem; /* owned by the caller: secret_wipe */
};

/* For a host name or a bracketed or plain IP address. */
MUST_CHECK enum err certificate_create(struct task *task, struct str host,
				       struct new_certificate *ret_certificate);

struct certificate_facts {
	int64_t not_before, not_after; /* wall ms */
	bool names_host;
	bool key_matches;
};

/*
 * What a certificate file and its key say, for `grantd check`. ERR_CONFIG for texts that are not
 * PEM of a certificate and a key.
 */
MUST_CHECK enum err certificate_inspect(struct task *task, struct str cert_pem, struct str key_pem,
					struct str host, struct certificate_facts *ret_facts);

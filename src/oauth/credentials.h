/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client credentials as they come over HTTP (OAuth 2.1 2.4): Basic, in the body, an assertion (RFC
 * 7521 4.2), or a bare client_id. Whether they are right is authority/client_auth's affair.
 */
#pragma once

#include "authority/client_auth.h"
#include "http/form.h"
#include "http/message.h"

struct basic {
	struct str user, password;
	struct str raw_password; /* as it came, for clients that do not form-encode it */
};

/*
 * User and password of a Basic Authorization value (RFC 7617), each form-decoded (RFC 6749 2.3.1),
 * in task memory. ERR_CLIENT for another scheme; ERR_REQUEST for anything malformed.
 */
MUST_CHECK enum err basic_parse(struct task *task, struct str value, struct basic *ret_basic);
/*
 * OAuth 2.1 5.1: the header is the only place for a token. STR_NONE when there is none of scheme
 * Bearer.
 */
struct str bearer_token(const struct request *request);
/*
 * ERR_REQUEST for two methods at once, or a client_id in the body that differs; ERR_CLIENT for a
 * method we do not have. Empty body parameters are absent: Dovecot sends them beside Basic. Basic
 * with an empty password is no secret but a client that says who it is.
 */
MUST_CHECK enum err credentials_read(struct task *task, const struct request *request,
				     const struct form *form,
				     struct client_credentials *ret_credentials);

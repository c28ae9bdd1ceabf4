/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way a call can end. Protocol words are errors too; the doors' tables turn them into answers
 * (oauth/reply.c, web/page.c, admin/reply.c), so a rule never knows how its refusal is worded on
 * the wire.
 */
#pragma once

#include "base/compiler.h"

enum err {
	OK = 0,
	ERR_PARKED, /* no failure: the task has changed hands and its `then` goes on with it */

	/* what the asker got wrong; RFC 6749 5.2 and its relatives */
	ERR_REQUEST,		/* invalid_request: malformed, missing or repeated */
	ERR_CLIENT,		/* invalid_client: client authentication failed */
	ERR_CLIENT_DOCUMENT,	/* invalid_client: what its URL names makes no client */
	ERR_GRANT,		/* invalid_grant: code or refresh token does not stand */
	ERR_SCOPE,		/* invalid_scope */
	ERR_TARGET,		/* invalid_target (RFC 8707) */
	ERR_CLIENT_NOT_ALLOWED, /* unauthorized_client: this grant type is not for this client */
	ERR_GRANT_TYPE,		/* unsupported_grant_type */
	ERR_RESPONSE_TYPE,	/* unsupported_response_type */
	ERR_REQUEST_OBJECT,	/* request_not_supported (RFC 9101) */
	ERR_REQUEST_URI,	/* request_uri_not_supported */
	ERR_DETAILS,		/* invalid_authorization_details (RFC 9396 5) */
	ERR_PUSHED,	    /* invalid_request_uri (RFC 9101): unknown, another's, used, or over */
	ERR_DENIED,	    /* access_denied: the person said no */
	ERR_PENDING,	    /* authorization_pending (RFC 8628 3.5): not answered yet */
	ERR_SLOW_DOWN,	    /* slow_down: asked again sooner than it may */
	ERR_EXPIRED,	    /* expired_token: nobody answered in time */
	ERR_LOGIN_REQUIRED, /* login_required (OIDC Core 3.1.2.6) */
	ERR_CONSENT_REQUIRED,	  /* consent_required */
	ERR_UNMET_AUTHENTICATION, /* unmet_authentication_requirements (RFC 9470) */
	ERR_METADATA,		  /* invalid_client_metadata (RFC 7591 3.2.2) */
	ERR_REDIRECT_URI,	  /* invalid_redirect_uri */
	ERR_SOFTWARE_STATEMENT,	  /* invalid_software_statement */
	ERR_TOKEN,		  /* invalid_token (RFC 6750) */
	ERR_TOKEN_TYPE,		  /* unsupported_token_type (RFC 7009 2.2.1) */
	ERR_INSUFFICIENT_SCOPE,	  /* insufficient_scope (RFC 6750) */
	ERR_DPOP,		  /* invalid_dpop_proof (RFC 9449 5) */
	/* use_dpop_nonce (RFC 9449 8): again, with the nonce of the answer */
	ERR_DPOP_NONCE,
	ERR_PAUSED,    /* stopped for now by person or operator */
	ERR_THROTTLED, /* too often: 429 */
	ERR_PASSWORD,  /* name and password do not belong together */
	ERR_FORBIDDEN, /* known, and not allowed: CSRF, roles, somebody else's thing */
	ERR_NOT_FOUND,
	ERR_CONFLICT, /* it exists already, or it was answered already */
	ERR_TOO_LARGE,
	ERR_MEDIA_TYPE, /* 415 */
	ERR_METHOD,	/* 405 */
	ERR_SYNTAX,	/* a parser met something it does not accept */
	ERR_CONFIG, /* what the operator wrote does not make sense; the reason says what to do */

	/* what failed on our side */
	ERR_BUSY, /* a queue is full: 503 with Retry-After */
	ERR_TIMEOUT,
	ERR_STORE,  /* the database refused or is gone */
	ERR_FULL,   /* its disk is full: only what stops something is kept */
	ERR_CRYPTO, /* a key is missing, or sealed bytes do not open */
	ERR_IO,
	ERR_INTERNAL,
	ERR_LAST = ERR_INTERNAL
};

/* The name of an error for logs and tests, such as "ERR_GRANT". */
const char *err_name(enum err err);

/*
 * Passes a callee's error on. Needs the three rules: task memory, CLEANUP, ret_x written only on
 * OK.
 */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		enum err try_err_ = (call);                                                        \
		if (try_err_ != OK)                                                                \
			return try_err_;                                                           \
	} while (0)

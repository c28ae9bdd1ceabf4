/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorization request (OAuth 2.1 4.1.1, RFC 9207, RFC 8707, OIDC Core 3.1.2): is it one we
 * can ask a person?
 */
#pragma once

#include "authority/authority.h"
#include "authority/single_use.h"
#include "model/auth_request.h"
#include "model/client.h"

/* The parameters as decoded; STR_NONE when absent or empty. */
struct authorize_params {
	/*
	 * what the door found wrong ("repeated parameter: scope"; STR_NONE: nothing): ERR_REQUEST
	 * with it as the reason, once client and redirect URI are proven
	 */
	struct str defect;
	struct str client_id, redirect_uri, response_type, response_mode, scope, state, resource;
	struct str code_challenge, code_challenge_method, nonce, prompt, max_age, login_hint;
	struct str dpop_jkt, ui_locales, acr_values, request, request_uri, authorization_details;
	size_t resource_count;
	struct str browser; /* value of the browser cookie */
	struct str user_id; /* who is signed in in it: what prompt=none asks; STR_NONE: nobody */
	struct str source;  /* address */
};

/* How a refusal may be told. */
struct authorize_refusal {
	/*
	 * client and redirect URI are proven, and the client is the operator's, or one that the
	 * person who is signed in allows something
	 */
	bool may_redirect;
	struct str redirect_uri;
	struct str state;
	int64_t retry_after;
};

/* A request on its way to the person: what the door read, and what becomes of it. Task memory. */
struct authorize_wish {
	struct authorize_params params;
	struct auth_request request; /* as it is remembered */
	struct authorize_refusal refusal;
	/* what it is about, for the rules */
	const struct authority *authority;
	struct client client;
	const struct resource *resource;
	struct single_use single_use; /* what its push showed */
	bool is_taken;		      /* pushed, and this browser's already */
};

/*
 * Checks everything, and fills wish->request as it is to be kept. ERR_REQUEST, ERR_CLIENT (unknown:
 * a page), ERR_SCOPE, ERR_TARGET, ERR_RESPONSE_TYPE, ERR_REQUEST_OBJECT, ERR_REQUEST_URI,
 * ERR_CLIENT_NOT_ALLOWED, ERR_UNMET_AUTHENTICATION, ERR_LOGIN_REQUIRED / ERR_CONSENT_REQUIRED
 * (prompt=none), ERR_THROTTLED; wish->refusal is filled in any case.
 */
MUST_CHECK enum err auth_request_open(struct task *task, const struct authority *authority,
				      struct authorize_wish *wish);
/* Remembers what was opened. ERR_PARKED: then(task, result, wish) after the commit. */
MUST_CHECK enum err auth_request_keep(struct task *task, struct authorize_wish *wish,
				      then_fn *then);
/*
 * Its steps, for requests that come another way (pushed.h). Redirect URI and state: until these
 * stand, nobody is told anything but the person. ERR_REQUEST.
 */
MUST_CHECK enum err auth_request_check_sender(struct task *task, struct authorize_wish *wish);
/*
 * RFC 9700 4.11.2: whoever can register an address could have us send a browser there with an error
 * made to measure. So refusal.may_redirect says that the operator named it, or that this person has
 * let the client in.
 */
MUST_CHECK enum err auth_request_check_trusted(struct task *task, struct authorize_wish *wish);
/*
 * All that is asked, whoever asks: fills wish->request but for id, state, browser and end, and
 * wish->resource. Errors as auth_request_open, but for those of a person and of too much.
 */
MUST_CHECK enum err auth_request_check(struct task *task, struct authorize_wish *wish);
/* prompt=none: always somebody has to be asked. ERR_CONSENT_REQUIRED, ERR_LOGIN_REQUIRED. */
MUST_CHECK enum err auth_request_check_silent(struct task *task, const struct authorize_wish *wish);
/*
 * A pending request for the browser that opened it. ERR_NOT_FOUND: none or over; ERR_FORBIDDEN:
 * another browser's (CS-009).
 */
MUST_CHECK enum err auth_request_load(struct task *task, const struct authority *authority,
				      struct str id, struct str browser,
				      struct auth_request *ret_request);
/* What goes back to the client: a code, or an error with its words. */
struct authorize_answer {
	struct str redirect_uri;
	struct str state; /* STR_NONE: none was sent */
	struct str code;
	struct str error;
	struct str description;
};

/* The address that carries it, with iss (RFC 9207). Task memory. */
MUST_CHECK enum err authorize_redirect(struct task *task, const struct authority *authority,
				       const struct authorize_answer *answer,
				       struct str *ret_location);

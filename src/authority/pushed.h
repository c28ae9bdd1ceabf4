/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushed authorization requests (RFC 9126): what a client asks comes from the client itself, and
 * the browser only brings where it lies. A request is pushed for 60 seconds; the first browser that
 * opens it has it as if it had asked itself, for as long as other requests last, and may reload as
 * often as it likes. It is nobody else's from then on. Its answer is one code at most, as of any
 * other request.
 */
#pragma once

#include "authority/request.h"

/* True for a request_uri of ours, of whatever request; others are nowhere looked up. */
bool pushed_is_meant(struct str request_uri);
/* The address of a pushed request, in arena memory. */
struct str pushed_uri(struct arena *arena, struct str id);
/*
 * By the client wish->client, which is authenticated: checks what /authorize would check and
 * remembers it, with wish->single_use spent; jkt: the key that a DPoP proof was by, STR_NONE
 * without. then(task, result, wish) after the commit. ERR_PARKED, or at once: as auth_request_open;
 * ERR_THROTTLED with refusal.retry_after; ERR_REQUEST also for a request_uri, and for a dpop_jkt
 * that is another key than the proof's (RFC 9449 10.1).
 */
MUST_CHECK enum err pushed_open(struct task *task, const struct authority *authority,
				struct authorize_wish *wish, struct str jkt, then_fn *then);
/*
 * By the browser wish->params.browser: of params only client_id and request_uri count. Parks until
 * the request is this browser's; OK at once when it was already. wish->client, request and refusal
 * are filled. ERR_PUSHED: no such request of this client, another browser's, or over; ERR_CLIENT,
 * ERR_REQUEST_OBJECT; ERR_CONSENT_REQUIRED, ERR_LOGIN_REQUIRED (prompt=none).
 */
MUST_CHECK enum err pushed_take(struct task *task, const struct authority *authority,
				struct authorize_wish *wish, then_fn *then);

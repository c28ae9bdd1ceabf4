/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs that a log-in's tokens are ours (RFC 9449), by the key that lies in it. */
#pragma once

#include <stdbool.h>

#include "crypto/client_key.h"

/* A new key as a log-in keeps it. */
MUST_CHECK enum err prove_new_key(struct task *task, struct str *ret_pem);
/*
 * The header line of one call; wish->url may have a query. ERR_STORE when the key cannot be read.
 */
MUST_CHECK enum err prove_line(struct task *task, struct str pem, const struct proof_wish *wish,
			       struct str *ret_line);
/* True for the token_type of RFC 9449 5. */
bool login_type_is_dpop(struct str token_type);

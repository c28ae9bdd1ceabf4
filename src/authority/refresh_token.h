/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of a refresh token: fields ‖ tag, and a checksum for who looks for lost ones. Nothing of
 * it is kept; tag = HMAC(K, label ‖ issuer ‖ client ‖ fields), where the key holder has K and adds
 * the issuer (DESIGN 5).
 */
#pragma once

#include "authority/authority.h"
#include "model/family.h"

#define REFRESH_FIELDS 38
#define REFRESH_BYTES  (REFRESH_FIELDS + SHA256_LEN)

struct refresh_token {
	uint32_t root_number;
	struct str family_id;
	int64_t generation;
	struct str tag;
};

/* The fields of the family's current one; the tag is to follow them. */
void refresh_token_begin(char bytes[REFRESH_FIELDS], const struct family *family);
/* What the tag is of. */
struct str refresh_token_input(struct arena *arena, const struct family *family,
			       const char bytes[REFRESH_FIELDS]);
/* The same of one that was presented. */
struct str refresh_token_presented(struct arena *arena, const struct family *family,
				   const struct refresh_token *token);
struct str refresh_token_text(struct arena *arena, const char bytes[REFRESH_BYTES]);
/* ERR_GRANT: not known. */
enum err refresh_token_refuse(struct task *task);
/* Takes a refresh token apart: form and CRC only. ERR_GRANT. */
MUST_CHECK enum err refresh_token_parse(struct task *task, struct str text,
					struct refresh_token *ret_token);
/*
 * ERR_GRANT unless the root key it names is the one by which a token of the family with its
 * generation was made, and one that we have. ERR_BUSY when this node's file lacks the key of a
 * family that lives.
 */
MUST_CHECK enum err refresh_token_check_root(struct task *task, const struct authority *authority,
					     const struct refresh_token *token,
					     const struct family *family);
/* A check under way to and from the key holder. In task memory; the caller fills what is above. */
struct refresh_token_checking {
	const struct refresh_token *token;
	const struct family *family;
	then_fn *then;
	void *arg;

	struct str tag;
};
/*
 * That, and ERR_GRANT unless the tag is ours for that family; asked with the questions of other
 * tasks. ERR_PARKED: then(task, result, arg).
 */
MUST_CHECK enum err refresh_token_check_with_others(struct task *task,
						    const struct authority *authority,
						    struct refresh_token_checking *checking);
/* The same at once. */
MUST_CHECK enum err refresh_token_check(struct task *task, const struct authority *authority,
					const struct refresh_token *token,
					const struct family *family);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private half of the keys: root keys, signing keys, and person keys for as long as a question
 * takes. In the daemon only keyd has one; commands that serve nobody (init, check) have one in
 * their own process. What a question means is said in keys.h. Safe from all threads.
 */
#pragma once

#include "crypto/keys.h"

struct key_holder;

MUST_CHECK enum err holder_open(struct task *task, struct str root_file, struct str issuer,
				struct key_holder **ret_holder);
void holder_free(struct key_holder **holder);

uint32_t holder_root_number(const struct key_holder *holder);
/* In arena memory. */
struct key_root *holder_roots(struct arena *arena, const struct key_holder *holder,
			      size_t *ret_count);
/* ERR_CRYPTO: it is not in the file, or older than the current one. */
MUST_CHECK enum err holder_use_root(struct task *task, struct key_holder *holder, uint32_t number);

MUST_CHECK enum err holder_generate(struct task *task, struct key_holder *holder,
				    struct str purpose, enum alg alg,
				    struct key_record *ret_record);
/*
 * *ret_public has as many records, oldest first, each with the public part that belongs to the
 * private one (whatever the row said) and nothing sealed. Task memory.
 */
MUST_CHECK enum err holder_load(struct task *task, struct key_holder *holder,
				const struct key_record *records, size_t count,
				struct key_record **ret_public);
MUST_CHECK enum err holder_sign_jwt(struct task *task, struct key_holder *holder,
				    struct str purpose, struct str typ, struct str claims,
				    struct str *ret_jwt);
MUST_CHECK enum err holder_mac(struct task *task, struct key_holder *holder, enum mac_label label,
			       struct str input, uint8_t ret_tag[SHA256_LEN]);
MUST_CHECK enum err holder_mac_refresh(struct task *task, struct key_holder *holder,
				       uint32_t root_number, struct str seed, struct str input,
				       uint8_t ret_tag[SHA256_LEN]);
MUST_CHECK enum err holder_new_user_key(struct task *task, struct key_holder *holder,
					struct str user_id, struct str *ret_wrapped);
MUST_CHECK enum err holder_rewrap_user_key(struct task *task, struct key_holder *holder,
					   struct str user_id, struct str wrapped,
					   struct str *ret_wrapped);
MUST_CHECK enum err holder_rewrap_signing_key(struct task *task, struct key_holder *holder,
					      const struct key_record *record,
					      struct str *ret_sealed);
MUST_CHECK enum err holder_seal(struct task *task, struct key_holder *holder, struct str wrapped,
				const struct seal_place *place, struct str plain,
				struct str *ret_sealed);
MUST_CHECK enum err holder_unseal(struct task *task, struct key_holder *holder, struct str wrapped,
				  const struct seal_place *place, struct str sealed,
				  struct secret *ret_plain);

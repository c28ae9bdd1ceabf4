/* SPDX-License-Identifier: Apache-2.0 */
/* Keys under an older root, sealed again under the current one: opened here and nowhere else. */
#include "base/task.h"
#include "crypto/holder_private.h"

static enum err rewrap(struct task *task, struct key_holder *holder, const struct seal_place *place,
		       struct str sealed, struct str *ret_sealed)
{
	CLEANUP(secret_wipe) struct secret key = { 0 };

	TRY(root_unseal(task, holder, place, sealed, &key));
	return root_seal(task, holder, place, secret_reveal(&key), ret_sealed);
}

enum err holder_rewrap_user_key(struct task *task, struct key_holder *holder, struct str user_id,
				struct str wrapped, struct str *ret_wrapped)
{
	const struct seal_place place = user_key_place(user_id);

	if (user_id.len == 0)
		return fail(task, ERR_CRYPTO, "a person's key needs a person");
	return rewrap(task, holder, &place, wrapped, ret_wrapped);
}

enum err holder_rewrap_signing_key(struct task *task, struct key_holder *holder,
				   const struct key_record *record, struct str *ret_sealed)
{
	const struct seal_place place = signing_place(task, record);

	return rewrap(task, holder, &place, record->sealed, ret_sealed);
}

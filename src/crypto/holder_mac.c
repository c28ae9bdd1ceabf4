/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/task.h"
#include "crypto/holder_private.h"

#define INPUT_MAX (64 * 1024)

/* label ‖ length of the issuer ‖ issuer ‖ input; the label's length is fixed by its NUL. */
static enum err mac(struct task *task, const struct key_holder *holder, struct str key,
		    struct str label, struct str input, uint8_t ret_tag[SHA256_LEN])
{
	struct buf buf = buf_in(&task->arena, INPUT_MAX);
	struct str message = STR_NONE;

	buf_add(&buf, label);
	buf_add_char(&buf, '\0');
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(&buf, (char)(holder->issuer_len >> shift));
	buf_add(&buf, (struct str){ holder->issuer, holder->issuer_len });
	buf_add(&buf, input);
	TRY(buf_finish(&buf, &message));
	hmac_sha256(key, message, ret_tag);
	return OK;
}

enum err holder_mac(struct task *task, struct key_holder *holder, enum mac_label label,
		    struct str input, uint8_t ret_tag[SHA256_LEN])
{
	const struct root *root = root_current(holder);

	if ((unsigned)label >= MAC_LABEL_COUNT)
		return fail(task, ERR_INTERNAL, "a MAC label that does not exist");
	return mac(task, holder, (struct str){ (const char *)root->mac_keys[label], SHA256_LEN },
		   STR("mac"), input, ret_tag);
}

enum err holder_mac_refresh(struct task *task, struct key_holder *holder, uint32_t root_number,
			    struct str seed, struct str input, uint8_t ret_tag[SHA256_LEN])
{
	const struct root *root = root_find(holder, root_number);
	uint8_t key[SHA256_LEN];
	enum err err;

	if (root == NULL)
		return fail(task, ERR_CRYPTO, "the root key of that number is not in the file");
	hkdf_sha256(root_bytes(root), seed, STR("grantd v1 refresh"), key, sizeof(key));
	err = mac(task, holder, (struct str){ (const char *)key, sizeof(key) }, STR("refresh"),
		  input, ret_tag);
	explicit_bzero(key, sizeof(key));
	return err;
}

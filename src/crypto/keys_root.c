/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/keys_private.h"
#include "crypto/root_file.h"
#include "crypto/sodium_ready.h"

static const struct str mac_labels[MAC_LABEL_COUNT] = {
	[MAC_CODE] = STR_INIT("grantd v1 mac code"),
	[MAC_CSRF] = STR_INIT("grantd v1 mac csrf"),
	[MAC_BROWSER] = STR_INIT("grantd v1 mac browser"),
};

const struct root *root_current(const struct keyring *keys)
{
	return &keys->roots[keys->root_count - 1];
}

const struct root *root_find(const struct keyring *keys, uint32_t number)
{
	for (size_t i = 0; i < keys->root_count; i++)
		if (keys->roots[i].number == number)
			return &keys->roots[i];
	return NULL;
}

struct str root_bytes(const struct root *root)
{
	return (struct str){ (const char *)root->bytes, sizeof(root->bytes) };
}

static void derive(struct root *root)
{
	hkdf_sha256(root_bytes(root), STR_NONE, STR("grantd v1 seal root"), root->seal_key,
		    sizeof(root->seal_key));
	for (size_t i = 0; i < MAC_LABEL_COUNT; i++)
		hkdf_sha256(root_bytes(root), STR_NONE, mac_labels[i], root->mac_keys[i],
			    sizeof(root->mac_keys[i]));
}

static struct keyring *keyring_new(struct str issuer)
{
	struct keyring *keys = calloc(1, sizeof(*keys));

	sodium_ready();
	if (keys == NULL)
		abort();
	keys->issuer = calloc(1, issuer.len + 1);
	keys->roots = sodium_allocarray(ROOTS_MAX, sizeof(*keys->roots));
	keys->set = calloc(1, sizeof(*keys->set));
	if (keys->issuer == NULL || keys->roots == NULL || keys->set == NULL ||
	    pthread_rwlock_init(&keys->lock, NULL) != 0)
		abort();
	if (issuer.len > 0)
		memcpy(keys->issuer, issuer.at, issuer.len);
	keys->issuer_len = issuer.len;
	atomic_init(&keys->set->holders, 1);
	return keys;
}

enum err keys_open(struct task *task, struct str root_file, struct str issuer,
		   struct keyring **ret_keys)
{
	CLEANUP(keys_free) struct keyring *keys = keyring_new(issuer);

	TRY(root_file_read(task, root_file, keys->roots, &keys->root_count));
	for (size_t i = 0; i < keys->root_count; i++)
		derive(&keys->roots[i]);
	(void)sodium_mprotect_readonly(keys->roots);
	*ret_keys = keys;
	keys = NULL;
	return OK;
}

void keys_free(struct keyring **keys)
{
	if (*keys == NULL)
		return;
	key_set_release(&(*keys)->set);
	(void)pthread_rwlock_destroy(&(*keys)->lock);
	sodium_free((*keys)->roots); /* wipes */
	free((*keys)->issuer);
	free(*keys);
	*keys = NULL;
}

uint32_t keys_root_number(const struct keyring *keys)
{
	return root_current(keys)->number;
}

enum err keys_fingerprint(struct task *task, struct keyring *keys, struct str *ret_fingerprint)
{
	uint8_t answer[SHA256_LEN];

	hkdf_sha256(root_bytes(&keys->roots[0]), STR_NONE, STR("grantd v1 fingerprint"), answer,
		    sizeof(answer));
	*ret_fingerprint = base64url_encode(&task->arena,
					    (struct str){ (char *)answer, sizeof(answer) });
	return OK;
}

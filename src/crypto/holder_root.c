/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/holder_private.h"
#include "crypto/root_file.h"
#include "crypto/sodium_ready.h"

static const struct str mac_labels[MAC_LABEL_COUNT] = {
	[MAC_CODE] = STR_INIT("grantd v1 mac code"),
	[MAC_BROWSER] = STR_INIT("grantd v1 mac browser"),
	[MAC_ALIAS] = STR_INIT("grantd v1 mac alias"),
	[MAC_USER_CODE] = STR_INIT("grantd v1 mac user code"),
};

const struct root *root_current(const struct key_holder *holder)
{
	return &holder->roots[atomic_load(&holder->current)];
}

const struct root *root_find(const struct key_holder *holder, uint32_t number)
{
	for (size_t i = 0; i < holder->root_count; i++)
		if (holder->roots[i].number == number)
			return &holder->roots[i];
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

static struct key_holder *holder_new(struct str issuer)
{
	struct key_holder *holder = calloc(1, sizeof(*holder));

	sodium_ready();
	if (holder == NULL)
		abort();
	holder->issuer = calloc(1, issuer.len + 1);
	holder->roots = sodium_allocarray(ROOTS_MAX, sizeof(*holder->roots));
	holder->set = calloc(1, sizeof(*holder->set));
	if (holder->issuer == NULL || holder->roots == NULL || holder->set == NULL ||
	    pthread_rwlock_init(&holder->lock, NULL) != 0)
		abort();
	if (issuer.len > 0)
		memcpy(holder->issuer, issuer.at, issuer.len);
	holder->issuer_len = issuer.len;
	atomic_init(&holder->set->holders, 1);
	return holder;
}

enum err holder_open(struct task *task, struct str root_file, struct str issuer,
		     struct key_holder **ret_holder)
{
	CLEANUP(holder_free) struct key_holder *holder = holder_new(issuer);

	root_file_tidy(task, root_file);
	TRY(root_file_read(task, root_file, holder->roots, &holder->root_count));
	for (size_t i = 0; i < holder->root_count; i++)
		derive(&holder->roots[i]);
	(void)sodium_mprotect_readonly(holder->roots);
	*ret_holder = holder;
	holder = NULL;
	return OK;
}

void holder_free(struct key_holder **holder)
{
	if (*holder == NULL)
		return;
	key_set_release(&(*holder)->set);
	(void)pthread_rwlock_destroy(&(*holder)->lock);
	sodium_free((*holder)->roots); /* wipes */
	free((*holder)->issuer);
	free(*holder);
	*holder = NULL;
}

uint32_t holder_root_number(const struct key_holder *holder)
{
	return root_current(holder)->number;
}

enum err holder_use_root(struct task *task, struct key_holder *holder, uint32_t number)
{
	const struct root *root = root_find(holder, number);
	size_t wanted, current = atomic_load(&holder->current);

	if (root == NULL)
		return failf(task, ERR_CRYPTO, "root key %u is not in the file", number);
	wanted = (size_t)(root - holder->roots);
	while (wanted > current &&
	       !atomic_compare_exchange_weak(&holder->current, &current, wanted))
		;
	if (wanted < current)
		return failf(task, ERR_CRYPTO, "root key %u is older than the current one", number);
	return OK;
}

static struct str fingerprint(struct arena *arena, const struct root *root)
{
	uint8_t answer[SHA256_LEN];

	hkdf_sha256(root_bytes(root), STR_NONE, STR("grantd v1 fingerprint"), answer,
		    sizeof(answer));
	return base64url_encode(arena, (struct str){ (char *)answer, sizeof(answer) });
}

struct key_root *holder_roots(struct arena *arena, const struct key_holder *holder,
			      size_t *ret_count)
{
	struct key_root *roots = NEW_ARRAY(arena, struct key_root, holder->root_count);

	for (size_t i = 0; i < holder->root_count; i++)
		roots[i] = (struct key_root){ holder->roots[i].number,
					      fingerprint(arena, &holder->roots[i]) };
	*ret_count = holder->root_count;
	return roots;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/delegation.h"

#include "crypto/digest.h"
#include "crypto/random.h"
#include "store/clients.h"
#include "store/derivations.h"

struct str delegation_jti(struct arena *arena, struct str subject_jti)
{
	uint8_t digest[SHA256_LEN];

	sha256(STR_JOIN(arena, STR("token-exchange "), subject_jti), digest);
	return id_of_digest(arena, "tok_", digest);
}

/* Each token became one other at most, so what hangs on one is a line, not a tree. */
enum err delegation_revoke(struct task *task, struct db *db, const struct derivation *token,
			   bool *ret_now)
{
	struct derivation next = *token;
	enum err err = OK;
	bool is_now = false;

	TRY(derivation_revoke(task, db, &next.key, task->now, ret_now));
	for (int i = 1; i < DELEGATION_DEPTH_MAX && err == OK; i++) {
		next.key.parent = next.path;
		next.key.jti = delegation_jti(&task->arena, next.key.jti);
		err = derivation_find(task, db, &next.key, &next);
		if (err == OK)
			err = derivation_revoke(task, db, &next.key, task->now, &is_now);
	}
	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return OK;
}

/* A client that is gone stays without an id, which fits no deputy. */
static enum err find_client(struct task *task, struct db *db, struct str id,
			    struct client *ret_client)
{
	enum err err = client_find(task, db, id, ret_client);

	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return OK;
}

/* Most act through a part of themselves: those were read already. */
static enum err find_clients(struct task *task, struct db *db, const struct client *root,
			     struct delegation *delegation)
{
	const struct client *before = root;

	for (size_t i = 0; i < delegation->act.depth; i++) {
		struct client *client = &delegation->clients[i];
		struct str id = delegation->act.deputies[i].client_id;

		if (str_equals(id, before->id))
			*client = *before;
		else
			TRY(find_client(task, db, id, client));
		before = client;
	}
	return OK;
}

enum err delegation_find(struct task *task, struct db *db, const struct access *access,
			 const struct delegation **ret_delegation)
{
	struct delegation *delegation = NEW(&task->arena, struct delegation);
	const struct standing *standing = &access->standing;
	struct str path = act_text(&task->arena, &access->act);
	const struct derivation_key key = { standing->user.id, standing->family.id,
					    path_before(path), access->jti };
	struct derivation derivation = { 0 };
	enum err err = derivation_find(task, db, &key, &derivation);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_TOKEN, "the derived token is not known");
	TRY(err);
	/* what a restored database has forgotten may have been derived a second time */
	if (!str_equals(derivation.path, path) ||
	    derivation.issued_at / SECOND_MS != access->issued_at / SECOND_MS)
		return fail(task, ERR_TOKEN, "the token does not fit its grant");
	delegation->act = access->act;
	delegation->is_revoked = derivation.revoked_at != 0;
	TRY(sub_agent_is_stopped(task, db, standing->user.id, standing->family.id, path,
				 &delegation->is_stopped));
	TRY(find_clients(task, db, &standing->client, delegation));
	*ret_delegation = delegation;
	return OK;
}

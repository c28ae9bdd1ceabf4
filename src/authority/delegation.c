/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/delegation.h"

#include "store/clients.h"
#include "store/derivations.h"

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
	struct derivation derivation = { 0 };
	enum err err = derivation_find(task, db, standing->user.id, access->jti, &derivation);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_TOKEN, "the derived token is not known");
	TRY(err);
	if (!str_equals(derivation.family_id, standing->family.id))
		return fail(task, ERR_TOKEN, "the token does not fit its grant");
	delegation->act = access->act;
	delegation->is_revoked = derivation.revoked_at != 0;
	TRY(sub_agent_is_stopped(task, db, standing->user.id, standing->family.id,
				 act_text(&task->arena, &access->act), &delegation->is_stopped));
	TRY(find_clients(task, db, &standing->client, delegation));
	*ret_delegation = delegation;
	return OK;
}

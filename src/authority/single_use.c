/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/single_use.h"

#include "crypto/digest.h"

bool single_use_is_empty(const struct single_use *single_use)
{
	return single_use->proof.name.at == NULL && single_use->assertion.name.at == NULL;
}

static enum err spend_one(struct task *task, struct db *db, const struct spent *spent,
			  enum err refusal)
{
	enum err err;

	if (spent->name.at == NULL)
		return OK;
	err = spent_take(task, db, spent, task->now);
	if (err != ERR_CONFLICT)
		return err;
	task_forgive(task);
	task_note(task, refusal,
		  refusal == ERR_DPOP ? STR("the DPoP proof was used before")
				      : STR("the client assertion was used before"));
	return refusal;
}

enum err single_use_spend(struct task *task, struct db *db, const struct single_use *single_use)
{
	TRY(spend_one(task, db, &single_use->assertion, ERR_CLIENT));
	return spend_one(task, db, &single_use->proof, ERR_DPOP);
}

struct spending {
	struct single_use single_use;
	then_fn *then;
	void *arg;
};

static enum err spend(struct task *task, struct db *db, void *arg)
{
	const struct spending *spending = arg;

	return single_use_spend(task, db, &spending->single_use);
}

static enum err spent(struct task *task, enum err result, void *arg)
{
	const struct spending *spending = arg;

	return spending->then(task, result, spending->arg);
}

enum err single_use_submit(struct task *task, const struct authority *authority,
			   const struct single_use *single_use, then_fn *then, void *arg)
{
	struct spending *spending = NEW(&task->arena, struct spending);

	spending->single_use = *single_use;
	spending->then = then;
	spending->arg = arg;
	return store_submit(task, authority->store, spend, spending, spent);
}

struct refusing {
	enum err refused;
	struct str why;
	then_fn *then;
	void *arg;
};

static enum err refuse(struct task *task, enum err result, void *arg)
{
	const struct refusing *refusing = arg;

	TRY(result);
	task_note(task, refusing->refused, refusing->why);
	return refusing->then(task, refusing->refused, refusing->arg);
}

enum err single_use_refuse(struct task *task, const struct authority *authority,
			   const struct single_use *single_use, enum err refused, then_fn *then,
			   void *arg)
{
	const struct single_use alone = { .assertion = single_use->assertion };
	struct refusing *refusing = NEW(&task->arena, struct refusing);

	/* who is asked for a nonce, or cannot be served now, comes again with the same one */
	if (alone.assertion.name.at == NULL || refused >= ERR_BUSY || refused == ERR_DPOP_NONCE)
		return then(task, refused, arg);
	*refusing = (struct refusing){ refused, task->reason, then, arg };
	return single_use_submit(task, authority, &alone, refuse, refusing);
}

/* Neither a client's id nor a thumbprint has a NUL in it. */
struct str single_use_name(struct arena *arena, struct str kind, struct str owner, struct str jti)
{
	return sha256_str(arena, STR_JOIN(arena, kind, STR("\0"), owner, STR("\0"), jti));
}

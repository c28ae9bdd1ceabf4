/* SPDX-License-Identifier: Apache-2.0 */
#include "model/delegation.h"

#include "base/arena.h"
#include "base/task.h"

#define LABEL_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

/* --- who acts --- */

bool deputy_label_is_valid(struct str label)
{
	return label.len > 0 && label.len <= DEPUTY_LABEL_MAX && str_only(label, LABEL_CHARACTERS);
}

struct str deputy_text(struct arena *arena, const struct deputy *deputy)
{
	if (deputy->label.at == NULL)
		return deputy->client_id;
	return STR_JOIN(arena, deputy->client_id, STR("#"), deputy->label);
}

struct str act_text(struct arena *arena, const struct act *act)
{
	struct str names[DELEGATION_DEPTH_MAX];

	for (size_t i = 0; i < act->depth; i++)
		names[i] = deputy_text(arena, &act->deputies[i]);
	return scope_text(arena, (struct scope_set){ names, act->depth });
}

/* No client's id has a '#': an id that is a URL has no fragment. */
static bool deputy_parse(struct str text, struct deputy *deputy)
{
	size_t mark = str_find(text, '#');

	deputy->client_id = str_sub(text, 0, mark);
	deputy->label = mark == text.len ? STR_NONE : str_from(text, mark + 1);
	return !str_is_empty(deputy->client_id) &&
	       (deputy->label.at == NULL || deputy_label_is_valid(deputy->label));
}

static enum err add_deputy(struct task *task, struct str text, struct act *act)
{
	if (act->depth == DELEGATION_DEPTH_MAX || !deputy_parse(text, &act->deputies[act->depth]))
		return fail(task, ERR_TOKEN, "the token's act is not ours");
	act->depth++;
	return OK;
}

enum err act_parse(struct task *task, struct str text, struct act *ret_act)
{
	struct act act = { .depth = 0 };
	struct str name;

	while (!str_is_empty(text) && str_next(&text, ' ', &name))
		TRY(add_deputy(task, name, &act));
	*ret_act = act;
	return OK;
}

struct str path_before(struct str path)
{
	size_t end = path.len;

	while (end > 0 && path.at[end - 1] != ' ')
		end--;
	return end == 0 ? STR("") : str_sub(path, 0, end - 1);
}

void act_write(struct json_writer *json, struct arena *arena, const struct act *act)
{
	for (size_t i = act->depth; i > 0; i--) {
		json_key(json, "act");
		json_open_object(json);
		json_member_str(json, "sub", deputy_text(arena, &act->deputies[i - 1]));
	}
	for (size_t i = act->depth; i > 0; i--)
		json_close(json);
}

enum err act_read(struct task *task, const json_t *claim, struct act *ret_act)
{
	struct act act = { .depth = 0 }, last_first = { .depth = 0 };

	for (; claim != NULL; claim = json_object_get(claim, "act"))
		TRY(add_deputy(task, str_copy(&task->arena, json_get_str(claim, "sub")),
			       &last_first));
	for (size_t i = last_first.depth; i > 0; i--)
		act.deputies[act.depth++] = last_first.deputies[i - 1];
	*ret_act = act;
	return OK;
}

struct str act_client(const struct act *act, struct str root_client_id)
{
	return act->depth == 0 ? root_client_id : act->deputies[act->depth - 1].client_id;
}

/* --- the rule --- */

/*
 * The operator lets `from` hand on to `to`, and the person read of it. Once somebody was named,
 * nobody else may come in behind them.
 */
static bool may_hand_on(const struct client *from, struct str to, struct scope_set delegates)
{
	return scope_has(from->delegates_to, to) && scope_has(delegates, to);
}

static enum err choose_deputy(struct task *task, const struct derivation_parent *parent,
			      const struct derivation_wish *wish, struct deputy *ret_deputy)
{
	const struct client *client = wish->client;
	bool is_part = str_equals(client->id, parent->client->id);
	struct deputy deputy = { .client_id = client->id, .label = wish->label };

	if (is_part && !deputy_label_is_valid(deputy.label))
		return fail(task, ERR_REQUEST,
			    "a sub-agent's label has 1 to 64 characters of a-z A-Z 0-9 - . _ ~");
	if (!is_part && deputy.label.at != NULL)
		return fail(task, ERR_REQUEST,
			    "only the token's own client may name a part of itself");
	if (!is_part && client_is_public(client))
		return fail(task, ERR_REQUEST, "who acts through another client must authenticate");
	if (!is_part && !may_hand_on(parent->client, client->id, parent->delegates))
		return fail(task, ERR_REQUEST, "the subject token may not be used by this client");
	*ret_deputy = deputy;
	return OK;
}

enum err derive(struct task *task, const struct derivation_parent *parent,
		const struct derivation_wish *wish, struct derived *ret_derived)
{
	struct derived derived = { .act = parent->act,
				   .scope = wish->scope.count > 0 ? wish->scope : parent->scope,
				   .resource = parent->resource,
				   .expires_at = wish->expires_at,
				   .jkt = wish->jkt };
	struct deputy deputy;

	if (wish->resource.at != NULL && !str_equals(wish->resource, parent->resource))
		return fail(task, ERR_TARGET, "the resource is not the subject token's");
	if (!scope_contains(parent->scope, derived.scope))
		return fail(task, ERR_SCOPE, "wider than the subject token");
	if (parent->jkt.at != NULL && !str_equals(parent->jkt, wish->jkt))
		return fail(task, ERR_DPOP,
			    "the subject token is bound to a key: the exchange needs its proof");
	TRY(choose_deputy(task, parent, wish, &deputy));
	if (derived.act.depth == DELEGATION_DEPTH_MAX)
		return fail(task, ERR_REQUEST, "four agents in a row act already");
	derived.act.deputies[derived.act.depth++] = deputy;
	/* never a fresh life (CVE-2026-96460) */
	if (derived.expires_at > parent->expires_at)
		derived.expires_at = parent->expires_at;
	*ret_derived = derived;
	return OK;
}

/* --- whether it still stands --- */

static bool is_dead(const struct client *client, int64_t token_issued_at)
{
	return client->status != CLIENT_ACTIVE || token_issued_at <= client->not_before ||
	       !client_allows(client, GRANT_TOKEN_EXCHANGE);
}

struct str delegation_dead_reason(const struct delegation *delegation, const struct client *root,
				  struct scope_set delegates, int64_t token_issued_at)
{
	const struct act *act = &delegation->act;
	const struct client *from = root;

	if (delegation->is_revoked)
		return STR("revoked_by_client");
	if (delegation->is_stopped)
		return STR("sub_agent_stopped");
	for (size_t i = 0; i < act->depth; i++) {
		const struct client *client = &delegation->clients[i];

		if (!str_equals(client->id, act->deputies[i].client_id))
			return STR("not_delegated");
		if (is_dead(client, token_issued_at))
			return STR("client_disabled");
		if (!str_equals(client->id, from->id) && !may_hand_on(from, client->id, delegates))
			return STR("not_delegated");
		from = client;
	}
	return STR("");
}

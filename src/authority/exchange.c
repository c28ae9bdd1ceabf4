/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant_type=token-exchange (RFC 8693): from the token of an agent to a narrower one for who acts
 * through it. A subject token is exchanged once; who asks the same again within a minute has the
 * same token. It hangs on the family and the grant of its root and dies with them.
 */
#include "authority/binding.h"
#include "authority/delegation.h"
#include "authority/details.h"
#include "authority/events.h"
#include "authority/single_use.h"
#include "authority/throttle.h"
#include "authority/token.h"
#include "authority/verify.h"
#include "base/json.h"
#include "store/derivations.h"
#include "store/events.h"
#include "store/families.h"

#define DETAILS_MAX	  4096
#define PAUSED_RETRY_S	  60
#define UNNAMED_SUB_AGENT "sub-agent"

struct deriving {
	struct access subject;
	struct derived derived;
	struct details asked; /* narrower ones for the new token (RFC 9396 6) */
	struct delegation delegation;
	struct wish wish; /* of the new token, for decide() */
	struct derivation row;
	struct derivation written; /* the row, or that of the same exchange before */
	int64_t first_end;	   /* with too many: when there is room */
	struct event event;
};

/* --- what is asked --- */

static enum err check_type(struct task *task, struct str type)
{
	if (!str_equals(type, STR(TOKEN_TYPE_ACCESS)))
		return fail(task, ERR_REQUEST, "the only type of token here is " TOKEN_TYPE_ACCESS);
	return OK;
}

static enum err check_form(struct task *task, const struct token_wish *wish)
{
	if (str_is_empty(wish->subject_token) || str_is_empty(wish->subject_token_type))
		return fail(task, ERR_REQUEST, "subject_token and subject_token_type are needed");
	TRY(check_type(task, wish->subject_token_type));
	if (str_is_empty(wish->actor_token) != str_is_empty(wish->actor_token_type))
		return fail(task, ERR_REQUEST, "actor_token and actor_token_type go together");
	if (!str_is_empty(wish->actor_token_type))
		TRY(check_type(task, wish->actor_token_type));
	if (!str_is_empty(wish->requested_token_type))
		TRY(check_type(task, wish->requested_token_type));
	return OK;
}

/* Why it does not stand is the affair of who it was given to, and its refresh tells them. */
static enum err verify(struct task *task, struct token_wish *wish, struct str token,
		       struct access *ret_access)
{
	enum err err = access_token_verify(task, wish->authority, token, ret_access);

	if (err == ERR_PAUSED)
		wish->retry_after = PAUSED_RETRY_S;
	if (err != ERR_TOKEN)
		return err;
	return fail(task, ERR_REQUEST, "the token to be exchanged does not stand");
}

/* It proves no more than the client's own authentication did, and must not say another thing. */
static enum err check_actor_token(struct task *task, struct token_wish *wish)
{
	struct access *actor = NEW(&task->arena, struct access);

	if (str_is_empty(wish->actor_token))
		return OK;
	TRY(verify(task, wish, wish->actor_token, actor));
	if (!str_equals(actor->client_id, wish->client.id) || actor->act.depth > 0 ||
	    (actor->jkt.at != NULL && !str_equals(actor->jkt, wish->jkt)))
		return fail(task, ERR_REQUEST,
			    "actor_token is not the own token of the client that asks");
	return OK;
}

/* `audience` is another word for `resource`: here a resource is named by its URI. */
static enum err choose_resource(struct task *task, const struct token_wish *wish,
				struct str *ret_resource)
{
	*ret_resource = STR_NONE;
	if (!str_is_empty(wish->audience))
		TRY(resource_canonical(task, wish->audience, ret_resource));
	if (str_is_empty(wish->resource))
		return OK;
	if (ret_resource->at != NULL)
		return token_check_resource(task, wish->resource, *ret_resource);
	return resource_canonical(task, wish->resource, ret_resource);
}

static enum err read_subject(struct task *task, struct token_wish *wish)
{
	struct deriving *deriving = wish->work;

	TRY(verify(task, wish, wish->subject_token, &deriving->subject));
	if (deriving->subject.family_id.at == NULL)
		return fail(task, ERR_REQUEST,
			    "what a client may do as itself is not handed on: nobody granted it");
	return OK;
}

static const struct client *subject_client(const struct access *subject)
{
	if (subject->act.depth == 0)
		return &subject->standing.client;
	return &subject->delegation->clients[subject->act.depth - 1];
}

static enum err choose_derived(struct task *task, struct token_wish *wish)
{
	struct deriving *deriving = wish->work;
	const struct access *subject = &deriving->subject;
	const struct resource *resource = authority_resource(wish->authority, subject->audience);
	struct derivation_parent parent = {
		.act = subject->act,
		.scope = subject->scope,
		.resource = subject->audience,
		.expires_at = subject->expires_at,
		.jkt = subject->jkt,
		.client = subject_client(subject),
		.delegates = subject->standing.grant.delegates,
	};
	struct derivation_wish asked = { .client = &wish->client, .label = wish->actor_label };

	if (resource == NULL)
		return fail(task, ERR_TARGET, "the resource is gone");
	/* a client that knows nothing of labels has one sub-agent */
	if (asked.label.at == NULL && str_equals(wish->client.id, parent.client->id))
		asked.label = STR(UNNAMED_SUB_AGENT);
	TRY(choose_resource(task, wish, &asked.resource));
	TRY(scope_parse(task, wish->scope, &asked.scope));
	TRY(details_asked(task, resource, wish->details, &deriving->asked));
	TRY(binding_choose(task, wish, resource, &asked.jkt));
	asked.expires_at = task->now + issue_lifetime(wish->authority, resource);
	return derive(task, &parent, &asked, &deriving->derived);
}

/*
 * What decide() says of it now, before anything is written; its end is the token's at the latest.
 */
static enum err check_decision(struct task *task, const struct token_wish *wish)
{
	struct deriving *deriving = wish->work;
	struct derived *derived = &deriving->derived;
	const struct access *subject = &deriving->subject;
	struct delegation *delegation = &deriving->delegation;
	struct verdict verdict;

	if (subject->delegation != NULL)
		*delegation = *subject->delegation;
	delegation->act = derived->act;
	delegation->clients[derived->act.depth - 1] = wish->client;
	deriving->wish = (struct wish){
		.scope = derived->scope,
		.narrow = true,
		.resource = derived->resource,
		.offered = issue_offered(task, wish->authority, derived->resource),
		.target = authority_resource(wish->authority, derived->resource),
		.token_scope = subject->scope,
		.token_details = subject->details,
		.details = deriving->asked,
		.has_token = true,
		.token_issued_at = task->now,
		.jkt = derived->jkt,
		.delegation = delegation,
	};
	verdict = decide(&task->arena, &subject->standing, &deriving->wish, task->now);
	if (verdict.decision == DECISION_DENY)
		return issue_refusal(task, &verdict);
	deriving->wish.scope = verdict.scope;
	if (derived->expires_at > verdict.expires_at)
		derived->expires_at = verdict.expires_at;
	return OK;
}

/* --- what is written --- */

static enum err describe(struct task *task, const struct deriving *deriving,
			 struct str *ret_details)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "actor", deriving->row.path);
	json_member_str(&json, "scope", scope_text(&task->arena, deriving->wish.scope));
	json_member_str(&json, "jti", deriving->row.key.jti);
	json_close(&json);
	return buf_finish(&buf, ret_details);
}

static enum err prepare(struct task *task, const struct token_wish *wish)
{
	struct deriving *deriving = wish->work;
	const struct derived *derived = &deriving->derived;
	const struct access *subject = &deriving->subject;
	struct event *event = &deriving->event;
	struct str path = act_text(&task->arena, &derived->act);
	struct str asked = STR_JOIN(&task->arena, path, STR("\n"), derived->resource, STR("\n"),
				    scope_text(&task->arena, derived->scope), STR("\n"),
				    details_print(&task->arena, &deriving->asked), STR("\n"),
				    derived->jkt);

	deriving->row = (struct derivation){
		.key = { .user_id = subject->standing.user.id,
			 .family_id = subject->standing.family.id,
			 .parent = act_text(&task->arena, &subject->act),
			 .jti = delegation_jti(&task->arena, subject->jti) },
		.path = path,
		.wish_hash = sha256_str(&task->arena, asked),
		.issued_at = task->now,
		.expires_at = derived->expires_at,
		.over_at = subject->expires_at,
	};
	*event = event_new(task, STR("token.exchanged"), STR("agent"));
	event->user_id = subject->standing.user.id;
	event->client_id = subject->standing.client.id;
	event->grant_id = subject->standing.grant.id;
	event->family_id = subject->standing.family.id;
	event->resource = derived->resource;
	event->request_id = wish->request_id;
	return describe(task, deriving, &event->details);
}

/* Somebody may have given it back since it was looked at. */
static enum err check_subject(struct task *task, struct db *db, const struct deriving *deriving)
{
	struct derivation_key key = deriving->row.key;
	struct derivation subject = { 0 };
	enum err err;

	if (str_is_empty(key.parent)) /* it hangs on the family alone */
		return OK;
	key.jti = deriving->subject.jti;
	key.parent = path_before(key.parent);
	err = derivation_find(task, db, &key, &subject);
	if (err == ERR_NOT_FOUND || (err == OK && subject.revoked_at != 0))
		return fail(task, ERR_REQUEST, "the token to be exchanged does not stand");
	return err;
}

/* ERR_CONFLICT: there is one of this subject token; ERR_THROTTLED: or there are too many. */
static enum err insert(struct task *task, struct db *db, struct deriving *deriving)
{
	const struct derivation *row = &deriving->row;
	struct derivation_look look = { 0 };

	TRY(derivation_look(task, db, row, task->now, &look));
	if (look.is_stopped)
		return fail(task, ERR_REQUEST, "sub_agent_stopped");
	deriving->first_end = look.first_end;
	if (look.live >= DELEGATION_CHILDREN_MAX)
		return fail(task, ERR_THROTTLED, "too_many_sub_agents");
	deriving->written = *row;
	return derivation_insert(task, db, row);
}

/* The same wish within a minute: its answer may have been lost. */
static enum err repeat(struct task *task, struct db *db, struct deriving *deriving,
		       enum err refused)
{
	const struct derivation *row = &deriving->row;
	struct derivation before = { 0 };
	enum err err = derivation_find(task, db, &row->key, &before);

	if (err == ERR_NOT_FOUND)
		return fail(task, refused, "too_many_sub_agents");
	TRY(err);
	task_forgive(task);
	if (!str_equals(before.wish_hash, row->wish_hash) || before.revoked_at != 0 ||
	    task->now - before.issued_at > DELEGATION_REPEAT_MS || before.expires_at <= task->now)
		return fail(task, ERR_REQUEST,
			    "the subject token was exchanged before; a refresh gives another one");
	deriving->written = before;
	return OK;
}

/* The family's row first: revoking it and what hangs on it takes turns with this. */
static enum err write_derivation(struct task *task, struct db *db, void *arg)
{
	const struct token_wish *wish = arg;
	struct deriving *deriving = wish->work;
	enum err err;

	TRY(single_use_spend(task, db, &wish->single_use));
	TRY(family_take_live(task, db, deriving->row.key.family_id));
	TRY(check_subject(task, db, deriving));
	err = insert(task, db, deriving);
	if (err == OK)
		return event_insert(task, db, &deriving->event);
	if (err != ERR_CONFLICT && err != ERR_THROTTLED)
		return err;
	return repeat(task, db, deriving, err);
}

/* --- the answer --- */

/* Once a minute for each installation: who asks too much must not fill the record with it. */
static void note_too_many(struct task *task, struct token_wish *wish)
{
	struct deriving *deriving = wish->work;
	struct event *event = &deriving->event;

	wish->retry_after = (deriving->first_end - task->now) / SECOND_MS + 1;
	if (!throttle_count(task, wish->authority->throttle, THROTTLE_FAN_OUT_EVENT,
			    event->family_id))
		return;
	event->kind = STR("token.refused");
	event->details = STR("{\"why\":\"too_many_sub_agents\"}");
	event_record(task, wish->authority, event);
}

static enum err issue(struct task *task, struct token_wish *wish)
{
	const struct deriving *deriving = wish->work;
	const struct issue_order order = { .standing = &deriving->subject.standing,
					   .wish = &deriving->wish,
					   .derivation = &deriving->written };

	return issue_tokens_with_others(task, wish->authority, &order, &wish->answer, wish->then,
					wish);
}

static enum err written(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;

	wish->is_spent = result == OK;
	if (result == ERR_THROTTLED)
		note_too_many(task, wish);
	if (result == ERR_NOT_FOUND || result == ERR_CONFLICT)
		result = fail(task, ERR_REQUEST, "the token to be exchanged does not stand");
	if (result == OK)
		result = issue(task, wish);
	return result == ERR_PARKED ? result : wish->then(task, result, wish);
}

static enum err check_all(struct task *task, struct token_wish *wish)
{
	TRY(check_form(task, wish));
	TRY(read_subject(task, wish));
	TRY(check_actor_token(task, wish));
	TRY(choose_derived(task, wish));
	return check_decision(task, wish);
}

enum err token_exchange(struct task *task, const struct authority *authority,
			struct token_wish *wish, then_fn *then)
{
	struct deriving *deriving = NEW(&task->arena, struct deriving);
	enum err err;

	wish->authority = authority;
	wish->then = then;
	wish->work = deriving;
	if (!client_allows(&wish->client, GRANT_TOKEN_EXCHANGE))
		return fail(task, ERR_CLIENT_NOT_ALLOWED, "this client may not use token-exchange");
	err = check_all(task, wish);
	/* nobody is asked here: conditions that do not fit are an exchange that does not */
	if (err == ERR_DETAILS)
		task_note(task, err = ERR_REQUEST, task->reason);
	TRY(err);
	TRY(prepare(task, wish));
	return store_submit(task, authority->store, write_derivation, wish, written);
}

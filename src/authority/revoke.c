/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/revoke.h"

#include "authority/delegation.h"
#include "authority/events.h"
#include "authority/issue.h"
#include "authority/stop.h"
#include "authority/verify.h"
#include "base/json.h"
#include "base/tally.h"
#include "store/derivations.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"

#define DETAILS_MAX 4096

/* What is to end: the names in a token that we made. */
struct ending {
	struct str user_id;
	struct str client_id;
	struct str grant_id;
	struct str family_id; /* STR_NONE: a client's own token */
	struct str sub_agent; /* who has it; "": the installation itself */
	struct str jti;	      /* of a sub-agent's */
	struct str resource;  /* the token's; STR_NONE: its grant's */
	struct event event;
	bool is_now; /* it had not ended before */
};

static enum err checked(struct task *task, enum err result, void *arg);

/* ERR_PARKED: `checked` goes on. */
static enum err find_by_refresh_token(struct task *task, struct revocation *revocation,
				      struct ending *ending)
{
	struct refresh_token *token = NEW(&task->arena, struct refresh_token);
	struct family *family = NEW(&task->arena, struct family);
	struct refresh_token_checking *checking = NEW(&task->arena, struct refresh_token_checking);
	struct db *db = NULL;

	TRY(refresh_token_parse(task, revocation->token, token));
	TRY(store_reader(task, revocation->authority->store, &db));
	TRY(family_find(task, db, token->family_id, family));
	ending->user_id = family->user_id;
	ending->client_id = family->client_id;
	ending->grant_id = family->grant_id;
	ending->family_id = family->id;
	*checking = (struct refresh_token_checking){ token, family, checked, revocation, STR_NONE };
	return refresh_token_check_with_others(task, revocation->authority, checking);
}

static enum err find_by_access_token(struct task *task, const struct revocation *revocation,
				     struct ending *ending)
{
	struct access *access = NEW(&task->arena, struct access);

	TRY(access_token_read(task, revocation->authority, revocation->token, access));
	ending->user_id = access->family_id.at == NULL ? STR_NONE : access->sub;
	ending->client_id = access->client_id;
	ending->grant_id = access->grant_id;
	ending->family_id = access->family_id;
	ending->sub_agent = act_text(&task->arena, &access->act);
	ending->jti = access->jti;
	ending->resource = access->audience;
	return OK;
}

static enum err end_family(struct task *task, struct db *db, void *arg)
{
	struct revocation *revocation = arg;
	struct ending *ending = revocation->work;
	struct event event = ending->event;
	struct grant grant = { 0 };

	TRY(family_revoke(task, db, ending->family_id, task->now, STR("revoked_by_client"),
			  &ending->is_now));
	if (!ending->is_now)
		return OK;
	TRY(grant_find_alone(task, db, ending->grant_id, &grant));
	TRY(stop_queue_of(task, db, revocation->authority, &grant));
	event.resource = grant.resource;
	return event_insert(task, db, &event);
}

/*
 * A sub-agent gives back its own token, and with it what it handed on. The installation goes on,
 * so the resource is not told: its on_stop ends what the whole grant has open, and would be run as
 * often as somebody exchanges and gives back. The family's row first, so that no exchange comes in
 * between.
 */
static enum err end_derived(struct task *task, struct db *db, void *arg)
{
	struct revocation *revocation = arg;
	struct ending *ending = revocation->work;
	const struct derivation token = { .key = { ending->user_id, ending->family_id,
						   path_before(ending->sub_agent), ending->jti },
					  .path = ending->sub_agent };
	struct family family = { 0 };

	TRY(family_take(task, db, ending->family_id, &family));
	TRY(delegation_revoke(task, db, &token, &ending->is_now));
	if (!ending->is_now)
		return OK;
	return event_insert(task, db, &ending->event);
}

static enum err describe_derived(struct task *task, struct ending *ending)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	ending->event.kind = STR("sub_agent.ended");
	json_open_object(&json);
	json_member_str(&json, "why", STR("revoked_by_client"));
	json_member_str(&json, "actor", ending->sub_agent);
	json_close(&json);
	return buf_finish(&buf, &ending->event.details);
}

static enum err family_ended(struct task *task, enum err result, void *arg)
{
	struct revocation *revocation = arg;
	const struct ending *ending = revocation->work;

	if (result == OK && ending->is_now)
		tally_add(task, TALLY_REVOKED_BY_AGENT);
	if (result == ERR_NOT_FOUND) {
		task_forgive(task);
		result = OK;
	}
	return revocation->then(task, result, revocation);
}

static enum err start_ending(struct task *task, struct revocation *revocation)
{
	struct ending *ending = revocation->work;
	struct event *event = &ending->event;

	*event = event_new(task, STR("family.ended"), STR("agent"));
	event->user_id = ending->user_id;
	event->client_id = ending->client_id;
	event->grant_id = ending->grant_id;
	event->family_id = ending->family_id;
	event->resource = ending->resource;
	event->request_id = revocation->request_id;
	event->details = STR("{\"why\":\"revoked_by_client\"}");
	if (str_is_empty(ending->sub_agent))
		return store_submit_stop(task, revocation->authority->store, end_family, revocation,
					 family_ended);
	TRY(describe_derived(task, ending));
	return store_submit_stop(task, revocation->authority->store, end_derived, revocation,
				 family_ended);
}

static enum err end_found(struct task *task, enum err found, struct revocation *revocation)
{
	const struct ending *ending = revocation->work;

	if (found >= ERR_BUSY)
		return found;
	task_forgive(task);
	if (found != OK)
		return OK; /* nobody's token, or one that is over already */
	if (!str_equals(ending->client_id, revocation->client.id))
		return fail(task, ERR_REQUEST, "the token is another client's");
	if (ending->family_id.at == NULL)
		return fail(task, ERR_TOKEN_TYPE,
			    "a client's own access token cannot be revoked; it ends by itself");
	return start_ending(task, revocation);
}

static enum err checked(struct task *task, enum err result, void *arg)
{
	struct revocation *revocation = arg;
	enum err err = end_found(task, result, revocation);

	return err == ERR_PARKED ? err : revocation->then(task, err, revocation);
}

enum err token_revoke(struct task *task, const struct authority *authority,
		      struct revocation *revocation, then_fn *then)
{
	struct ending *ending = NEW(&task->arena, struct ending);
	enum err err;

	revocation->authority = authority;
	revocation->then = then;
	revocation->work = ending;
	if (str_is_empty(revocation->token))
		return fail(task, ERR_REQUEST, "token is missing");
	/* the hint is only a hint (RFC 7009 2.1): the token says itself what it is */
	err = str_starts_with(revocation->token, STR("grt_"))
		      ? find_by_refresh_token(task, revocation, ending)
		      : find_by_access_token(task, revocation, ending);
	return err == ERR_PARKED ? err : end_found(task, err, revocation);
}

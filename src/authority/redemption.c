/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/redemption.h"

#include "authority/binding.h"
#include "authority/ceilings.h"
#include "authority/details.h"
#include "authority/events.h"
#include "authority/seen.h"
#include "authority/stop.h"
#include "base/tally.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/requests.h"

static const struct resource *resource_of(const struct authority *authority,
					  const struct auth_request *request)
{
	return authority_resource(authority, request->resource);
}

/*
 * A device asks until it has heard (RFC 8628 3.5), so that one whose answer was lost asks again.
 * Who has refreshed since had the answer; of who cannot refresh nobody knows, and it is no reason
 * to be calm.
 */
static bool is_lost_answer(const struct client *client, const struct auth_request *request,
			   const struct family *family)
{
	return auth_request_is_device(request) && family->generation == ROTATION_FIRST &&
	       client_allows(client, GRANT_REFRESH_TOKEN);
}

/*
 * A valid second use: within 10 s a client that asked twice, later a copy of the code in other
 * hands.
 */
static enum err end_family(struct task *task, struct db *db, void *arg)
{
	struct token_wish *wish = arg;
	struct redemption *redemption = wish->work;
	struct family family;
	bool is_now;
	enum err err = family_take(task, db, redemption->request.family_id, &family);

	redemption->ended = false;
	if (err == ERR_NOT_FOUND) { /* refused at its first use */
		task_forgive(task);
		return OK;
	}
	TRY(err);
	TRY(family_revoke(task, db, family.id, task->now, STR("code_reused"), &is_now));
	redemption->is_lost = is_lost_answer(&wish->client, &redemption->request, &family);
	redemption->event.details = redemption->is_lost ? STR("{\"why\":\"code_answer_lost\"}")
							: STR("{\"why\":\"code_reused\"}");
	redemption->ended = is_now;
	if (!is_now)
		return OK;
	TRY(stop_queue_found(task, db, wish->authority, redemption->request.grant_id));
	return event_insert(task, db, &redemption->event);
}

static enum err family_ended(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;

	struct redemption *redemption = wish->work;

	if (result != OK)
		return wish->then(task, result, wish);
	if (redemption->ended)
		tally_add(task, redemption->is_lost ? TALLY_REUSED_CODE_LOST : TALLY_REUSED_CODE);
	wish->reason = STR("code_reused");
	return wish->then(task, fail(task, ERR_GRANT, "the code was used before"), wish);
}

enum err redemption_refuse_spent(struct task *task, struct token_wish *wish, bool is_valid)
{
	struct redemption *redemption = wish->work;
	const struct auth_request *request = &redemption->request;

	int64_t parallel = auth_request_is_device(request) ? DEVICE_PARALLEL_MS : CODE_PARALLEL_MS;

	if (!is_valid || task->now - request->spent_at <= parallel)
		return fail(task, ERR_GRANT, "the code was used before");
	redemption->event = event_new(task, STR("family.ended"), STR("system"));
	redemption->event.user_id = request->user_id;
	redemption->event.client_id = request->client_id;
	redemption->event.grant_id = request->grant_id;
	redemption->event.family_id = request->family_id;
	redemption->event.resource = request->resource;
	redemption->event.request_id = wish->request_id;
	return store_submit_stop(task, wish->authority->store, end_family, wish, family_ended);
}

/* The last look before tokens exist: state of user, client and grant as of this transaction. */
static enum err judge_standing(struct task *task, struct db *db, struct redemption *redemption)
{
	struct standing now = { 0 };
	struct verdict verdict;

	TRY(grant_take(task, db, redemption->request.grant_id));
	TRY(standing_find_by_grant(task, db, redemption->request.grant_id, &now));
	now.family = redemption->standing.family;
	now.family.ceiling = ceilings_of_code(&task->arena, &redemption->request, &now.grant,
					      task->now);
	redemption->standing = now;
	verdict = decide(&task->arena, &now, &redemption->wish, task->now);
	if (verdict.decision != DECISION_DENY)
		return OK;
	redemption->judged = issue_refusal(task, &verdict);
	if (redemption->judged == ERR_SCOPE || redemption->judged == ERR_TARGET)
		redemption->judged = ERR_GRANT;
	redemption->judged_why = verdict.reason;
	return OK;
}

/* May run again: what it finds is written anew each time. */
static enum err burn_and_read(struct task *task, struct db *db, void *arg)
{
	struct token_wish *wish = arg;
	struct redemption *redemption = wish->work;
	struct family *family = &redemption->standing.family;
	struct event event = redemption->event;

	TRY(single_use_spend(task, db, &wish->single_use));
	redemption->judged = redemption->refused;
	redemption->judged_why = redemption->refused_why;
	redemption->request.code_hash = redemption->code_hash;
	redemption->request.spent_at = task->now;
	redemption->request.family_id = family->id;
	TRY(auth_request_spend(task, db, &redemption->request));
	if (redemption->judged == OK)
		TRY(judge_standing(task, db, redemption));
	if (redemption->judged == OK) {
		TRY(family_insert(task, db, family));
		TRY(grant_note_use(task, db, &redemption->standing.grant, task->now));
	} else {
		event.kind = STR("code.refused");
		event.family_id = STR_NONE;
	}
	return event_insert(task, db, &event);
}

static enum err add_id_token(struct task *task, struct token_wish *wish)
{
	struct redemption *redemption = wish->work;
	struct token_answer *answer = &wish->answer;
	struct scope_set live;

	TRY(scope_parse(task, answer->scope, &live));
	if (!scope_has(live, STR("openid")))
		return OK;
	return issue_id_token(task, wish->authority, &redemption->standing,
			      redemption->request.nonce, answer->access_token, &answer->id_token);
}

static enum err issued(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;

	if (result == OK)
		result = add_id_token(task, wish);
	return wish->then(task, result, wish);
}

static enum err issue(struct task *task, struct token_wish *wish)
{
	const struct redemption *redemption = wish->work;
	const struct issue_order order = {
		.standing = &redemption->standing,
		.wish = &redemption->wish,
		.is_renewable = client_allows(&wish->client, GRANT_REFRESH_TOKEN),
	};
	enum err err = issue_tokens_with_others(task, wish->authority, &order, &wish->answer,
						issued, wish);

	return err == ERR_PARKED ? err : issued(task, err, wish);
}

static enum err burned(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;
	struct redemption *redemption = wish->work;

	wish->is_spent = result == OK;
	if (result == ERR_CONFLICT || result == ERR_NOT_FOUND) {
		task_forgive(task); /* somebody else's redemption won */
		return wish->then(task, fail(task, ERR_GRANT, "the code was used before"), wish);
	}
	if (result != OK)
		return wish->then(task, result, wish);
	if (redemption->judged != OK) {
		wish->reason = redemption->judged_why;
		task_note(task, redemption->judged, redemption->judged_why);
		return wish->then(task, redemption->judged, wish);
	}
	return issue(task, wish);
}

static struct family new_family(struct task *task, const struct token_wish *wish)
{
	const struct authority *authority = wish->authority;
	const struct redemption *redemption = wish->work;
	const struct auth_request *request = &redemption->request;
	char *seed = arena_alloc(&task->arena, SHA256_LEN);
	struct family family = {
		.id = random_id_at(&task->arena, "fam_", task->now),
		.user_id = request->user_id,
		.grant_id = request->grant_id,
		.client_id = request->client_id,
		.ceiling = request->granted,
		.details = details_within(&task->arena, &request->details, request->granted),
		.key_thumbprint = wish->jkt,
		.seed = { seed, SHA256_LEN },
		.root_number = keys_root_number(authority->keys),
		.auth_time = request->auth_time,
		.acr = request->acr,
		.created_at = task->now,
		.last_used_at = task->now,
		.idle_expires_at = task->now + authority_config(authority)->refresh_idle_ms,
	};

	random_bytes(seed, SHA256_LEN);
	rotation_advance(&family, task->now);
	return family;
}

static enum err submit(struct task *task, struct token_wish *wish)
{
	struct redemption *redemption = wish->work;

	redemption->standing.family.sealed_first = redemption->seen.bytes;
	return store_submit(task, wish->authority->store, burn_and_read, wish, burned);
}

static enum err placed(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;

	if (result == OK)
		result = submit(task, wish);
	return result == ERR_PARKED ? result : wish->then(task, result, wish);
}

static enum err seal_place(struct task *task, struct token_wish *wish)
{
	struct redemption *redemption = wish->work;
	struct seal_order order;

	TRY(seen_first(task, wish->authority, wish->source, &redemption->standing.family, &order));
	return keys_seal_with_others(task, wish->authority->keys, &order, &redemption->seen, placed,
				     wish);
}

static void build_event(struct task *task, const struct token_wish *wish)
{
	struct redemption *redemption = wish->work;
	const struct auth_request *request = &redemption->request;
	struct event *event = &redemption->event;

	*event = event_new(task, STR("token.issued"), STR("agent"));
	event->user_id = request->user_id;
	event->client_id = request->client_id;
	event->grant_id = request->grant_id;
	event->family_id = redemption->standing.family.id;
	event->resource = request->resource;
	event->request_id = wish->request_id;
}

enum err redemption_start(struct task *task, struct token_wish *wish, enum err refused,
			  struct str why)
{
	struct redemption *redemption = wish->work;
	const struct auth_request *request = &redemption->request;

	redemption->refused = refused;
	redemption->refused_why = why;
	redemption->standing.family = new_family(task, wish);
	redemption->wish = (struct wish){
		.scope = request->granted,
		.narrow = true,
		.resource = request->resource,
		.offered = issue_offered(task, wish->authority, request->resource),
		.target = resource_of(wish->authority, request),
		.details = redemption->asked,
		.jkt = redemption->jkt,
	};
	build_event(task, wish);
	if (refused == OK)
		TRY(seal_place(task, wish));
	return submit(task, wish);
}

enum err redemption_bind(struct task *task, const struct token_wish *wish)
{
	struct redemption *redemption = wish->work;
	const struct resource *resource = resource_of(wish->authority, &redemption->request);

	/* for one that is gone nothing is issued: judge_standing */
	if (resource == NULL)
		return OK;
	TRY(details_asked(task, resource, wish->details, &redemption->asked));
	return binding_choose(task, wish, resource, &redemption->jkt);
}

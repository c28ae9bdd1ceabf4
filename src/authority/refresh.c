/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant_type=refresh_token: rotation that neither forks, nor logs people out, nor feeds a thief
 * (DESIGN 5).
 */
#include "authority/binding.h"
#include "authority/details.h"
#include "authority/events.h"
#include "authority/refresh_outcome.h"
#include "authority/succession.h"
#include "store/families.h"
#include "store/grants.h"

#define PAUSED_RETRY_S 60

/* The family behind the token once it was used. */
static struct family successor(const struct task *task, const struct token_wish *wish,
			       const struct family *from)
{
	const struct refreshing *refreshing = wish->work;

	return family_successor(task, wish,
				&(struct succession){ &refreshing->token, refreshing->root_number },
				from);
}

/*
 * The fast path: one conditional UPDATE and one event row. ERR_CONFLICT when the row moved on
 * meanwhile.
 */
static enum err rotate(struct task *task, struct db *db, const struct token_wish *wish,
		       const struct family *from)
{
	struct refreshing *refreshing = wish->work;
	struct family next = successor(task, wish, from);

	TRY(family_rotate(task, db, &next, from->generation));
	TRY(grant_note_use(task, db, &refreshing->standing.grant, task->now));
	if (next.root_number != from->root_number)
		TRY(family_set_root(task, db, &next));
	if (from->key_thumbprint.at == NULL && next.key_thumbprint.at != NULL)
		TRY(family_set_key(task, db, &next));
	if (refreshing->seen.mark.at != NULL)
		TRY(family_set_seen(task, db, next.id, &refreshing->seen));
	refreshing->standing.family = next;
	refreshing->rotation = ROTATION_ADVANCE;
	return outcome_write(task, db, refreshing);
}

static enum rotation judge(const struct task *task, const struct refreshing *refreshing)
{
	return family_judge(&refreshing->standing, refreshing->token.generation, task->now);
}

static enum err take_and_judge(struct task *task, struct db *db, const struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	struct family *family = &refreshing->standing.family;
	bool is_stolen;

	task_forgive(task);
	TRY(family_take(task, db, refreshing->token.family_id, family));
	is_stolen = binding_is_stolen(wish, family, refreshing->token.generation, task->now);
	refreshing->is_other_key = !is_stolen && !binding_fits(wish, family);
	if (family->revoked_at != 0 || refreshing->is_other_key)
		return OK;
	/* it was checked against the row as it was read, which may have moved since */
	TRY(refresh_token_check_root(task, refreshing->authority, &refreshing->token, family));
	refreshing->rotation = is_stolen ? ROTATION_REUSED : judge(task, refreshing);
	if (family->paused_at != 0 && !outcome_ends_family(refreshing->rotation))
		return OK;
	if (refreshing->rotation == ROTATION_ADVANCE)
		return rotate(task, db, wish, family);
	if (refreshing->rotation == ROTATION_REPEAT_LOST)
		refreshing->is_told = rotation_count_repeat(family, task->now);
	return outcome_write(task, db, refreshing);
}

/* What was written may have been taken back with others' (store/store.h). */
static void begin_anew(struct refreshing *refreshing)
{
	refreshing->standing.family = refreshing->as_read;
	refreshing->rotation = ROTATION_ADVANCE;
	refreshing->is_new = refreshing->is_other_key = false;
	refreshing->is_told = refreshing->is_as_foreseen = false;
}

static enum err refresh_write(struct task *task, struct db *db, void *arg)
{
	const struct token_wish *wish = arg;
	struct refreshing *refreshing = wish->work;
	enum err err;

	begin_anew(refreshing);
	TRY(single_use_spend(task, db, &wish->single_use));
	if (refreshing->as_read.generation != refreshing->token.generation)
		return take_and_judge(task, db, wish);
	err = rotate(task, db, wish, &refreshing->as_read);
	refreshing->is_as_foreseen = err == OK;
	return err == ERR_CONFLICT ? take_and_judge(task, db, wish) : err;
}

static enum err refuse(struct task *task, struct token_wish *wish, struct str reason)
{
	wish->reason = reason;
	task_note(task, ERR_GRANT, reason);
	return ERR_GRANT;
}

static enum err refuse_key(struct task *task, struct token_wish *wish)
{
	return refuse(task, wish, wish->jkt.at == NULL ? STR("proof_missing") : STR("other_key"));
}

static enum err refuse_paused(struct task *task, struct token_wish *wish)
{
	wish->retry_after = PAUSED_RETRY_S;
	return fail(task, ERR_PAUSED, "paused");
}

static enum err answer(struct task *task, struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;

	if (!refreshing->is_as_foreseen)
		return issue_tokens(task, wish->authority,
				    &(struct issue_order){ .standing = &refreshing->standing,
							   .wish = &refreshing->wish,
							   .is_renewable = true },
				    &wish->answer);
	wish->answer = refreshing->foreseen;
	return OK;
}

static bool is_paused(const struct refreshing *refreshing)
{
	if (refreshing->rotation == ROTATION_FROM_FUTURE)
		return true;
	return refreshing->standing.family.paused_at != 0 &&
	       !outcome_ends_family(refreshing->rotation);
}

static enum err written(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;
	struct refreshing *refreshing = wish->work;
	const struct family *family = &refreshing->standing.family;

	wish->is_spent = result == OK;
	if (result == OK && refreshing->is_new)
		outcome_count(task, refreshing);
	if (result == ERR_NOT_FOUND || result == ERR_CONFLICT)
		result = refuse(task, wish, STR("revoked"));
	else if (result == OK && family->revoked_at != 0)
		result = refuse(task, wish, family->revoked_why);
	else if (result == OK && refreshing->is_other_key)
		result = refuse_key(task, wish);
	else if (result == OK && is_paused(refreshing))
		result = refuse_paused(task, wish);
	else if (result == OK && refreshing->rotation > ROTATION_REPEAT_LOST)
		result = refuse(task, wish, outcome_reason(refreshing->rotation));
	else if (result == OK)
		result = answer(task, wish);
	return wish->then(task, result, wish);
}

static enum err end_copied(struct task *task, struct db *db, void *arg)
{
	const struct token_wish *wish = arg;

	return outcome_write(task, db, wish->work);
}

static enum err ended_copied(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;
	struct refreshing *refreshing = wish->work;

	if (result == OK && refreshing->is_new)
		outcome_count(task, refreshing);
	if (result == OK && str_equals(refreshing->standing.client.id, wish->client.id))
		result = refuse(task, wish, STR("reused"));
	else if (result == OK)
		result = fail(task, ERR_GRANT, "the refresh token is not known");
	return wish->then(task, result, wish);
}

/* A token of this family is in two hands, whatever else is asked: both end (RFC 9700 4.14.2). */
static enum err refuse_copy(struct task *task, struct token_wish *wish, enum rotation rotation)
{
	struct refreshing *refreshing = wish->work;

	refreshing->rotation = rotation;
	return store_submit_stop(task, wish->authority->store, end_copied, wish, ended_copied);
}

/* The scope asked must be within the family's ceiling; what of it still holds is issued. */
static enum err choose_wish(struct task *task, struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	const struct standing *standing = &refreshing->standing;
	struct scope_set asked;

	TRY(scope_parse(task, wish->scope, &asked));
	if (!scope_contains(standing->family.ceiling, asked))
		return fail(task, ERR_SCOPE, "wider than what was granted to this installation");
	if (wish->resource.at != NULL)
		TRY(token_check_resource(task, wish->resource, standing->grant.resource));
	refreshing->wish = (struct wish){
		.scope = asked.count > 0 ? asked : standing->family.ceiling,
		.narrow = true,
		.resource = standing->grant.resource,
		.offered = issue_offered(task, wish->authority, standing->grant.resource),
		.target = authority_resource(wish->authority, standing->grant.resource),
	};
	return details_asked(task, refreshing->wish.target, wish->details,
			     &refreshing->wish.details);
}

static enum err bind(struct task *task, struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	const struct resource *resource = refreshing->wish.target;

	if (!binding_fits(wish, &refreshing->standing.family))
		return refuse_key(task, wish);
	/* for one that is gone nothing is issued: check_standing */
	return resource == NULL ? OK : binding_choose(task, wish, resource, &refreshing->wish.jkt);
}

/* Nothing is written for who may not have a token now; a family that is over keeps its reason. */
static enum err check_standing(struct task *task, struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	struct verdict verdict = decide(&task->arena, &refreshing->standing, &refreshing->wish,
					task->now);

	if (verdict.decision != DECISION_DENY)
		return OK;
	if (str_equals(verdict.reason, STR("paused")))
		return refuse_paused(task, wish);
	/* what it asked by name is gone, but not what it has: it must not throw its token away */
	if (str_equals(verdict.reason, STR("authorization_details")) ||
	    (str_equals(verdict.reason, STR("scope")) && !str_is_empty(wish->scope)))
		return issue_refusal(task, &verdict);
	return refuse(task, wish, verdict.reason);
}

static void prepare_event(struct task *task, const struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	const struct standing *standing = &refreshing->standing;
	struct event *event = &refreshing->event;

	*event = event_new(task, STR("token.refreshed"), STR("agent"));
	event->user_id = standing->user.id;
	event->client_id = standing->client.id;
	event->grant_id = standing->grant.id;
	event->family_id = standing->family.id;
	event->resource = standing->grant.resource;
	event->request_id = wish->request_id;
}

/* The family behind the token, read only now that the client is known. */
static enum err find_family(struct task *task, struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	struct db *db = NULL;
	enum err err;

	TRY(refresh_token_parse(task, wish->refresh_token, &refreshing->token));
	TRY(store_reader(task, wish->authority->store, &db));
	err = standing_find_by_family(task, db, refreshing->token.family_id, &refreshing->standing);
	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_GRANT, "the refresh token is not known");
	return err;
}

static enum err check_token(struct task *task, const struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;

	return refresh_token_check(task, wish->authority, &refreshing->token,
				   &refreshing->standing.family);
}

/* Only who holds a token of the family learns why it is refused. */
static enum err refuse_holder(struct task *task, struct token_wish *wish, enum err refused)
{
	struct str reason = wish->reason, noted = task->reason;
	int64_t retry_after = wish->retry_after;
	enum rotation rotation;

	wish->reason = STR_NONE;
	wish->retry_after = 0;
	TRY(check_token(task, wish));
	/* a pause keeps the tokens that are there, and no copies of them */
	rotation = judge(task, wish->work);
	if (refused == ERR_PAUSED && outcome_ends_family(rotation))
		return refuse_copy(task, wish, rotation);
	wish->reason = reason;
	wish->retry_after = retry_after;
	task_note(task, refused, noted);
	return refused;
}

/* As far as the row tells that was read: it is judged again under its lock. */
static enum err submit(struct task *task, struct token_wish *wish, enum rotation rotation)
{
	struct refreshing *refreshing = wish->work;
	struct store *store = wish->authority->store;

	TRY(seen_again(task, wish->authority, wish->source, &refreshing->standing.family,
		       &refreshing->seen));
	refreshing->as_read = refreshing->standing.family;
	if (rotation == ROTATION_FROM_FUTURE || outcome_ends_family(rotation))
		return store_submit_stop(task, store, refresh_write, wish, written);
	return store_submit(task, store, refresh_write, wish, written);
}

static enum err foreseen(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;

	if (result == OK)
		result = submit(task, wish, ROTATION_ADVANCE);
	return result == ERR_PARKED ? result : wish->then(task, result, wish);
}

/* Is the token ours, and what is to be answered if its row is still as it was read? */
static enum err foresee(struct task *task, struct token_wish *wish)
{
	struct refreshing *refreshing = wish->work;
	struct standing next = refreshing->standing;

	TRY(refresh_token_check_root(task, wish->authority, &refreshing->token, &next.family));
	next.family = successor(task, wish, &refreshing->standing.family);
	return issue_tokens_with_others(task, wish->authority,
					&(struct issue_order){ .standing = &next,
							       .wish = &refreshing->wish,
							       .is_renewable = true,
							       .presented = &refreshing->token },
					&refreshing->foreseen, foreseen, wish);
}

static enum err go_on(struct task *task, struct token_wish *wish)
{
	enum rotation rotation = judge(task, wish->work);

	TRY(rotation == ROTATION_ADVANCE ? foresee(task, wish) : check_token(task, wish));
	return submit(task, wish, rotation);
}

enum err token_refresh(struct task *task, const struct authority *authority,
		       struct token_wish *wish, then_fn *then)
{
	struct refreshing *refreshing = NEW(&task->arena, struct refreshing);
	enum err err;

	wish->authority = authority;
	wish->then = then;
	wish->work = refreshing;
	refreshing->authority = authority;
	refreshing->root_number = keys_root_number(authority->keys);
	if (!client_allows(&wish->client, GRANT_REFRESH_TOKEN))
		return fail(task, ERR_CLIENT_NOT_ALLOWED, "this client may not use refresh_token");
	if (str_is_empty(wish->refresh_token))
		return fail(task, ERR_REQUEST, "refresh_token is missing");
	TRY(find_family(task, wish));
	prepare_event(task, wish);
	if (binding_is_stolen(wish, &refreshing->standing.family, refreshing->token.generation,
			      task->now)) {
		TRY(check_token(task, wish));
		return refuse_copy(task, wish, ROTATION_REUSED);
	}
	err = choose_wish(task, wish);
	if (err == OK)
		err = check_standing(task, wish);
	if (err == OK)
		err = bind(task, wish);
	return err == OK ? go_on(task, wish) : refuse_holder(task, wish, err);
}

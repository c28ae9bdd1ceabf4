/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: whatever is derived from whatever, it is never wider, longer or deeper than what it
 * came from, and decide() allows of it exactly what a naive reference allows. 100,000 random pairs
 * here, PAIRS of them in tools/soak.
 */
#include "one_task.h"
#include "same_numbers.h"

#include <stdlib.h>

#include "authority/decide.h"

#define PAIRS	     100000
#define SCOPES	     5
#define CLIENTS	     4
#define RESOURCE     "https://r"
#define EVERY_SCOPE  ((1u << SCOPES) - 1)
#define EVERY_CLIENT ((1u << CLIENTS) - 1)

static const struct str scope_names[SCOPES] = {
	STR_INIT("a"), STR_INIT("b"), STR_INIT("c"), STR_INIT("d"), STR_INIT("e"),
};
static const struct str client_names[CLIENTS] = {
	STR_INIT("root"),
	STR_INIT("one"),
	STR_INIT("two"),
	STR_INIT("three"),
};

/* Seldom, so that most worlds let something through. */
static bool is_rare(void)
{
	return below(24) == 0;
}

static struct scope_set set_of(const struct str *all, unsigned count, unsigned bits)
{
	struct str *names = NEW_ARRAY(&task.arena, struct str, count);
	struct scope_set set = { .names = names };

	for (unsigned i = 0; i < count; i++)
		if (bits >> i & 1)
			names[set.count++] = all[i];
	return set;
}

static unsigned bits_of(const struct str *all, unsigned count, struct scope_set set)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < count; i++)
		bits |= scope_has(set, all[i]) ? 1u << i : 0;
	return bits;
}

/* Mostly full, sometimes anything. */
static unsigned random_bits(unsigned every)
{
	return below(3) == 0 ? below(every + 1) : every;
}

/*
 * What is true of the world in numbers, for the reference, and the same in the words of the code.
 */
struct random_world {
	unsigned granted, ceiling, offered;
	unsigned scope_of[CLIENTS]; /* as registered; 0: no ceiling */
	bool is_operators[CLIENTS]; /* whose scope is a ceiling */
	unsigned delegates_to[CLIENTS], consented;
	bool is_active[CLIENTS], may_exchange[CLIENTS], is_public[CLIENTS];
	int64_t not_before[CLIENTS];
	bool user_off, revoked, ended, expired, paused, idle;
	int64_t permission_end[SCOPES];

	struct client clients[CLIENTS];
	struct permission permissions[SCOPES];
	struct standing standing;
};

static void make_client(struct random_world *world, unsigned i)
{
	world->delegates_to[i] = random_bits(EVERY_CLIENT);
	world->is_active[i] = !is_rare();
	world->may_exchange[i] = !is_rare();
	world->is_public[i] = below(6) == 0;
	world->not_before[i] = is_rare() ? CHECK_NOW - 5 + below(10) : 0;
	world->scope_of[i] = random_bits(EVERY_SCOPE);
	world->is_operators[i] = !is_rare();
	world->clients[i] = (struct client){
		.id = client_names[i],
		.auth = world->is_public[i] ? CLIENT_AUTH_NONE : CLIENT_AUTH_BASIC,
		.grant_types = world->may_exchange[i] ? GRANT_TOKEN_EXCHANGE : 0,
		.status = world->is_active[i] ? CLIENT_ACTIVE : CLIENT_DISABLED,
		.not_before = world->not_before[i],
		.delegates_to = set_of(client_names, CLIENTS, world->delegates_to[i]),
		.kind = world->is_operators[i] ? STR("operator") : STR("registered"),
		.scope = set_of(scope_names, SCOPES, world->scope_of[i]),
	};
}

static void make_permissions(struct random_world *world)
{
	for (unsigned i = 0; i < SCOPES; i++) {
		bool has = world->granted >> i & 1;
		bool is_never = !has && below(2) == 0;
		int64_t end = below(2) == 0 ? NEVER : CHECK_NOW + 1 + below(400000);

		if (!has && !is_never)
			end = CHECK_NOW - below(1000);
		world->permission_end[i] = end;
		world->permissions[i] = (struct permission){ .scope = scope_names[i],
							     .mode = is_never ? MODE_NEVER
									      : MODE_ALLOW,
							     .expires_at = end };
	}
}

static void make_world(struct random_world *world)
{
	*world = (struct random_world){ .granted = random_bits(EVERY_SCOPE),
					.ceiling = random_bits(EVERY_SCOPE),
					.offered = random_bits(EVERY_SCOPE),
					.consented = random_bits(EVERY_CLIENT),
					.user_off = is_rare(),
					.revoked = is_rare(),
					.ended = is_rare(),
					.expired = is_rare(),
					.paused = is_rare(),
					.idle = is_rare() };
	for (unsigned i = 0; i < CLIENTS; i++)
		make_client(world, i);
	make_permissions(world);
	world->standing = (struct standing){
		.user = { .id = STR("usr_1"),
			  .status = world->user_off ? USER_DISABLED : USER_ACTIVE },
		.client = world->clients[0],
		.grant = { .id = STR("gra_1"),
			   .user_id = STR("usr_1"),
			   .client_id = client_names[0],
			   .resource = STR(RESOURCE),
			   .expires_at = world->expired ? CHECK_NOW : NEVER,
			   .revoked_at = world->revoked ? CHECK_NOW : 0,
			   .paused_at = world->paused ? CHECK_NOW : 0,
			   .delegates = set_of(client_names, CLIENTS, world->consented),
			   .permissions = world->permissions,
			   .permission_count = SCOPES },
		.family = { .id = STR("fam_1"),
			    .user_id = STR("usr_1"),
			    .grant_id = STR("gra_1"),
			    .client_id = client_names[0],
			    .ceiling = set_of(scope_names, SCOPES, world->ceiling),
			    .revoked_at = world->ended ? CHECK_NOW : 0,
			    .revoked_why = STR("reused"),
			    .idle_expires_at = world->idle ? CHECK_NOW : NEVER },
	};
}

/* A line of tokens, in numbers: who has the last one, what each had, and how it is named. */
struct line {
	unsigned holders[DELEGATION_DEPTH_MAX + 1];
	unsigned depth;
	unsigned scope;
	int64_t expires_at;
	struct str jkt;
	struct act act;
};

/* Mostly none; "k" or "l". */
static struct str random_key(void)
{
	static const struct str keys[] = { STR_INIT("k"), STR_INIT("l") };

	return below(6) == 0 ? keys[below(2)] : STR_NONE;
}

static struct derivation_wish random_wish(const struct random_world *world, unsigned *ret_who,
					  unsigned *ret_scope, const struct line *line)
{
	unsigned who = below(2) == 0 ? line->holders[line->depth] : below(CLIENTS);
	unsigned scope = below(3) == 0 ? below(EVERY_SCOPE + 1) : line->scope & random_bits(31);
	static const struct str labels[] = { STR_INIT("x"), STR_INIT("y"), STR_INIT("no good"),
					     STR_INIT("#") };
	bool has_label = who == line->holders[line->depth] ? !is_rare() : is_rare();

	*ret_who = who;
	*ret_scope = scope;
	return (struct derivation_wish){
		.client = &world->clients[who],
		.label = has_label ? labels[is_rare() ? 2 + below(2) : below(2)] : STR_NONE,
		.scope = set_of(scope_names, SCOPES, scope),
		.resource = is_rare()  ? STR("https://other")
			    : below(2) ? STR(RESOURCE)
				       : STR_NONE,
		.expires_at = CHECK_NOW + 1 + below(900000),
		.jkt = line->jkt.at != NULL && !is_rare() ? line->jkt : random_key(),
	};
}

/* The rule once more, in numbers. */
static bool may_derive(const struct random_world *world, const struct line *line,
		       const struct derivation_wish *wish, unsigned who, unsigned scope)
{
	unsigned from = line->holders[line->depth];
	bool is_part = who == from;
	bool has_label = wish->label.at != NULL;
	bool good_label = has_label && wish->label.len == 1 && wish->label.at[0] != '#';

	if (wish->resource.at != NULL && !str_equals(wish->resource, STR(RESOURCE)))
		return false;
	if ((scope & ~line->scope) != 0 || line->depth == 4)
		return false;
	if (line->jkt.at != NULL && !str_equals(line->jkt, wish->jkt))
		return false;
	if (is_part)
		return good_label;
	return !has_label && !world->is_public[who] && (world->delegates_to[from] >> who & 1) &&
	       (world->consented >> who & 1);
}

/* Nothing of it may be more than the parent's; the rest follows the wish. */
static void check_narrower(const struct line *line, const struct derived *derived)
{
	unsigned got = bits_of(scope_names, SCOPES, derived->scope);

	CHECK((got & ~line->scope) == 0);
	CHECK(derived->expires_at <= line->expires_at);
	CHECK_STR(derived->resource, STR(RESOURCE));
	if (line->jkt.at != NULL)
		CHECK_STR(derived->jkt, line->jkt);
	CHECK(derived->act.depth == line->depth + 1 && derived->act.depth <= 4);
	for (unsigned i = 0; i < line->depth; i++)
		CHECK_STR(deputy_text(&task.arena, &derived->act.deputies[i]),
			  deputy_text(&task.arena, &line->act.deputies[i]));
}

/* What the operator lets everybody have through whom the line goes. */
static unsigned below_ceilings(const struct random_world *world, const struct line *line)
{
	unsigned scope = EVERY_SCOPE;

	for (unsigned i = 0; i <= line->depth; i++) {
		unsigned who = line->holders[i];

		if (world->is_operators[who] && world->scope_of[who] != 0)
			scope &= world->scope_of[who];
	}
	return scope;
}

static unsigned allowed(const struct random_world *world, const struct line *line,
			const struct delegation *delegation, int64_t issued_at)
{
	if (world->user_off || world->revoked || world->ended || world->expired || world->paused ||
	    world->idle || delegation->is_stopped || delegation->is_revoked)
		return 0;
	if (!world->is_active[0] || issued_at <= world->not_before[0])
		return 0;
	for (unsigned i = 1; i <= line->depth; i++) {
		unsigned from = line->holders[i - 1], who = line->holders[i];

		if (!world->is_active[who] || !world->may_exchange[who] ||
		    issued_at <= world->not_before[who])
			return 0;
		if (from != who && !(world->delegates_to[from] >> who & 1))
			return 0;
		if (from != who && !(world->consented >> who & 1))
			return 0;
	}
	return line->scope & world->granted & world->ceiling & world->offered &
	       below_ceilings(world, line);
}

static void check_decision(const struct random_world *world, const struct line *line)
{
	struct delegation delegation = { .act = line->act,
					 .is_stopped = is_rare(),
					 .is_revoked = is_rare() };
	int64_t issued_at = CHECK_NOW - below(6);
	struct wish wish = {
		.scope = set_of(scope_names, SCOPES, line->scope),
		.narrow = true,
		.resource = STR(RESOURCE),
		.offered = set_of(scope_names, SCOPES, world->offered),
		.token_scope = set_of(scope_names, SCOPES, line->scope),
		.has_token = true,
		.token_issued_at = issued_at,
		.delegation = &delegation,
	};
	unsigned expected;
	struct verdict verdict;

	for (unsigned i = 0; i < line->depth; i++)
		delegation.clients[i] = world->clients[line->holders[i + 1]];
	expected = allowed(world, line, &delegation, issued_at);
	verdict = decide(&task.arena, &world->standing, &wish, CHECK_NOW);
	CHECK((verdict.decision != DECISION_DENY) == (expected != 0));
	CHECK(bits_of(scope_names, SCOPES, verdict.scope) == expected);
	for (unsigned i = 0; expected != 0 && i < SCOPES; i++)
		if (expected >> i & 1)
			CHECK(verdict.expires_at <= world->permission_end[i]);
}

/* True if something was derived, and the line went on. */
static bool derive_once(const struct random_world *world, struct line *line)
{
	unsigned who = 0, scope = 0;
	struct derivation_wish wish = random_wish(world, &who, &scope, line);
	struct derivation_parent parent = {
		.act = line->act,
		.scope = set_of(scope_names, SCOPES, line->scope),
		.resource = STR(RESOURCE),
		.expires_at = line->expires_at,
		.jkt = line->jkt,
		.client = &world->clients[line->holders[line->depth]],
		.delegates = world->standing.grant.delegates,
	};
	struct derived derived;
	enum err err = derive(&task, &parent, &wish, &derived);

	CHECK((err == OK) == may_derive(world, line, &wish, who, scope));
	task_forgive(&task);
	if (err != OK)
		return false;
	check_narrower(line, &derived);
	line->depth++;
	line->holders[line->depth] = who;
	line->scope = bits_of(scope_names, SCOPES, derived.scope);
	line->expires_at = derived.expires_at;
	line->jkt = derived.jkt;
	line->act = derived.act;
	return true;
}

static void nothing_derived_is_more_than_what_it_came_from(void **state)
{
	const char *pairs_text = getenv("PAIRS"), *seed_text = getenv("SEED");
	uint64_t pairs = PAIRS, derived = 0, deepest = 0;

	(void)state;
	if (pairs_text != NULL)
		CHECK(str_to_u64(str_from_c(pairs_text), UINT64_MAX, &pairs));
	if (seed_text != NULL)
		CHECK(str_to_u64(str_from_c(seed_text), UINT64_MAX, &seed));
	for (uint64_t done = 0; done < pairs; arena_free(&task.arena)) {
		struct random_world *world = NEW(&task.arena, struct random_world);
		struct line line = { .jkt = random_key(),
				     .scope = random_bits(EVERY_SCOPE),
				     .expires_at = CHECK_NOW + 1 + below(300000) };

		make_world(world);
		for (int tries = 0; tries < 12; tries++, done++)
			if (derive_once(world, &line)) {
				check_decision(world, &line);
				derived++;
			}
		deepest += line.depth == DELEGATION_DEPTH_MAX;
	}
	/* a rule that refused everything would pass as well */
	CHECK(derived > pairs / 8 && deepest > pairs / 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_derived_is_more_than_what_it_came_from),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}

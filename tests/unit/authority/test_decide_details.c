/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: whatever authorization details an installation has, a token carries and a client asks,
 * decide() lets no single call through that one of them does not; without a token and a wish
 * exactly those of the installation; and with them each call of an element of the narrowest that
 * lies within one element of each other. A call is a naive thing: an operation, a path, and how
 * manieth of the day it is.
 */
#include "one_task.h"
#include "same_numbers.h"

#include "authority/decide.h"

#define ROUNDS 50000

static const struct str scope_names[] = { STR_INIT("a"), STR_INIT("b") };
static const struct str action_names[2][3] = {
	{ STR_INIT("a.1"), STR_INIT("a.2"), STR_INIT("a.3") },
	{ STR_INIT("b.1"), STR_INIT("b.2"), STR_INIT("b.3") },
};
static const struct str path_names[] = { STR_INIT("/"), STR_INIT("/a"), STR_INIT("/a/b"),
					 STR_INIT("/ab"), STR_INIT("/c") };

static struct detail random_detail(void)
{
	unsigned scope = below(2), actions = 1 + below(7), paths = below(2) ? 0 : below(32);
	struct str *names = NEW_ARRAY(&task.arena, struct str, 3);
	struct str *places = NEW_ARRAY(&task.arena, struct str, COUNT_OF(path_names));
	struct detail detail = { .scope = scope_names[scope], .actions = names, .paths = places };

	for (unsigned i = 0; i < 3; i++)
		if (actions >> i & 1)
			names[detail.action_count++] = action_names[scope][i];
	for (unsigned i = 0; i < COUNT_OF(path_names); i++)
		if (paths >> i & 1)
			places[detail.path_count++] = path_names[i];
	detail.limits[LIMIT_PER_DAY] = below(2) ? 0 : 1 + below(3);
	return detail;
}

static struct details random_details(void)
{
	unsigned count = below(4);
	struct detail *items = NEW_ARRAY(&task.arena, struct detail, count);

	for (unsigned i = 0; i < count; i++)
		items[i] = random_detail();
	return (struct details){ STR("https://r"), items, count };
}

struct call {
	unsigned scope, action, path, turn;
};

static bool is_listed(struct str name, const struct str *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(list[i], name))
			return true;
	return false;
}

/* By the letters, and not by what model/details.c makes of them. */
static bool is_at(struct str path, const struct str *places, size_t count)
{
	bool is = count == 0;

	for (size_t i = 0; i < count; i++) {
		struct str place = places[i];

		is = is || str_equals(place, STR("/")) || str_equals(path, place) ||
		     str_starts_with(path, STR_JOIN(&task.arena, place, STR("/")));
	}
	return is;
}

static bool allows(const struct details *details, const struct call *call)
{
	struct str scope = scope_names[call->scope];
	bool is_spoken_of = false;

	for (size_t i = 0; i < details->count; i++) {
		const struct detail *detail = &details->items[i];
		int64_t per_day = detail->limits[LIMIT_PER_DAY];

		if (!str_equals(detail->scope, scope))
			continue;
		is_spoken_of = true;
		if (is_listed(action_names[call->scope][call->action], detail->actions,
			      detail->action_count) &&
		    is_at(path_names[call->path], detail->paths, detail->path_count) &&
		    (per_day == 0 || call->turn < per_day))
			return true;
	}
	return !is_spoken_of;
}

/* All operations, or without the second of each scope. */
static struct resource today(bool is_whole)
{
	struct resource_scope *scopes = NEW_ARRAY(&task.arena, struct resource_scope, 2);

	for (unsigned i = 0; i < 2; i++) {
		struct resource_operation *operations = NEW_ARRAY(&task.arena,
								  struct resource_operation, 3);

		scopes[i] = (struct resource_scope){ .name = scope_names[i],
						     .operations = operations };
		for (unsigned j = 0; j < 3; j++)
			if (is_whole || j != 1)
				operations[scopes[i].operation_count++].name = action_names[i][j];
	}
	return (struct resource){ .uri = STR("https://r"), .scopes = scopes, .scope_count = 2 };
}

struct situation {
	struct standing standing;
	struct wish wish;
	struct resource target;
	bool is_whole;
	struct permission permissions[2];
};

static void make(struct situation *situation)
{
	static const struct scope_set both = { scope_names, 2 };

	*situation = (struct situation){ .is_whole = below(3) > 0 };
	situation->target = today(situation->is_whole);
	for (unsigned i = 0; i < 2; i++)
		situation->permissions[i] = (struct permission){ .scope = scope_names[i],
								 .expires_at = NEVER };
	situation->standing = (struct standing){
		.user = { .id = STR("usr_1") },
		.client = { .id = STR("agent"), .kind = STR("operator") },
		.grant = { .id = STR("gra_1"),
			   .user_id = STR("usr_1"),
			   .client_id = STR("agent"),
			   .resource = STR("https://r"),
			   .expires_at = NEVER,
			   .permissions = situation->permissions,
			   .permission_count = 2 },
		.family = { .id = STR("fam_1"),
			    .user_id = STR("usr_1"),
			    .grant_id = STR("gra_1"),
			    .client_id = STR("agent"),
			    .ceiling = both,
			    .details = random_details(),
			    .idle_expires_at = NEVER },
	};
	situation->wish = (struct wish){ .scope = both,
					 .narrow = true,
					 .resource = STR("https://r"),
					 .offered = both,
					 .target = &situation->target,
					 .token_issued_at = CHECK_NOW };
	if (below(2)) {
		situation->wish.has_token = true;
		situation->wish.token_scope = both;
		situation->wish.token_details = random_details();
	}
	if (below(2))
		situation->wish.details = random_details();
}

static bool is_gone(const struct situation *situation, const struct call *call,
		    const struct details *details)
{
	return !situation->is_whole && call->action == 1 &&
	       details_restrict(details, scope_names[call->scope]);
}

static bool lies_within(const struct detail *child, const struct detail *parent)
{
	int64_t most = parent->limits[LIMIT_PER_DAY], wants = child->limits[LIMIT_PER_DAY];

	if (!str_equals(child->scope, parent->scope) ||
	    (most != 0 && (wants == 0 || wants > most)) ||
	    (child->path_count == 0 && parent->path_count > 0))
		return false;
	for (size_t i = 0; i < child->action_count; i++)
		if (!is_listed(child->actions[i], parent->actions, parent->action_count))
			return false;
	for (size_t i = 0; i < child->path_count; i++)
		if (!is_at(child->paths[i], parent->paths, parent->path_count))
			return false;
	return true;
}

static bool fits_one(const struct detail *child, const struct details *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (lies_within(child, &list->items[i]))
			return true;
	return !details_restrict(list, child->scope);
}

/* Within one element of the list that, if it speaks of the scope, lies within one of the next. */
static bool fits(const struct detail *child, const struct details *list, const struct details *next)
{
	for (size_t i = 0; i < list->count; i++)
		if (lies_within(child, &list->items[i]) && fits_one(&list->items[i], next))
			return true;
	return !details_restrict(list, child->scope) && fits_one(child, next);
}

/* Must the call be let through? Said only while the resource has all its operations. */
static bool is_due(const struct situation *situation, const struct call *call)
{
	static const struct details none = { 0 };
	const struct details *lists[] = { &situation->wish.details, &situation->wish.token_details,
					  &situation->standing.family.details, &none, &none };
	struct str scope = scope_names[call->scope];
	size_t narrowest = 0;

	for (size_t i = 0; i < lists[0]->count; i++)
		if (!fits(&lists[0]->items[i], lists[1], lists[2]))
			return false;
	while (narrowest < 3 && !details_restrict(lists[narrowest], scope))
		narrowest++;
	for (size_t i = 0; i < lists[narrowest]->count; i++) {
		const struct detail *item = &lists[narrowest]->items[i];
		const struct details alone = { STR_NONE, item, 1 };

		if (str_equals(item->scope, scope) && allows(&alone, call) &&
		    fits(item, lists[narrowest + 1], lists[narrowest + 2]))
			return situation->is_whole;
	}
	return situation->is_whole && narrowest == 3;
}

static void check_call(const struct situation *situation, const struct verdict *verdict,
		       const struct call *call)
{
	const struct details *own = &situation->standing.family.details;
	const struct wish *wish = &situation->wish;
	bool is_let = verdict->decision != DECISION_DENY &&
		      scope_has(verdict->scope, scope_names[call->scope]) &&
		      allows(&verdict->details, call);

	if (is_let) {
		CHECK(allows(own, call) && !is_gone(situation, call, own));
		CHECK(!wish->has_token || allows(&wish->token_details, call));
		CHECK(allows(&wish->details, call));
		return;
	}
	CHECK(!is_due(situation, call));
	if (!wish->has_token && wish->details.count == 0)
		CHECK(!allows(own, call) || is_gone(situation, call, own));
}

static void check_calls(const struct situation *situation, const struct verdict *verdict)
{
	for (unsigned i = 0; i < 2 * 3 * COUNT_OF(path_names) * 4; i++) {
		struct call call = { i % 2, i / 2 % 3, i / 6 % COUNT_OF(path_names),
				     i / 6 / COUNT_OF(path_names) };

		check_call(situation, verdict, &call);
	}
}

static void no_call_gets_through_that_anybody_forbids(void **state)
{
	size_t allowed = 0, refused = 0;

	(void)state;
	seed = 20261128;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct situation situation;
		struct verdict verdict;

		make(&situation);
		verdict = decide(&task.arena, &situation.standing, &situation.wish, CHECK_NOW);
		check_calls(&situation, &verdict);
		if (verdict.decision == DECISION_DENY)
			refused++;
		else
			allowed++;
		arena_free(&task.arena);
	}
	/* a rule that says no to all, or yes, would pass nothing of this */
	CHECK(allowed > ROUNDS / 4 && refused > ROUNDS / 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_call_gets_through_that_anybody_forbids),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}

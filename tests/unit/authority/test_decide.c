/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intersection rule against a naive reference: every combination of what can stand in the way.
 */
#include "one_task.h"

#include "authority/decide.h"
#include "authority/reason.h"

static const struct str a_name[] = { STR_INIT("a") };
static const struct str b_name[] = { STR_INIT("b") };
static const struct str both_names[] = { STR_INIT("a"), STR_INIT("b") };

/* A set by two bits: 1 is "a", 2 is "b". */
static struct scope_set set_of(unsigned bits)
{
	switch (bits & 3) {
	case 1:
		return (struct scope_set){ a_name, 1 };
	case 2:
		return (struct scope_set){ b_name, 1 };
	case 3:
		return (struct scope_set){ both_names, 2 };
	default:
		return (struct scope_set){ 0 };
	}
}

static unsigned bits_of(struct scope_set set)
{
	return (scope_has(set, STR("a")) ? 1u : 0) | (scope_has(set, STR("b")) ? 2u : 0);
}

static struct standing good_standing(struct permission permissions[2])
{
	permissions[0] = (struct permission){ .scope = STR("a"), .expires_at = NEVER };
	permissions[1] = (struct permission){ .scope = STR("b"), .expires_at = NEVER };
	return (struct standing){
		.user = { .id = STR("usr_1") },
		.client = { .id = STR("agent"), .kind = STR("operator") },
		.grant = { .id = STR("gra_1"),
			   .user_id = STR("usr_1"),
			   .client_id = STR("agent"),
			   .resource = STR("https://r"),
			   .expires_at = NEVER,
			   .permissions = permissions,
			   .permission_count = 2 },
		.family = { .id = STR("fam_1"),
			    .user_id = STR("usr_1"),
			    .grant_id = STR("gra_1"),
			    .client_id = STR("agent"),
			    .ceiling = { both_names, 2 },
			    .idle_expires_at = NEVER },
	};
}

static struct wish wish_for(unsigned bits)
{
	return (struct wish){ .scope = set_of(bits),
			      .resource = STR("https://r"),
			      .offered = set_of(3),
			      .token_issued_at = CHECK_NOW };
}

static struct verdict decide_now(const struct standing *standing, const struct wish *wish)
{
	return decide(&task.arena, standing, wish, CHECK_NOW);
}

static void what_is_allowed_is_the_intersection_of_everything(void **state)
{
	(void)state;
	/*
	 * two bits each: wish, permissions, family, client (0: no ceiling), offered, token; narrow
	 * or not; a client that registered itself, which has no ceiling whatever it wrote
	 */
	for (unsigned i = 0; i < 1u << 15; i++) {
		struct permission permissions[2];
		struct standing standing = good_standing(permissions);
		unsigned wished = i & 3, granted = i >> 2 & 3, ceiling = i >> 4 & 3;
		unsigned client = i >> 6 & 3, offered = i >> 8 & 3, token = i >> 10 & 3;
		bool has_ceiling = client != 0 && (i >> 14 & 1) == 0;
		unsigned have = granted & ceiling & (has_ceiling ? client : 3) & offered;
		struct wish wish = wish_for(wished);
		struct verdict verdict;
		unsigned expected;

		permissions[0].mode = granted & 1 ? MODE_ALLOW : MODE_NEVER;
		permissions[1].expires_at = granted & 2 ? NEVER : CHECK_NOW;
		standing.family.ceiling = set_of(ceiling);
		standing.client.scope = set_of(client);
		standing.client.kind = i >> 14 & 1 ? STR("registered") : STR("operator");
		wish.offered = set_of(offered);
		wish.narrow = i >> 12 & 1;
		wish.has_token = i >> 13 & 1;
		wish.token_scope = set_of(token);
		have &= wish.has_token ? token : 3;
		expected = wished & have;
		if (!wish.narrow && expected != wished)
			expected = 0;
		verdict = decide_now(&standing, &wish);
		CHECK((verdict.decision != DECISION_DENY) == (expected != 0));
		CHECK(bits_of(verdict.scope) == expected);
		if (expected == 0)
			CHECK_STR(verdict.reason, STR("scope"));
		arena_free(&task.arena);
	}
}

/* Each thing that stands in the way, alone and with every other one: something always denies. */
enum {
	BAR_USER,
	BAR_CLIENT,
	BAR_NOT_BEFORE,
	BAR_REVOKED,
	BAR_FAMILY,
	BAR_EXPIRED,
	BAR_IDLE,
	BAR_PAUSED,
	BAR_FAMILY_PAUSED,
	BAR_COUNT
};

static const char *const bar_reasons[BAR_COUNT] = {
	"user_disabled",
	"client_disabled",
	"client_disabled",
	"revoked_by_user",
	"reused",
	"expired",
	"idle",
	"paused",
	"paused",
};

static void raise_bars(struct standing *standing, struct wish *wish, unsigned bars)
{
	if (bars >> BAR_USER & 1)
		standing->user.status = USER_DISABLED;
	if (bars >> BAR_CLIENT & 1)
		standing->client.status = CLIENT_DISABLED;
	if (bars >> BAR_NOT_BEFORE & 1) {
		standing->client.not_before = CHECK_NOW;
		wish->has_token = true;
		wish->token_scope = set_of(3);
		wish->token_issued_at = CHECK_NOW;
	}
	if (bars >> BAR_REVOKED & 1) {
		standing->grant.revoked_at = CHECK_NOW;
		standing->grant.revoked_by = STR("user");
	}
	if (bars >> BAR_FAMILY & 1) {
		standing->family.revoked_at = CHECK_NOW;
		standing->family.revoked_why = STR("reused");
	}
	if (bars >> BAR_EXPIRED & 1)
		standing->grant.expires_at = CHECK_NOW;
	if (bars >> BAR_IDLE & 1)
		standing->family.idle_expires_at = CHECK_NOW;
	if (bars >> BAR_PAUSED & 1)
		standing->grant.paused_at = CHECK_NOW;
	if (bars >> BAR_FAMILY_PAUSED & 1)
		standing->family.paused_at = CHECK_NOW;
}

static void any_bar_denies_and_the_first_one_is_named(void **state)
{
	(void)state;
	for (unsigned bars = 0; bars < 1u << BAR_COUNT; bars++) {
		struct permission permissions[2];
		struct standing standing = good_standing(permissions);
		struct wish wish = wish_for(1);
		struct verdict verdict;

		raise_bars(&standing, &wish, bars);
		verdict = decide_now(&standing, &wish);
		CHECK((verdict.decision == DECISION_DENY) == (bars != 0));
		if (bars != 0)
			CHECK_STR(verdict.reason, str_from_c(bar_reasons[__builtin_ctz(bars)]));
		/* error_uri points to its paragraph */
		CHECK(bars == 0 || reason_is_known(verdict.reason));
		arena_free(&task.arena);
	}
}

/* The time decides: a row that does not say why it ended is over all the same. */
static void a_family_that_ended_for_no_stated_reason_is_over(void **state)
{
	struct permission permissions[2];
	struct standing standing = good_standing(permissions);
	struct wish wish = wish_for(1);
	struct verdict verdict;

	(void)state;
	standing.family.revoked_at = CHECK_NOW;
	standing.family.revoked_why = STR_NONE;
	verdict = decide_now(&standing, &wish);
	CHECK(verdict.decision == DECISION_DENY && reason_is_known(verdict.reason));
	CHECK_STR(verdict.reason, STR("revoked"));
}

static void rows_that_do_not_belong_together_allow_nothing(void **state)
{
	struct permission permissions[2];
	struct standing good = good_standing(permissions), bad;
	struct wish wish = wish_for(1);

	(void)state;
	CHECK(decide_now(&good, &wish).decision == DECISION_ALLOW);
	bad = good;
	bad.user.id = STR("usr_2");
	CHECK_STR(decide_now(&bad, &wish).reason, STR("resource"));
	bad = good;
	bad.client.id = STR("other");
	CHECK_STR(decide_now(&bad, &wish).reason, STR("resource"));
	bad = good;
	bad.family.grant_id = STR("gra_2");
	CHECK_STR(decide_now(&bad, &wish).reason, STR("resource"));
	bad = good;
	bad.family.client_id = STR("other");
	CHECK_STR(decide_now(&bad, &wish).reason, STR("resource"));
	wish.resource = STR("https://other");
	CHECK_STR(decide_now(&good, &wish).reason, STR("resource"));
}

static void no_token_outlives_the_permission_that_ends_first(void **state)
{
	struct permission permissions[2];
	struct standing standing = good_standing(permissions);
	struct wish only_b = wish_for(2), both = wish_for(3);

	(void)state;
	permissions[0].expires_at = CHECK_NOW + 5;
	permissions[1].expires_at = CHECK_NOW + 9;
	standing.grant.expires_at = CHECK_NOW + 9;
	CHECK(decide_now(&standing, &only_b).expires_at == CHECK_NOW + 9);
	CHECK(decide_now(&standing, &both).expires_at == CHECK_NOW + 5);
	arena_free(&task.arena);
}

static void a_scope_to_be_asked_for_each_time_says_so(void **state)
{
	struct permission permissions[2];
	struct standing standing = good_standing(permissions);
	struct wish only_a = wish_for(1), both = wish_for(3);

	(void)state;
	permissions[1].mode = MODE_ASK;
	CHECK(decide_now(&standing, &only_a).decision == DECISION_ALLOW);
	CHECK(decide_now(&standing, &both).decision == DECISION_ASK);
	arena_free(&task.arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_allowed_is_the_intersection_of_everything),
		cmocka_unit_test(any_bar_denies_and_the_first_one_is_named),
		cmocka_unit_test(a_family_that_ended_for_no_stated_reason_is_over),
		cmocka_unit_test(rows_that_do_not_belong_together_allow_nothing),
		cmocka_unit_test(no_token_outlives_the_permission_that_ends_first),
		cmocka_unit_test(a_scope_to_be_asked_for_each_time_says_so),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/login_throttle.h"

#include "base/tally.h"
#include "http/address.h"
#include "store/counters.h"
#include "store/sessions.h"

#define FREE_GUESSES	 10
#define DELAY_FIRST_MS	 SECOND_MS
#define DELAY_LONGEST_MS (60 * SECOND_MS)

static struct str counter_name(struct arena *arena, const struct authority *authority,
			       const char *kind, struct str a, struct str b)
{
	struct str all = STR_JOIN(arena, a, STR("\0"), b);

	return STR_JOIN(arena, str_from_c(kind), authority_alias(authority, arena, all));
}

enum err login_throttle_open(struct task *task, const struct authority *authority,
			     const struct login_guess *guess, struct login_throttle *ret_throttle)
{
	struct str who = guess->user_id.at == NULL ? guess->username : guess->user_id;
	bool is_known = false;
	struct db *db = NULL;

	if (guess->user_id.at != NULL && guess->browser_hash.at != NULL) {
		TRY(store_reader(task, authority->store, &db));
		TRY(session_knows_browser(task, db, guess->user_id, guess->browser_hash, task->now,
					  &is_known));
	}
	ret_throttle->account = counter_name(&task->arena, authority, "login:", who,
					     is_known ? guess->browser_hash : STR_NONE);
	ret_throttle->source = counter_name(&task->arena, authority,
					    "login-source:", ret_throttle->account,
					    address_network(&task->arena, guess->source));
	return OK;
}

/* The counter of this hour. */
static struct counter counter_of(const struct task *task, struct str name)
{
	return (struct counter){ .name = name, .window = task->now / HOUR_MS };
}

static int64_t delay_after(int64_t source_failures)
{
	int64_t delay = DELAY_FIRST_MS;

	while (source_failures-- > 0 && delay < DELAY_LONGEST_MS)
		delay *= 2;
	return delay < DELAY_LONGEST_MS ? delay : DELAY_LONGEST_MS;
}

enum err login_throttle_check(struct task *task, const struct authority *authority,
			      const struct login_throttle *throttle, int64_t *ret_retry_after)
{
	struct counter account = counter_of(task, throttle->account);
	struct counter source = counter_of(task, throttle->source);
	struct db *db = NULL;
	int64_t left;

	TRY(store_reader(task, authority->store, &db));
	TRY(counter_get(task, db, &account));
	if (account.used < FREE_GUESSES)
		return OK;
	TRY(counter_get(task, db, &source));
	/* an unseen source waits a second behind the last failure of anybody */
	left = source.used == 0 ? account.last_at + DELAY_FIRST_MS - task->now
				: source.last_at + delay_after(source.used - 1) - task->now;
	if (left <= 0)
		return OK;
	*ret_retry_after = (left + SECOND_MS - 1) / SECOND_MS;
	tally_add(task, TALLY_SIGN_IN_THROTTLED);
	return fail(task, ERR_THROTTLED, "too many wrong passwords; wait before the next try");
}

enum err login_throttle_count(struct task *task, struct db *db,
			      const struct login_throttle *throttle)
{
	struct counter account = counter_of(task, throttle->account);
	struct counter source = counter_of(task, throttle->source);
	int64_t expires_at = task->now + 2 * HOUR_MS;

	TRY(counter_add(task, db, &account, task->now, expires_at));
	if (account.used < FREE_GUESSES)
		return OK;
	/* a source's own failures matter once the account has used up the free ones */
	return counter_add(task, db, &source, task->now, expires_at);
}

enum err login_throttle_clear(struct task *task, struct db *db,
			      const struct login_throttle *throttle)
{
	TRY(counter_clear(task, db, throttle->account));
	return counter_clear(task, db, throttle->source);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/login_throttle.h"

#include "crypto/base64.h"
#include "store/counters.h"
#include "store/sessions.h"

#define FREE_GUESSES	 10
#define DELAY_FIRST_MS	 SECOND_MS
#define DELAY_LONGEST_MS (60 * SECOND_MS)

/* The /24 of an IPv4 address, the /64 of an IPv6 one: what one subscriber usually has. */
static struct str network_of(struct str address)
{
	char separator = str_has(address, ':') ? ':' : '.';
	unsigned groups = separator == ':' ? 4 : 3;

	for (size_t i = 0; i < address.len; i++)
		if (address.at[i] == separator && --groups == 0)
			return str_sub(address, 0, i);
	return address;
}

static struct str counter_name(struct arena *arena, const char *kind, struct str a, struct str b)
{
	struct str all = STR_JOIN(arena, a, STR("\0"), b);

	return STR_JOIN(arena, str_from_c(kind), base64url_encode(arena, sha256_str(arena, all)));
}

enum err login_throttle_open(struct task *task, const struct authority *authority,
			     struct str username, struct str user_id, struct str source,
			     struct str browser_hash, struct login_throttle *ret_throttle)
{
	struct str who = user_id.at == NULL ? username : user_id;
	bool is_known = false;
	struct db *db = NULL;

	if (user_id.at != NULL && browser_hash.at != NULL) {
		TRY(store_reader(task, authority->store, &db));
		TRY(session_knows_browser(task, db, user_id, browser_hash, task->now, &is_known));
	}
	ret_throttle->account = counter_name(&task->arena, "login:", who,
					     is_known ? browser_hash : STR_NONE);
	ret_throttle->source = counter_name(&task->arena, "login-source:", ret_throttle->account,
					    network_of(source));
	return OK;
}

static int64_t window_of(const struct task *task)
{
	return task->now / HOUR_MS;
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
	int64_t failures, source_failures, last_at, source_last_at, left;
	struct db *db = NULL;

	TRY(store_reader(task, authority->store, &db));
	TRY(counter_get(task, db, throttle->account, window_of(task), &failures, &last_at));
	if (failures < FREE_GUESSES)
		return OK;
	TRY(counter_get(task, db, throttle->source, window_of(task), &source_failures,
			&source_last_at));
	/* an unseen source waits a second behind the last failure of anybody */
	left = source_failures == 0 ? last_at + DELAY_FIRST_MS - task->now
				    : source_last_at + delay_after(source_failures - 1) - task->now;
	if (left <= 0)
		return OK;
	*ret_retry_after = (left + SECOND_MS - 1) / SECOND_MS;
	return fail(task, ERR_THROTTLED, "too many wrong passwords; wait before the next try");
}

static enum err count_one(struct task *task, struct db *db, struct str name)
{
	int64_t used, last_at;

	return counter_add(task, db, name, window_of(task), task->now, task->now + 2 * HOUR_MS,
			   &used, &last_at);
}

enum err login_throttle_count(struct task *task, struct db *db,
			      const struct login_throttle *throttle)
{
	int64_t failures, last_at;

	TRY(counter_get(task, db, throttle->account, window_of(task), &failures, &last_at));
	TRY(count_one(task, db, throttle->account));
	/* a source's own failures matter once the account has used up the free ones */
	return failures + 1 >= FREE_GUESSES ? count_one(task, db, throttle->source) : OK;
}

enum err login_throttle_clear(struct task *task, struct db *db,
			      const struct login_throttle *throttle)
{
	TRY(counter_clear(task, db, throttle->account));
	return counter_clear(task, db, throttle->source);
}

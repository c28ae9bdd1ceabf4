/* SPDX-License-Identifier: Apache-2.0 */
/* Who a client is, and what guessing costs and leaves behind. */
#include "at_office.h"

#include <stdatomic.h>
#include <string.h>

#include "authority/client_auth.h"
#include "base/secret.h"

#define GUESSES 20

static enum err try_secret(const char *client_id, const char *secret)
{
	struct client_credentials credentials = { .method = CREDENTIAL_POST,
						  .client_id = str_from_c(client_id),
						  .secret = str_from_c(secret),
						  .source = STR("192.0.2.1") };
	struct client client;

	return client_authenticate(world_task(&office.world), &office.authority, &credentials,
				   &client);
}

/* Events of guessing are written by nobody's task: a write of ours behind them waits for them. */
static enum err nothing(struct task *task, struct db *db, void *arg)
{
	(void)task;
	(void)db;
	(void)arg;
	return OK;
}

static size_t guessing_events(void)
{
	CHECK_ERR(world_write(&office.world, nothing, NULL), OK);
	return office_events(&office, "client.guessing");
}

static void ca_027_guessing_a_secret_is_throttled_and_leaves_an_event(void **state)
{
	(void)state;
	CHECK_ERR(try_secret("service", OFFICE_SECRET), OK);
	for (int i = 0; i < GUESSES; i++)
		CHECK_ERR(try_secret("service", "wrong"), ERR_CLIENT);
	CHECK_ERR(try_secret("service", OFFICE_SECRET), ERR_THROTTLED);
	CHECK(guessing_events() == 1);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(try_secret("service", OFFICE_SECRET), OK);
}

static void strangers_write_nothing_into_the_log_by_guessing_at_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < GUESSES; i++)
		CHECK_ERR(try_secret("whatever-a-stranger-likes-to-write", "wrong"), ERR_CLIENT);
	CHECK_ERR(try_secret("whatever-a-stranger-likes-to-write", "wrong"), ERR_THROTTLED);
	CHECK(guessing_events() == 0);
}

/* All programs of one computer come from one address. */
static void guesses_at_a_client_without_a_secret_do_not_keep_it_out(void **state)
{
	struct client_credentials bare = { .method = CREDENTIAL_NONE,
					   .client_id = STR("agent"),
					   .source = STR("192.0.2.1") };
	struct client client;

	(void)state;
	for (int i = 0; i < GUESSES; i++)
		CHECK_ERR(try_secret("agent", "wrong"), ERR_CLIENT);
	CHECK_ERR(try_secret("agent", "wrong"), ERR_THROTTLED);
	CHECK_ERR(client_authenticate(world_task(&office.world), &office.authority, &bare, &client),
		  OK);
}

static void asking_without_a_secret_does_not_use_up_the_guesses_of_who_has_one(void **state)
{
	struct client_credentials bare = { .method = CREDENTIAL_NONE,
					   .client_id = STR("service"),
					   .source = STR("192.0.2.1") };
	struct client client;

	(void)state;
	for (int i = 0; i < 2 * GUESSES; i++)
		CHECK_ERR(client_authenticate(world_task(&office.world), &office.authority, &bare,
					      &client),
			  ERR_CLIENT);
	CHECK_ERR(try_secret("service", OFFICE_SECRET), OK);
}

/* --- by what a secret is compared: the linker puts these in between (meson.build) --- */

static struct {
	struct str digest; /* of the client's secret, as it is stored */
	atomic_uint in_constant_time, otherwise;
} watch;

bool __real_secret_equals(struct str a, struct str b);
bool __wrap_secret_equals(struct str a, struct str b);
int __real_memcmp(const void *a, const void *b, size_t len);
int __wrap_memcmp(const void *a, const void *b, size_t len);
int __wrap_bcmp(const void *a, const void *b, size_t len);

static bool is_watched(const void *at, size_t len)
{
	return watch.digest.len > 0 && len == watch.digest.len &&
	       __real_memcmp(at, watch.digest.at, len) == 0;
}

bool __wrap_secret_equals(struct str a, struct str b)
{
	if (is_watched(a.at, a.len) || is_watched(b.at, b.len))
		watch.in_constant_time++;
	return __real_secret_equals(a, b);
}

int __wrap_memcmp(const void *a, const void *b, size_t len)
{
	if (is_watched(a, len) || is_watched(b, len))
		watch.otherwise++;
	return __real_memcmp(a, b, len);
}

/* What a compiler makes of a memcmp that is asked for equality alone. */
int __wrap_bcmp(const void *a, const void *b, size_t len)
{
	return __wrap_memcmp(a, b, len);
}

static void ca_028_a_secret_is_compared_in_constant_time_and_in_no_other_way(void **state)
{
	static char digest[SHA256_LEN];
	struct task *task = world_task(&office.world);

	(void)state;
	memcpy(digest, sha256_str(&task->arena, STR(OFFICE_SECRET)).at, sizeof(digest));
	watch.digest = (struct str){ digest, sizeof(digest) };
	CHECK_ERR(try_secret("service", OFFICE_SECRET), OK);
	CHECK(watch.in_constant_time == 1);
	CHECK_ERR(try_secret("service", "wrong"), ERR_CLIENT);
	CHECK(watch.in_constant_time == 2);
	CHECK(watch.otherwise == 0);
	CHECK(str_equals(watch.digest, sha256_str(&task->arena, STR(OFFICE_SECRET))));
	CHECK(watch.otherwise == 1); /* another way would have been seen */
	watch.digest = STR_NONE;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(ca_027_guessing_a_secret_is_throttled_and_leaves_an_event),
		TEST(ca_028_a_secret_is_compared_in_constant_time_and_in_no_other_way),
		TEST(guesses_at_a_client_without_a_secret_do_not_keep_it_out),
		TEST(asking_without_a_secret_does_not_use_up_the_guesses_of_who_has_one),
		TEST(strangers_write_nothing_into_the_log_by_guessing_at_nobody),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

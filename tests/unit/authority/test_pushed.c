/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a pushed request is, and how long. */
#include "at_office.h"

#include "authority/pushed.h"
#include "store/clients.h"

#define KEY   "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define OTHER "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

static struct authorize_wish wish;
static struct str proof_key;

static enum err push_step(struct task *task, void *arg)
{
	struct db *db = NULL;

	(void)arg;
	TRY(store_reader(task, office.authority.store, &db));
	TRY(client_find(task, db, wish.params.client_id, &wish.client));
	return pushed_open(task, &office.authority, &wish, proof_key, office_finished);
}

static enum err push_as(const char *client)
{
	wish = (struct authorize_wish){ .params = office_params(&office, client, "mail.read") };
	return world_run(&office.world.home, push_step, NULL);
}

static enum err take_step(struct task *task, void *arg)
{
	(void)arg;
	return pushed_take(task, &office.authority, &wish, office_finished);
}

/* The browser that has that cookie opens the last one that was pushed. */
static enum err take_with(const char *browser, const char *client)
{
	struct task *task = world_task(&office.world);
	struct str uri = pushed_uri(&task->arena, wish.request.id);
	struct authorize_params params = { .client_id = str_from_c(client),
					   .request_uri = uri,
					   .browser = str_from_c(browser) };

	wish = (struct authorize_wish){ .params = params, .request.id = wish.request.id };
	return world_run(&office.world.home, take_step, NULL);
}

static void a_pushed_request_is_its_first_browsers(void **state)
{
	(void)state;
	CHECK_ERR(push_as("agent"), OK);
	CHECK_ERR(take_with("one", "agent"), OK);
	CHECK(!wish.is_taken);
	CHECK_ERR(take_with("another", "agent"), ERR_PUSHED);
	CHECK_ERR(take_with("", "agent"), ERR_PUSHED);
	office_wait(&office, 2 * PUSHED_LIFE_MS);
	CHECK_ERR(take_with("one", "agent"), OK);
	CHECK(wish.is_taken && wish.request.state == REQUEST_PENDING);
	CHECK_ERR(take_with("another", "agent"), ERR_PUSHED);
}

static void a_pushed_request_is_its_clients(void **state)
{
	(void)state;
	CHECK_ERR(push_as("agent"), OK);
	CHECK_ERR(take_with("one", "service"), ERR_PUSHED);
	CHECK(wish.refusal.redirect_uri.at == NULL && !wish.refusal.may_redirect);
	CHECK_ERR(take_with("one", "agent"), OK);
	CHECK(wish.refusal.may_redirect);
}

static void a_pushed_request_lasts_a_minute(void **state)
{
	(void)state;
	CHECK_ERR(push_as("agent"), OK);
	office_wait(&office, MINUTE_MS - 1);
	CHECK_ERR(take_with("one", "agent"), OK);
	CHECK_ERR(push_as("agent"), OK);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(take_with("one", "agent"), ERR_PUSHED);
}

static void a_proof_binds_what_is_pushed(void **state)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");

	(void)state;
	proof_key = STR(KEY);
	CHECK_ERR(push_as("agent"), OK);
	CHECK_STR(wish.request.dpop_jkt, STR(KEY));
	params.dpop_jkt = STR(OTHER);
	wish = (struct authorize_wish){ .params = params };
	CHECK_ERR(world_run(&office.world.home, push_step, NULL), ERR_REQUEST);
	params.dpop_jkt = STR(KEY);
	wish = (struct authorize_wish){ .params = params };
	CHECK_ERR(world_run(&office.world.home, push_step, NULL), OK);
	proof_key = STR_NONE;
}

static void what_one_address_pushes_for_a_public_client_is_not_anothers_measure(void **state)
{
	struct authorize_params params = office_params(&office, "agent", "mail.read");

	(void)state;
	for (int i = 0; i < 300; i++)
		CHECK_ERR(push_as("agent"), OK);
	CHECK_ERR(push_as("agent"), ERR_THROTTLED);
	CHECK(wish.refusal.retry_after > 0);
	params.source = STR("192.0.2.1");
	wish = (struct authorize_wish){ .params = params };
	CHECK_ERR(world_run(&office.world.home, push_step, NULL), OK);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(push_as("agent"), OK);
}

static enum err push_from(struct str source)
{
	wish = (struct authorize_wish){ .params = office_params(&office, "agent", "mail.read") };
	wish.params.source = source;
	return world_run(&office.world.home, push_step, NULL);
}

static void all_push_3000_for_one_public_client(void **state)
{
	static const struct str sources[] = { STR_INIT("10.0.0.1"), STR_INIT("10.0.0.2"),
					      STR_INIT("10.0.0.3"), STR_INIT("10.0.0.4"),
					      STR_INIT("10.0.0.5"), STR_INIT("10.0.0.6"),
					      STR_INIT("10.0.0.7"), STR_INIT("10.0.0.8"),
					      STR_INIT("10.0.0.9"), STR_INIT("10.0.1.0") };

	(void)state;
	for (int i = 0; i < 3000; i++)
		CHECK_ERR(push_from(sources[i / 300]), OK);
	CHECK_ERR(push_from(STR("192.0.2.1")), ERR_THROTTLED);
	CHECK(wish.refusal.retry_after > 0);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(push_from(STR("192.0.2.1")), OK);
}

static void a_sign_in_between_push_and_opening_is_none_for_it(void **state)
{
	struct session session = { .user_id = office.alice.id };
	struct consent_asked asked = { STR_NONE, STR("one"), STR("127.0.0.1"), &session,
				       &office.alice };
	struct consent_view view;

	(void)state;
	wish = (struct authorize_wish){ .params = office_params(&office, "agent", "mail.read") };
	wish.params.prompt = STR("login");
	CHECK_ERR(world_run(&office.world.home, push_step, NULL), OK);
	asked.request_id = wish.request.id;
	office_wait(&office, 1000);
	session.created_at = office.world.clock.now;
	office_wait(&office, 1000);
	CHECK_ERR(take_with("one", "agent"), OK);
	CHECK_ERR(consent_show(world_task(&office.world), &office.authority, &asked, &view),
		  ERR_LOGIN_REQUIRED);
	session.created_at = office.world.clock.now;
	CHECK_ERR(consent_show(world_task(&office.world), &office.authority, &asked, &view), OK);
}

static void one_that_a_browser_opened_lasts_an_hour(void **state)
{
	struct session session = { .user_id = office.alice.id };
	struct consent_asked asked = { STR_NONE, STR("one"), STR("127.0.0.1"), &session,
				       &office.alice };
	struct consent_view view;

	(void)state;
	CHECK_ERR(push_as("agent"), OK);
	asked.request_id = wish.request.id;
	CHECK_ERR(take_with("one", "agent"), OK);
	office_wait(&office, HOUR_MS - 1);
	CHECK_ERR(consent_show(world_task(&office.world), &office.authority, &asked, &view), OK);
	office_wait(&office, 1);
	CHECK_ERR(consent_show(world_task(&office.world), &office.authority, &asked, &view),
		  ERR_NOT_FOUND);
}

static const struct {
	struct str uri;
	bool is_ours;
} uris[] = {
	{ STR_INIT("urn:ietf:params:oauth:request_uri:req_abcdefghijklmnopqrstuvwxyz"), true },
	{ STR_INIT("urn:ietf:params:oauth:request_uri:req_abcdefghijklmnopqrstuvwxy"), false },
	{ STR_INIT("urn:ietf:params:oauth:request_uri:fam_abcdefghijklmnopqrstuvwxyz"), false },
	{ STR_INIT("urn:ietf:params:oauth:request_uri:"), false },
	{ STR_INIT("URN:ietf:params:oauth:request_uri:req_abcdefghijklmnopqrstuvwxyz"), false },
	{ STR_INIT("http://169.254.169.254/"), false },
	{ STR_INIT(""), false },
};

static void a_request_uri_of_ours_is_told_from_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(uris); i++)
		CHECK_ROW(pushed_is_meant(uris[i].uri) == uris[i].is_ours, "%s\n", uris[i].uri.at);
	CHECK(!pushed_is_meant(STR_NONE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_pushed_request_is_its_first_browsers),
		TEST(a_pushed_request_is_its_clients),
		TEST(a_pushed_request_lasts_a_minute),
		TEST(a_proof_binds_what_is_pushed),
		TEST(a_sign_in_between_push_and_opening_is_none_for_it),
		TEST(one_that_a_browser_opened_lasts_an_hour),
		TEST(what_one_address_pushes_for_a_public_client_is_not_anothers_measure),
		TEST(all_push_3000_for_one_public_client),
		TEST(a_request_uri_of_ours_is_told_from_others),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}

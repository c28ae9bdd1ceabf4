/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

#include "base/json.h"
#include "grant_cli/login_text.h"
#include "grant_cli/say.h"

struct world {
	struct check_clock clock;
	struct log log;
	struct task task;
};

static void world_begin(struct world *world)
{
	memset(world, 0, sizeof(*world));
	check_clock_start(&world->clock);
	world->log.fd = -1;
	task_begin(&world->task, &world->clock.clock, &world->log);
}

static const struct login some_login = {
	.id = STR_INIT("log_1"),
	.issuer = STR_INIT("https://as.example"),
	.client_id = STR_INIT("reader"),
	.resource = STR_INIT("https://rs.example/r/mail"),
	.scope = STR_INIT("mail.read mail.list"),
	.token_endpoint = STR_INIT("https://as.example/token"),
	.created_at = CHECK_NOW,
	.access_token = STR_INIT("planted-access"),
	.refresh_token = STR_INIT("planted-refresh"),
};

static void the_command_can_be_pasted_into_a_shell(void **state)
{
	struct world world;
	struct login login = some_login;

	(void)state;
	world_begin(&world);
	login.ca_file = STR("/tmp/o'neil; rm -rf x.pem");
	CHECK_STR(login_command(&world.task, &login),
		  STR("grant login --issuer https://as.example --client reader --resource "
		      "https://rs.example/r/mail --scope 'mail.read mail.list' --ca "
		      "'/tmp/o'\\''neil; rm -rf x.pem'"));
	task_end(&world.task);
}

static void a_listed_login_shows_no_token(void **state)
{
	struct world world;
	struct buf buf;
	struct json_writer json;
	struct str text;

	(void)state;
	world_begin(&world);
	buf = buf_in(&world.task.arena, 4096);
	json = json_write_to(&buf);
	json_open_object(&json);
	login_members(&world.task, &json, &some_login);
	json_close(&json);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK(strstr(text.at, "\"status\":\"active\"") != NULL);
	CHECK(strstr(text.at, "\"expires_at\":null") != NULL);
	CHECK(strstr(text.at, "planted") == NULL);
	task_end(&world.task);
}

static void a_status_follows_the_end_and_the_reason(void **state)
{
	struct login login = some_login;

	(void)state;
	CHECK(strcmp(login_status(&login, CHECK_NOW), "active") == 0);
	login.expires_at = CHECK_NOW;
	CHECK(strcmp(login_status(&login, CHECK_NOW - 1), "active") == 0);
	CHECK(strcmp(login_status(&login, CHECK_NOW), "expired") == 0);
	login.ended = STR("because");
	CHECK(strcmp(login_status(&login, CHECK_NOW), "ended") == 0);
}

static void a_login_survives_its_text_and_a_wrong_text_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"[]",
		"{\"version\":2}",
		"{\"version\":1,\"id\":\"a\"}",
		"{\"version\":1,\"id\":7,\"issuer\":\"a\","
		"\"client_id\":\"b\",\"token_endpoint\":\"c\","
		"\"created_at\":1,\"expires_at\":0,\"last_used_at\":1,\"access_expires_at\":1}",
		"{\"version\":1,\"id\":\"a\","
		"\"issuer\":\"a\",\"client_id\":\"b\",\"token_endpoint\":"
		"\"c\",\"created_at\":\"1\",\"expires_at\":0,\"last_used_at\":1,"
		"\"access_expires_at\":1}",
	};
	struct world world;
	struct login back;
	struct str text;

	(void)state;
	world_begin(&world);
	CHECK_ERR(login_print(&world.task, &some_login, &text), OK);
	CHECK_ERR(login_parse(&world.task, text, &back), OK);
	CHECK_STR(back.scope, some_login.scope);
	CHECK_STR(back.refresh_token, some_login.refresh_token);
	CHECK(back.created_at == CHECK_NOW && back.revocation_endpoint.at == NULL);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK_ERR(login_parse(&world.task, str_from_c(wrong[i]), &back), ERR_SYNTAX);
	task_end(&world.task);
}

int main(void)
{
	return RUN(cmocka_unit_test(the_command_can_be_pasted_into_a_shell),
		   cmocka_unit_test(a_listed_login_shows_no_token),
		   cmocka_unit_test(a_status_follows_the_end_and_the_reason),
		   cmocka_unit_test(a_login_survives_its_text_and_a_wrong_text_is_refused));
}

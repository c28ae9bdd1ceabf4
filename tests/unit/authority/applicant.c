/* SPDX-License-Identifier: Apache-2.0 */
#include "applicant.h"

#include "store/clients.h"
#include "store/sql.h"

#define LAPTOP                                                                                     \
	"{\"redirect_uris\":[\"http://127.0.0.1/callback\"],\"client_name\":\"Laptop\","           \
	"\"grant_types\":[\"authorization_code\",\"refresh_token\"],"                              \
	"\"token_endpoint_auth_method\":\"none\"}"

static STATEMENT CLIENT_COUNT = { "SELECT count(*) FROM clients WHERE kind = 'registered'" };

struct task *now(void)
{
	return world_task(&office.world);
}

enum err open_step(struct task *task, void *arg)
{
	return registration_open(task, &office.authority, arg, office_finished);
}

enum err change_step(struct task *task, void *arg)
{
	return registration_change(task, &office.authority, arg, office_finished);
}

enum err delete_step(struct task *task, void *arg)
{
	return registration_delete(task, &office.authority, arg, office_finished);
}

enum err register_from(const char *source, struct registering *registering)
{
	*registering = (struct registering){ .body = STR(LAPTOP),
					     .source = str_from_c(source),
					     .token = registering->token };
	now();
	return world_run(&office.world.home, open_step, registering);
}

struct registering registered(void)
{
	struct registering registering = { 0 };

	CHECK_ERR(register_from("192.0.2.1", &registering), OK);
	registering.client_id = registering.client.id;
	registering.token = registering.access_token;
	return registering;
}

int64_t clients(void)
{
	int64_t count = 0;

	CHECK_ERR(sql_one_int(now(), world_reader(&office.world), &CLIENT_COUNT, NO_ARGS, &count),
		  OK);
	return count;
}

bool is_there(struct str id)
{
	struct client client;
	enum err err = client_find(now(), world_reader(&office.world), id, &client);

	CHECK(err == OK || err == ERR_NOT_FOUND);
	return err == OK;
}

bool is_let_in(struct str id)
{
	struct client client;

	return client_find(now(), world_reader(&office.world), id, &client) == OK &&
	       client.status == CLIENT_ACTIVE;
}

void configure(const char *text)
{
	struct config_source source = { .dir = office.world.dir };
	const struct config *config = NULL;

	office_write(&office, "grantd.conf", text);
	CHECK_ERR(config_load(now(), &source, &config), OK);
	config_live_swap(office.live, config);
}

static enum err write_expiry(struct task *task, struct db *db, void *arg)
{
	return registration_expire(task, db, &office.authority, 100, arg);
}

void expire(void)
{
	struct expired expired = { 0 };

	CHECK_ERR(world_write(&office.world, write_expiry, &expired), OK);
}

enum err update(struct registering *one)
{
	enum err err;

	one->body = STR_JOIN(&now()->arena, STR("{\"client_id\":\""), one->client_id,
			     STR("\",\"redirect_uris\":[\"https://app.example/cb\"]}"));
	err = world_run(&office.world.home, change_step, one);
	if (err == OK)
		one->token = one->access_token;
	return err;
}

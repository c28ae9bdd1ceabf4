/* SPDX-License-Identifier: Apache-2.0 */
#include "counter.h"

#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "crypto/digest.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/users.h"

static enum err reload(struct task *task, void *context)
{
	struct counter *counter = context;
	struct config_source source = { .dir = counter->office.world.dir, .digest = sha256 };
	const struct config *config = NULL;

	counter->reloads++;
	TRY(config_load(task, &source, &config));
	config_live_swap(counter->office.live, config);
	return OK;
}

static struct str resource_file(struct task *task, const struct counter *counter, struct str name)
{
	return STR_JOIN(&task->arena, counter->office.world.dir, STR("/resources/"), name,
			STR(".json"));
}

/* What grantd has another process do (grantd/errands). */
static void remember(struct task *task, struct counter *counter, struct str name)
{
	struct str old = STR_NONE;

	if (file_read(task, resource_file(task, counter, name), RESOURCE_FILE_MAX, &old) != OK)
		task_forgive(task);
	counter->replaced = str_copy(&counter->arena, name);
	counter->old = old.at == NULL ? STR_NONE : str_copy(&counter->arena, old);
}

static enum err put_resource(struct task *task, void *context, struct str name, struct str text)
{
	struct counter *counter = context;
	struct resource resource;

	TRY(resource_parse(task, name, text, counter->office.world.dir, sha256, &resource));
	remember(task, counter, name);
	return file_replace(task, resource_file(task, counter, name), text, 0600);
}

static enum err remove_resource(struct task *task, void *context, struct str name)
{
	struct counter *counter = context;

	remember(task, counter, name);
	return file_remove(task, resource_file(task, counter, name));
}

static enum err undo_resource(struct task *task, void *context)
{
	struct counter *counter = context;
	struct str path = resource_file(task, counter, counter->replaced);

	return counter->old.at == NULL ? file_remove(task, path)
				       : file_replace(task, path, counter->old, 0600);
}

void counter_open(struct counter *counter)
{
	static const struct admin_walls walls = { .is_wanted = true, .landlock = 2 };
	static const gid_t group = COUNTER_GROUP;
	struct admin_config config = { .authority = &counter->office.authority,
				       .reload = reload,
				       .reload_context = counter,
				       .put_resource = put_resource,
				       .remove_resource = remove_resource,
				       .undo_resource = undo_resource,
				       .errands = counter,
				       .walls = &walls,
				       .group = &group };

	*counter = (struct counter){ .peer = { .is_unix = true, .uid = geteuid() },
				     .type = STR("application/json") };
	office_open(&counter->office);
	CHECK_ERR(admin_open(world_task(&counter->office.world), &config, &counter->admin), OK);
}

void counter_close(struct counter *counter)
{
	json_unref(&counter->answer);
	knock_free(&counter->exchange);
	admin_free(&counter->admin);
	arena_free(&counter->arena);
	office_close(&counter->office);
}

unsigned counter_send(struct counter *counter, const char *method, const char *target,
		      struct str body)
{
	struct exchange *exchange = knock_new(&counter->office.world, method, str_from_c(target));
	unsigned status;

	exchange->request.peer = counter->peer;
	if (body.at != NULL)
		knock_body(exchange, counter->type, body);
	status = knock(exchange, admin_door(counter->admin));
	json_unref(&counter->answer);
	knock_free(&counter->exchange);
	counter->exchange = exchange;
	CHECK_ERR(json_parse(&exchange->task, exchange->reply.body, 1 << 20, &counter->answer), OK);
	return status;
}

unsigned counter_ask(struct counter *counter, const char *method, const char *target,
		     const char *body)
{
	return counter_send(counter, method, target, str_from_c(body));
}

struct str counter_text(const struct counter *counter, const char *member)
{
	return json_get_str(counter->answer, member);
}

void counter_refuses(const struct counter *counter, const char *word, const char *what)
{
	struct str message = counter_text(counter, "message");

	CHECK_STR(counter_text(counter, "error"), str_from_c(word));
	CHECK_ROW(memmem(message.at, message.len, what, strlen(what)) != NULL,
		  "\"%.*s\" does not say \"%s\"\n", STR_FMT(message), what);
}

size_t counter_rows(struct counter *counter)
{
	struct task *task = world_task(&counter->office.world);
	struct db *db = world_reader(&counter->office.world);
	struct event_filter filter = { 0 };
	struct client *clients = NULL;
	struct event *events = NULL;
	struct user *users = NULL;
	size_t client_count = 0, event_count = 0, user_count = 0;

	CHECK_ERR(client_list(task, db, STR_NONE, 1000, &clients, &client_count), OK);
	CHECK_ERR(event_list(task, db, &filter, 1000, &events, &event_count), OK);
	CHECK_ERR(user_list(task, db, STR_NONE, 1000, &users, &user_count), OK);
	return client_count + event_count + user_count;
}

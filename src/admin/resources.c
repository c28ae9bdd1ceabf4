/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/resources as files: a change is checked, written whole, taken up, and undone when that is
 * refused. */
#include "config/file.h"

#include "admin/room.h"
#include "store/grants.h"

static struct str path_of(struct exchange *exchange, struct str name)
{
	const struct config *config = authority_config(admin_authority(exchange));

	return STR_JOIN(&exchange->task.arena, config->dir, STR("/resources/"), name, STR(".json"));
}

/* A name from outside becomes part of a path: so it must look like one of ours first. */
static enum err check_name(struct exchange *exchange, struct str *ret_name)
{
	struct str name = exchange->request.params[0];

	if (!resource_name_is_valid(name))
		return fail(&exchange->task, ERR_REQUEST,
			    "a resource's name is 1 to 64 of a-z, 0-9 and - inside");
	*ret_name = name;
	return OK;
}

static void write_scopes(struct json_writer *json, const struct resource *resource)
{
	json_key(json, "scopes");
	json_open_array(json);
	for (size_t i = 0; i < resource->scope_count; i++)
		json_add_str(json, resource->scopes[i].name);
	json_close(json);
}

static enum err write_resource(struct exchange *exchange, struct json_writer *json,
			       const void *item)
{
	const struct resource *resource = item;

	(void)exchange;
	json_member_str(json, "name", resource->name);
	json_member_str(json, "uri", resource->uri);
	json_member_str(json, "title", resource->title);
	json_member_str(json, "enforced_by",
			resource->enforced_by_gateway ? STR("gateway") : STR("resource"));
	json_member_str(json, "checks",
			resource->checks_locally ? STR("local") : STR("introspection"));
	write_scopes(json, resource);
	return OK;
}

static const struct list_shape list_shape = { "resources", sizeof(struct resource),
					      offsetof(struct resource, name), write_resource };

/* All at once: there are as many as a person keeps files of. */
enum err resources_list(struct exchange *exchange)
{
	const struct config *config = authority_config(admin_authority(exchange));

	return admin_answer_list(exchange, &list_shape, config->resources, config->resource_count,
				 INT64_MAX);
}

enum err resources_show(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct str name, text;

	TRY(check_name(exchange, &name));
	if (config_find_resource_named(authority_config(admin_authority(exchange)), name) == NULL)
		return fail(task, ERR_NOT_FOUND, "there is no resource of that name");
	TRY(file_read(task, path_of(exchange, name), RESOURCE_FILE_MAX, &text));
	reply_with(exchange, 200, STR("application/json"), text);
	return OK;
}

static enum err put_file(struct exchange *exchange, struct str name, struct str text)
{
	const struct admin_config *config = &admin_of(exchange)->config;

	return config->put_resource(&exchange->task, config->errands, name, text);
}

static enum err remove_file(struct exchange *exchange, struct str name)
{
	const struct admin_config *config = &admin_of(exchange)->config;

	return config->remove_resource(&exchange->task, config->errands, name);
}

/* Takes the folder up as it now is; when that is refused it is put back as it was, and the reason
 * stays. */
static enum err take_up(struct exchange *exchange)
{
	const struct admin *admin = admin_of(exchange);
	struct task *task = &exchange->task;
	enum err err = admin->config.reload(task, admin->config.reload_context);
	struct str reason = task->reason;

	if (err == OK)
		return OK;
	if (admin->config.undo_resource(task, admin->config.errands) != OK)
		log_error(task, "resource.not_undone", LOG_STR("reason", task->reason));
	task_note(task, err, reason);
	return err;
}

static enum err put_locked(struct exchange *exchange, struct str name)
{
	TRY(put_file(exchange, name, exchange->request.body));
	return take_up(exchange);
}

static enum err answer_resource(struct exchange *exchange, struct str name)
{
	const struct resource *resource =
		config_find_resource_named(authority_config(admin_authority(exchange)), name);
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	if (resource == NULL)
		return fail(&exchange->task, ERR_NOT_FOUND, "it was removed meanwhile");
	json_open_object(&json);
	TRY(write_resource(exchange, &json, resource));
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

static pthread_mutex_t *lock_of(const struct exchange *exchange)
{
	struct admin *admin = exchange->door->context;

	return &admin->resources;
}

enum err resources_put(struct exchange *exchange)
{
	struct str name;
	enum err err;

	TRY(check_name(exchange, &name));
	pthread_mutex_lock(lock_of(exchange));
	err = put_locked(exchange, name);
	pthread_mutex_unlock(lock_of(exchange));
	TRY(err);
	return answer_resource(exchange, name);
}

/* Every page of grants, until one is found that still lives on that resource. */
static enum err check_unused(struct exchange *exchange, struct str uri)
{
	struct task *task = &exchange->task;
	struct str after = STR_NONE;
	struct grant *grants = NULL;
	struct db *db = NULL;
	size_t count = ADMIN_LIST_MAX;

	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	while (count == ADMIN_LIST_MAX) {
		TRY(grant_list(task, db, &(struct grant_page){ STR_NONE, after, ADMIN_LIST_MAX },
			       &grants, &count));
		for (size_t i = 0; i < count; i++) {
			enum grant_status status = grant_status_at(&grants[i], task->now);

			after = grants[i].id;
			if (str_equals(grants[i].resource, uri) &&
			    (status == GRANT_ACTIVE || status == GRANT_PAUSED))
				return failf(task, ERR_CONFLICT,
					     "people still let agents use it (grant %.*s); revoke "
					     "those grants first, or remove it with force",
					     STR_FMT(grants[i].id));
		}
	}
	return OK;
}

static enum err remove_locked(struct exchange *exchange, struct str name, bool force)
{
	const struct resource *resource =
		config_find_resource_named(authority_config(admin_authority(exchange)), name);
	struct task *task = &exchange->task;

	if (resource == NULL)
		return fail(task, ERR_NOT_FOUND, "there is no resource of that name");
	if (!force)
		TRY(check_unused(exchange, resource->uri));
	TRY(remove_file(exchange, name));
	return take_up(exchange);
}

enum err resources_remove(struct exchange *exchange)
{
	static const char *const allowed[] = { "force", NULL };
	struct list_query query;
	struct str name;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);
	enum err err;

	TRY(check_name(exchange, &name));
	TRY(admin_query(exchange, allowed, &query));
	pthread_mutex_lock(lock_of(exchange));
	err = remove_locked(exchange, name, query.force.at != NULL);
	pthread_mutex_unlock(lock_of(exchange));
	TRY(err);
	json_open_object(&json);
	json_member_str(&json, "removed", name);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/room.h"
#include "crypto/random.h"
#include "store/nodes.h"
#include "store/users.h"

#define HASH_SHOWN 8

enum err admin_id(struct exchange *exchange, const char *prefix, struct str *ret_id)
{
	struct str id = exchange->request.params[0];

	if (!id_is_valid(id, prefix))
		return failf(&exchange->task, ERR_NOT_FOUND, "there is no %s of that id",
			     prefix[0] == 'g' ? "grant" : "event");
	*ret_id = id;
	return OK;
}

static enum err write_nodes(struct task *task, struct db *db, struct json_writer *json)
{
	struct node *nodes = NULL;
	size_t count = 0;

	TRY(node_list(task, db, 0, &nodes, &count));
	json_key(json, "nodes");
	json_open_array(json);
	for (size_t i = 0; i < count; i++) {
		json_open_object(json);
		json_member_str(json, "name", nodes[i].name);
		json_member_str(json, "version", nodes[i].version);
		json_member_str(json, "seen", clock_format(&task->arena, nodes[i].seen_at));
		/* enough to see which differ */
		json_member_str(json, "settings", str_sub(nodes[i].settings, 0, HASH_SHOWN));
		json_member_str(json, "resources", str_sub(nodes[i].resources, 0, HASH_SHOWN));
		json_close(json);
	}
	json_close(json);
	return OK;
}

enum err status_show(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	const struct authority *authority = admin_authority(exchange);
	const struct config *config = authority_config(authority);
	struct db *db = NULL;
	int64_t users = 0;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(store_reader(task, authority->store, &db));
	TRY(user_count(task, db, &users));
	json_open_object(&json);
	json_member_str(&json, "version", STR(GRANTD_VERSION));
	json_member_str(&json, "issuer", config->issuer);
	json_member_str(&json, "listen", config->listen);
	json_member_int(&json, "users", users);
	json_member_int(&json, "resources", (int64_t)config->resource_count);
	json_member_str(&json, "time", clock_format(&task->arena, task->now));
	if (store_is_shared(authority->store))
		TRY(write_nodes(task, db, &json));
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

enum err sandbox_show(struct exchange *exchange)
{
	const struct admin_walls *walls = admin_of(exchange)->config.walls;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	json_open_object(&json);
	json_member_int(&json, "network_pid", walls->network);
	json_member_int(&json, "keyd_pid", walls->keys);
	json_member_int(&json, "errands_pid", walls->errands);
	json_member_bool(&json, "wanted", walls->is_wanted);
	json_member_int(&json, "landlock", walls->landlock);
	json_member_bool(&json, "filtered", walls->is_filtered);
	json_member_bool(&json, "root_key_out_of_reach", walls->hides_root);
	json_member_bool(&json, "memory_hidden", walls->hides_memory);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

enum err reload_call(struct exchange *exchange)
{
	const struct admin *admin = admin_of(exchange);
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(admin->config.reload(&exchange->task, admin->config.reload_context));
	json_open_object(&json);
	json_member_bool(&json, "reloaded", true);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

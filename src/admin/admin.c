/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/admin.h"

#include <stdlib.h>

#include "admin/backup.h"
#include "admin/room.h"

/* Asks who is there before anything else; the real handler stands behind its route in the table
 * below. */
static enum err guarded(struct exchange *exchange);

struct call {
	enum err (*run)(struct exchange *exchange);
	const char *method;
	const char *path;
	enum lane lane;
	unsigned flags;
};

static const struct call calls[] = {
	{ status_show, "GET", "/v1/status", LANE_PAGES, 0 },
	{ sandbox_show, "GET", "/v1/sandbox", LANE_PAGES, 0 },
	{ reload_call, "POST", "/v1/reload", LANE_PAGES, 0 },
	{ users_list, "GET", "/v1/users", LANE_PAGES, 0 },
	{ users_create, "POST", "/v1/users", LANE_SLOW, ROUTE_JSON },
	{ users_show, "GET", "/v1/users/{name}", LANE_PAGES, 0 },
	{ users_disable, "POST", "/v1/users/{name}/disable", LANE_PAGES, 0 },
	{ users_enable, "POST", "/v1/users/{name}/enable", LANE_PAGES, 0 },
	{ users_password, "POST", "/v1/users/{name}/password", LANE_SLOW, ROUTE_JSON },
	{ clients_list, "GET", "/v1/clients", LANE_PAGES, 0 },
	{ clients_create, "POST", "/v1/clients", LANE_PAGES, ROUTE_JSON },
	{ clients_show, "GET", "/v1/clients/{id}", LANE_PAGES, 0 },
	{ clients_update, "PATCH", "/v1/clients/{id}", LANE_PAGES, ROUTE_JSON },
	{ clients_remove, "DELETE", "/v1/clients/{id}", LANE_PAGES, 0 },
	{ clients_disable, "POST", "/v1/clients/{id}/disable", LANE_PAGES, 0 },
	{ clients_enable, "POST", "/v1/clients/{id}/enable", LANE_PAGES, 0 },
	{ register_tokens_list, "GET", "/v1/register-tokens", LANE_PAGES, 0 },
	{ register_tokens_create, "POST", "/v1/register-tokens", LANE_PAGES, ROUTE_JSON },
	{ register_tokens_revoke, "POST", "/v1/register-tokens/{id}/revoke", LANE_PAGES, 0 },
	{ clients_pin, "POST", "/v1/clients/{id}/pin", LANE_PAGES, ROUTE_JSON },
	{ clients_unpin, "POST", "/v1/clients/{id}/unpin", LANE_PAGES, 0 },
	{ grants_list, "GET", "/v1/grants", LANE_PAGES, 0 },
	{ grants_show, "GET", "/v1/grants/{id}", LANE_PAGES, 0 },
	{ grants_pause, "POST", "/v1/grants/{id}/pause", LANE_PAGES, 0 },
	{ grants_resume, "POST", "/v1/grants/{id}/resume", LANE_PAGES, 0 },
	{ grants_revoke, "POST", "/v1/grants/{id}/revoke", LANE_PAGES, 0 },
	{ events_list, "GET", "/v1/events", LANE_PAGES, 0 },
	{ events_show, "GET", "/v1/events/{id}", LANE_PAGES, 0 },
	{ backup_show, "GET", "/v1/backup", LANE_PAGES, 0 },
	{ backup_begin, "POST", "/v1/backup", LANE_PAGES, ROUTE_JSON },
	{ keys_list, "GET", "/v1/keys", LANE_PAGES, 0 },
	{ keys_rotate, "POST", "/v1/keys/rotate", LANE_SLOW, ROUTE_JSON },
	{ root_keys_list, "GET", "/v1/root-keys", LANE_PAGES, 0 },
	{ root_keys_rewrap, "POST", "/v1/root-keys/rewrap", LANE_PAGES, 0 },
	{ resources_list, "GET", "/v1/resources", LANE_PAGES, 0 },
	{ resources_show, "GET", "/v1/resources/{name}", LANE_PAGES, 0 },
	{ resources_put, "PUT", "/v1/resources/{name}", LANE_PAGES, ROUTE_JSON },
	{ resources_remove, "DELETE", "/v1/resources/{name}", LANE_PAGES, 0 },
};

struct admin_room {
	struct admin admin; /* first */
	struct route routes[COUNT_OF(calls)];
};

static enum err guarded(struct exchange *exchange)
{
	size_t index = (size_t)(exchange->route - exchange->door->routes);

	TRY(admin_check_peer(exchange));
	return calls[index].run(exchange);
}

enum err admin_open(struct task *task, const struct admin_config *config, struct admin **ret_admin)
{
	struct admin_room *room = calloc(1, sizeof(*room));

	if (room == NULL)
		return fail(task, ERR_INTERNAL, "out of memory");
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		room->routes[i] = (struct route){ calls[i].method, calls[i].path, guarded,
						  calls[i].lane, calls[i].flags };
	room->admin.config = *config;
	room->admin.backup = backup_new(config->authority);
	pthread_mutex_init(&room->admin.resources, NULL);
	room->admin.door = (struct door){ .routes = room->routes,
					  .route_count = COUNT_OF(calls),
					  .context = &room->admin,
					  .refuse = admin_refuse,
					  .finish = admin_finish };
	*ret_admin = &room->admin;
	return OK;
}

void admin_free(struct admin **admin)
{
	if (*admin == NULL)
		return;
	backup_free(&(*admin)->backup);
	pthread_mutex_destroy(&(*admin)->resources);
	free(*admin);
	*admin = NULL;
}

const struct door *admin_door(const struct admin *admin)
{
	return &admin->door;
}

const struct admin *admin_of(const struct exchange *exchange)
{
	return exchange->door->context;
}

const struct authority *admin_authority(const struct exchange *exchange)
{
	return admin_of(exchange)->config.authority;
}

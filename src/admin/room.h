/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of the admin API share. Private to admin. */
#pragma once

#include <pthread.h>

#include "admin/admin.h"
#include "config/members.h"
#include "model/event.h"
#include "model/grant.h"
#include "model/user.h"
#include "store/store.h"

#define ADMIN_ANSWER_MAX (4 * 1024 * 1024)
#define ADMIN_LIST_MAX	 200

struct admin {
	struct admin_config config;
	struct door door;
	struct backup *backup;
	pthread_mutex_t resources; /* one change of DIR/resources at a time */
};

/* The calls, one file per noun. */
enum err status_show(struct exchange *exchange);
enum err sandbox_show(struct exchange *exchange);
enum err reload_call(struct exchange *exchange);
enum err users_list(struct exchange *exchange);
enum err users_create(struct exchange *exchange);
enum err users_show(struct exchange *exchange);
enum err users_disable(struct exchange *exchange);
enum err users_enable(struct exchange *exchange);
enum err users_password(struct exchange *exchange);
enum err clients_list(struct exchange *exchange);
enum err clients_create(struct exchange *exchange);
enum err clients_show(struct exchange *exchange);
enum err clients_update(struct exchange *exchange);
enum err clients_remove(struct exchange *exchange);
enum err clients_disable(struct exchange *exchange);
enum err clients_enable(struct exchange *exchange);
enum err register_tokens_list(struct exchange *exchange);
enum err register_tokens_create(struct exchange *exchange);
enum err register_tokens_revoke(struct exchange *exchange);
enum err clients_pin(struct exchange *exchange);
enum err clients_unpin(struct exchange *exchange);
enum err grants_list(struct exchange *exchange);
enum err grants_show(struct exchange *exchange);
enum err grants_pause(struct exchange *exchange);
enum err grants_resume(struct exchange *exchange);
enum err grants_revoke(struct exchange *exchange);
enum err events_list(struct exchange *exchange);
enum err events_show(struct exchange *exchange);
enum err backup_show(struct exchange *exchange);
enum err backup_begin(struct exchange *exchange);
enum err keys_list(struct exchange *exchange);
enum err keys_rotate(struct exchange *exchange);
enum err root_keys_list(struct exchange *exchange);
enum err root_keys_rewrap(struct exchange *exchange);
enum err resources_list(struct exchange *exchange);
enum err resources_show(struct exchange *exchange);
enum err resources_put(struct exchange *exchange);
enum err resources_remove(struct exchange *exchange);

/* ERR_FORBIDDEN unless the peer is root, our own user, or of the admin group. */
MUST_CHECK enum err admin_check_peer(struct exchange *exchange);
/* Words a refusal, and logs it. */
void admin_refuse(struct exchange *exchange, enum err err);
void admin_finish(struct exchange *exchange);

const struct admin *admin_of(const struct exchange *exchange);
const struct authority *admin_authority(const struct exchange *exchange);

/* The body as an object with those members and no others; free with json_unref. ERR_REQUEST. */
MUST_CHECK enum err admin_body(struct exchange *exchange, const struct member *members,
			       size_t count, json_t **ret_body);

/* What a list was asked for. Unknown or repeated names in the query are ERR_REQUEST. */
struct list_query {
	struct str after; /* STR_NONE: from the first */
	struct str user, client, grant, force;
	int64_t limit;
};

/* allowed: names that this call knows, NULL-terminated. */
MUST_CHECK enum err admin_query(struct exchange *exchange, const char *const *allowed,
				struct list_query *ret_query);

/* Begins an answer of JSON; admin_answer ends it with a status. */
struct json_writer admin_json(struct exchange *exchange, struct buf *buf);
MUST_CHECK enum err admin_answer(struct exchange *exchange, unsigned status, struct buf *buf);
/* A time as RFC 3339, or null for 0 and NEVER. */
void member_time(struct json_writer *json, struct arena *arena, const char *key, int64_t wall_ms);
/* A text, or null when absent. */
void member_text(struct json_writer *json, const char *key, struct str value);

/* How the items of a list are answered. */
struct list_shape {
	const char *name;     /* "clients" */
	size_t item_size;     /* of the struct in the array */
	size_t cursor_offset; /* of the struct str in it behind which the next page begins */
	/* Adds the members of one item to an object that is open. */
	enum err (*write)(struct exchange *exchange, struct json_writer *json, const void *item);
};

/* {"NAME": [ … ], "next": CURSOR or null}; fewer items than limit are the last page. */
MUST_CHECK enum err admin_answer_list(struct exchange *exchange, const struct list_shape *shape,
				      const void *items, size_t count, int64_t limit);
/* The person of that name. ERR_NOT_FOUND. */
MUST_CHECK enum err admin_find_user(struct exchange *exchange, struct str username,
				    struct user *ret_user);

/* As "id" from the path must look; ERR_NOT_FOUND otherwise. */
MUST_CHECK enum err admin_id(struct exchange *exchange, const char *prefix, struct str *ret_id);

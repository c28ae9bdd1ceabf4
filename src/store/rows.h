/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nouns that more than one question reads from a row (standing.c joins them), and the columns they
 * are read from in this order. The prefix names the table in a join.
 */
#pragma once

#include "model/client.h"
#include "model/family.h"
#include "model/grant.h"
#include "model/user.h"
#include "store/sql.h"

/* Of grants, as row_grant reads them. */
#define GRANT_COLUMNS                                                                              \
	"id, user_id, client_id, resource, basis, created_at, updated_at, expires_at, paused_at,"  \
	" operator_paused_at, restored_at, revoked_at, revoked_by, last_used_at, delegates"

/* Of users u and user_keys k, as row_user_with_key reads them. */
#define USER_COLUMNS                                                                               \
	"u.id, u.username, u.sealed_profile, u.version, u.created_at, u.disabled_at, k.wrapped_key"

/* All but the last of USER_COLUMNS. */
void row_user(struct task *task, struct sql_row *row, struct user *user);
void row_user_with_key(struct task *task, struct sql_row *row, struct user *user);
enum err row_client(struct task *task, struct sql_row *row, struct client *client);
enum err row_grant(struct task *task, struct sql_row *row, struct grant *grant);
enum err row_family(struct task *task, struct sql_row *row, struct family *family);

/* A scope set kept as text; ERR_STORE if the column holds something else. */
enum err row_scope(struct task *task, struct sql_row *row, struct scope_set *set);

/* authorization_details kept as text. ERR_STORE. */
struct details;
enum err row_details(struct task *task, struct sql_row *row, struct details *details);

/* Reads the permissions of a grant that was read. */
enum err grant_read_permissions(struct task *task, struct db *db, struct grant *grant);

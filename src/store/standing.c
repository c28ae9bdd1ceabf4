/* SPDX-License-Identifier: Apache-2.0 */
/* All that a decision looks at: one joined read, and one for the permissions. */
#include "model/standing.h"

#include "base/task.h"
#include "store/families.h"
#include "store/rows.h"

#define STANDING_COLUMNS                                                                           \
	"g.id, g.user_id, g.client_id, g.resource, g.basis, g.created_at, "                        \
	"g.updated_at, g.expires_at, g.paused_at, g.operator_paused_at, g.restored_at, "           \
	"g.revoked_at, g.revoked_by, g.last_used_at, g.delegates, u.id, u.username, "              \
	"u.sealed_profile, u.version, u.created_at, u.disabled_at, "                               \
	"c.id, c.name, c.kind, c.auth, c.secret_hash, c.secret_expires_at, "                       \
	"c.redirect_uris, c.grant_types, c.scope, c.resource, c.delegates_to, c.not_before, "      \
	"c.created_at, c.disabled_at, c.jwks, c.auth_alg, c.dpop_bound_at, "                       \
	"c.par_required_at, c.refresh_kept_at, c.jwks_uri, c.dpop_set_at, c.par_set_at"
#define STANDING_JOIN " JOIN users u ON u.id = g.user_id JOIN clients c ON c.id = g.client_id"

static STATEMENT STANDING_BY_FAMILY = {
	"SELECT " STANDING_COLUMNS ", f.id, f.user_id, f.grant_id, f.client_id, f.ceiling,"
	" f.key_thumbprint, f.seed, f.root_number, f.root_since, f.root_before, f.generation,"
	" f.rotation_window, f.repeats, f.repeats_day, f.auth_time, f.acr, f.created_at,"
	" f.last_used_at, f.idle_expires_at, f.revoked_at, f.revoked_why, f.details,"
	" f.paused_at, f.seen_mark"
	" FROM families f JOIN grants g ON g.id = f.grant_id" STANDING_JOIN " WHERE f.id = $1"
};
static STATEMENT STANDING_BY_GRANT = { "SELECT " STANDING_COLUMNS " FROM grants g" STANDING_JOIN
				       " WHERE g.id = $1" };

static enum err read_by_grant(struct task *task, struct sql_row *row, void *ret)
{
	struct standing *standing = ret;

	TRY(row_grant(task, row, &standing->grant));
	row_user(task, row, &standing->user);
	return row_client(task, row, &standing->client);
}

static enum err read_by_family(struct task *task, struct sql_row *row, void *ret)
{
	struct standing *standing = ret;

	TRY(read_by_grant(task, row, standing));
	return row_family(task, row, &standing->family);
}

static enum err find(struct task *task, struct db *db, const struct sql *sql, struct str id,
		     sql_read_fn *read, struct standing *ret_standing)
{
	struct standing *standing = NEW(&task->arena, struct standing);

	TRY(sql_one(task, db, sql, ARGS(sql_text(id)), read, standing));
	TRY(grant_read_permissions(task, db, &standing->grant));
	*ret_standing = *standing;
	return OK;
}

enum err standing_find_by_family(struct task *task, struct db *db, struct str family_id,
				 struct standing *ret_standing)
{
	return find(task, db, &STANDING_BY_FAMILY, family_id, read_by_family, ret_standing);
}

enum err standing_find_by_grant(struct task *task, struct db *db, struct str grant_id,
				struct standing *ret_standing)
{
	return find(task, db, &STANDING_BY_GRANT, grant_id, read_by_grant, ret_standing);
}

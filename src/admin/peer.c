/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other side of the socket: the kernel says it, nobody can claim it. */
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "admin/room.h"

#define NAMES_MAX  (16 * 1024)
#define GROUPS_MAX 256

static bool find_group(struct task *task, struct str name, gid_t *ret_gid)
{
	char *names = arena_alloc(&task->arena, NAMES_MAX);
	struct group group, *found = NULL;

	if (getgrnam_r(str_to_c(&task->arena, name), &group, names, NAMES_MAX, &found) != 0 ||
	    found == NULL)
		return false;
	*ret_gid = group.gr_gid;
	return true;
}

/* SO_PEERCRED tells the first group only; the others are the system's word about that user. */
static bool is_member(struct task *task, uid_t uid, gid_t gid)
{
	char *names = arena_alloc(&task->arena, NAMES_MAX);
	gid_t *groups = NEW_ARRAY(&task->arena, gid_t, GROUPS_MAX);
	struct passwd user, *found = NULL;
	int count = GROUPS_MAX;

	if (getpwuid_r(uid, &user, names, NAMES_MAX, &found) != 0 || found == NULL)
		return false;
	if (getgrouplist(user.pw_name, user.pw_gid, groups, &count) < 0)
		return false;
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

enum err admin_check_peer(struct exchange *exchange)
{
	const struct peer *peer = &exchange->request.peer;
	struct task *task = &exchange->task;
	struct str name = authority_config(admin_authority(exchange))->admin_group;
	gid_t gid;

	if (!peer->is_unix)
		return fail(task, ERR_FORBIDDEN, "this API answers on its unix socket only");
	if (peer->uid == 0 || peer->uid == geteuid())
		return OK;
	if (name.len > 0 && find_group(task, name, &gid) &&
	    (peer->gid == gid || is_member(task, peer->uid, gid)))
		return OK;
	return failf(
		task, ERR_FORBIDDEN,
		"user %u may not administer grantd; root, grantd's own user and the members of "
		"admin_group may",
		(unsigned)peer->uid);
}

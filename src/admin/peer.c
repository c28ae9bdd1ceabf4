/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other side of the socket: the kernel says it, nobody can claim it. */
#include <unistd.h>

#include "admin/room.h"

/*
 * The groups that the process has, and not those that /etc/group gives its user: it is what counts
 * at the socket file as well, and no file has to be read for it.
 */
static bool is_member(const struct peer *peer, const gid_t *group)
{
	if (group == NULL)
		return false;
	for (size_t i = 0; i < peer->group_count; i++)
		if (peer->groups[i] == *group)
			return true;
	return peer->gid == *group;
}

enum err admin_check_peer(struct exchange *exchange)
{
	const struct peer *peer = &exchange->request.peer;
	struct task *task = &exchange->task;

	if (!peer->is_unix)
		return fail(task, ERR_FORBIDDEN, "this API answers on its unix socket only");
	if (peer->uid == 0 || peer->uid == geteuid() ||
	    is_member(peer, admin_of(exchange)->config.group))
		return OK;
	return failf(
		task, ERR_FORBIDDEN,
		"user %u may not administer grantd; root, grantd's own user and the members of "
		"admin_group may",
		(unsigned)peer->uid);
}

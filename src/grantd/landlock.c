/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/task.h"

/* of versions 3 and 5, which Debian 12's headers do not know */
#define ACCESS_TRUNCATE	 (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define OF_FIRST	 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

#define OF_FILES                                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
	 LANDLOCK_ACCESS_FS_READ_FILE | ACCESS_TRUNCATE)

static const struct {
	unsigned use;
	uint64_t access;
} meanings[] = {
	{ LANDLOCK_READ, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR },
	{ LANDLOCK_LIST, LANDLOCK_ACCESS_FS_READ_DIR },
	{ LANDLOCK_WRITE, LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE },
	{ LANDLOCK_CHANGE, LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE },
	{ LANDLOCK_SOCKETS, LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE },
};

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

/* Everything that this kernel can refuse. */
static uint64_t all_of(int version)
{
	uint64_t all = OF_FIRST;

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= ACCESS_TRUNCATE;
	if (version >= 5)
		all |= ACCESS_IOCTL_DEV;
	return all;
}

static uint64_t access_of(unsigned use)
{
	uint64_t access = 0;

	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (use & meanings[i].use)
			access |= meanings[i].access;
	return access;
}

static enum err add_place(struct task *task, int rules, const struct landlock_place *place,
			  uint64_t all)
{
	CLEANUP(close_fd) int fd = open(str_to_c(&task->arena, place->path), O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = access_of(place->use) & all,
						   .parent_fd = fd };
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return OK; /* what is not there needs no leave */
	if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= OF_FILES;
	if (rule.allowed_access == 0)
		return OK;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		return failf(task, ERR_INTERNAL, "Landlock takes no rule for %.*s: %s",
			     STR_FMT(place->path), strerrordesc_np(errno));
	return OK;
}

enum err landlock_restrict(struct task *task, const struct landlock_place *places, size_t count)
{
	int version = landlock_version();
	struct landlock_ruleset_attr handled = { .handled_access_fs = all_of(version) };
	CLEANUP(close_fd) int rules = -1;

	if (version == 0)
		return fail(task, ERR_CONFIG, "this kernel has no Landlock");
	rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (rules < 0)
		return failf(task, ERR_INTERNAL, "Landlock: %s", strerrordesc_np(errno));
	for (size_t i = 0; i < count; i++)
		TRY(add_place(task, rules, &places[i], handled.handled_access_fs));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		return failf(task, ERR_INTERNAL, "Landlock: %s", strerrordesc_np(errno));
	return OK;
}

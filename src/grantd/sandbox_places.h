/* SPDX-License-Identifier: Apache-2.0 */
/* Which files and folders the process that faces the network may open, and how. */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "grantd/landlock.h"

struct task;

#define SANDBOX_PLACES_MAX 128

struct sandbox_places {
	struct landlock_place *at; /* task memory */
	size_t count;
	bool hides_root; /* the root key is in none of them */
};

/*
 * Makes those that must be there beforehand, for leave is given to what exists: the database's
 * companions, the record of what has ended, the folder of backups. ERR_CONFIG, ERR_IO.
 */
MUST_CHECK enum err sandbox_prepare(struct task *task, const struct config *config);
struct sandbox_places sandbox_places(struct task *task, const struct config *config,
				     const char *const *environment);

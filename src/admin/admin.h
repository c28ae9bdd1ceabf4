/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON API for operators, on a unix socket only: people, clients, resources, grants, events,
 * signing keys.
 * Who may use it is the kernel's word about the other side of the socket. No call consents,
 * approves, widens or signs in for a person, and none gives out a key. docs/automation.md has the
 * calls.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "authority/authority.h"
#include "http/exchange.h"

struct admin;

/* What the daemon's processes are shut in with, as it knows it; filled in before it serves. */
struct admin_walls {
	pid_t network, keys, errands;
	bool is_wanted;	  /* the setting `sandbox` */
	int landlock;	  /* its version; 0: none */
	bool is_filtered; /* system calls */
	bool hides_root;  /* root.key is out of reach of the process that faces the network */
	bool hides_memory;
	struct str backup_dir; /* without links; backups go nowhere else; STR_NONE: anywhere */
};

struct admin_config {
	const struct authority *authority;
	/* Takes up DIR/resources and grantd.conf; ERR_CONFIG: everything stays as it was. */
	enum err (*reload)(struct task *task, void *context);
	void *reload_context;
	/*
	 * DIR/resources/NAME.json: writes what is right, removes, puts back what was there before
	 * the last of the two; the reason says why not. `errands` is theirs.
	 */
	enum err (*put_resource)(struct task *task, void *errands, struct str name,
				 struct str text);
	enum err (*remove_resource)(struct task *task, void *errands, struct str name);
	enum err (*undo_resource)(struct task *task, void *errands);
	void *errands;
	const struct admin_walls *walls;
	const gid_t *group; /* its members may administer; NULL: there is none */
};

/* config is copied; what it points to must outlive the door. */
MUST_CHECK enum err admin_open(struct task *task, const struct admin_config *config,
			       struct admin **ret_admin);
void admin_free(struct admin **admin);
const struct door *admin_door(const struct admin *admin);

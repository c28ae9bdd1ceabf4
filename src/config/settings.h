/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings: name, kind, default and the words that explain it. Private to config. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum setting_kind {
	SETTING_TEXT,
	SETTING_PATH, /* relative to DIR */
	SETTING_YES_NO,
	SETTING_COUNT,
	SETTING_DURATION,
	SETTING_WORDS, /* separated by spaces or commas */
	SETTING_LEVEL,
	SETTING_POLICY,
	SETTING_DEVICE_FLOW,
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;	     /* in struct config */
	const char *initial; /* NULL: none */
	uint64_t max;	     /* of a count (a number) or a duration (ms) */
	const char *help;    /* written above it by init */
};

/* One per setting. */
#define SETTINGS 44
extern const struct setting settings[SETTINGS];

/* What was written for each setting, and where: "DIR/grantd.conf:12" or "GRANTD_LISTEN". */
struct written {
	struct str value; /* STR_NONE: not written */
	struct str where;
};

/* The index of the setting of that name, or SETTINGS. */
size_t setting_find(struct str name);
/* "; did you mean \"loops\"?" or "". */
struct str setting_suggest(struct task *task, struct str name);
/* Adds a problem to the list (kept in task memory); setting is NULL when it is not about one. */
void problem_add(struct task *task, struct config_problems *problems, const char *setting,
		 struct str text);

/* DIR/grantd.conf into written[]; each mistake becomes a problem and reading goes on. */
void ini_read(struct task *task, struct str path, struct written *written,
	      struct config_problems *problems);
/* The same for its text; path is for the words. */
void ini_take(struct task *task, struct str path, struct str text, struct written *written,
	      struct config_problems *problems);
/* GRANTD_NAME and GRANTD_NAME_FILE over it. */
void environment_read(struct task *task, const char *const *environment, struct written *written,
		      struct config_problems *problems);
/* Puts a written value, or the default, into its place. ERR_CONFIG with what is allowed. */
MUST_CHECK enum err setting_apply(struct task *task, const struct setting *setting, struct str dir,
				  struct str value, struct config *config);
/* What several settings must be together. Problems are added. */
void config_check(struct task *task, struct config *config, const struct written *written,
		  struct config_problems *problems);
/* All DIR/resources/NAME.json into config. Problems are added. */
void resources_read(struct task *task, const struct config_source *source, struct config *config,
		    struct config_problems *problems);

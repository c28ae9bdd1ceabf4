/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "config/file.h"
#include "config/settings.h"

/* A configuration with the memory that all its slices point into. */
struct owned_config {
	struct config config; /* first: config_free gets from it to its owner */
	struct arena arena;
};

static void apply_all(struct task *task, struct config *config, const struct written *written,
		      struct config_problems *problems)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *setting = &settings[i];
		struct str value = written[i].value;

		/* defaults are tried first, so that a value that is wrong leaves the default for
		 * later checks */
		if (setting->initial != NULL &&
		    setting_apply(task, setting, config->dir, str_from_c(setting->initial),
				  config) != OK)
			problem_add(task, problems, setting->name, task->reason);
		if (value.at == NULL)
			continue;
		if (setting_apply(task, setting, config->dir, value, config) != OK)
			problem_add(task, problems, setting->name,
				    str_printf(&task->arena, "%.*s: %s: %.*s",
					       STR_FMT(written[i].where), setting->name,
					       STR_FMT(task->reason)));
	}
}

/* Paths must mean the same after a chdir, and in messages. */
static enum err absolute_dir(struct task *task, struct str dir, struct str *ret_dir)
{
	char path[PATH_MAX];
	struct stat status;

	if (realpath(str_to_c(&task->arena, dir), path) == NULL || stat(path, &status) != 0 ||
	    !S_ISDIR(status.st_mode))
		return failf(task, ERR_CONFIG,
			     "%.*s: no such directory; to make it run: grantd init --dir %.*s",
			     STR_FMT(dir), STR_FMT(dir));
	*ret_dir = str_copy(&task->arena, str_from_c(path));
	return OK;
}

/* ERR_CONFIG: there is nothing to look at. All else is a problem. */
static enum err load(struct task *task, const struct config_source *source, struct config *config,
		     struct config_problems *problems)
{
	struct written written[SETTINGS] = { 0 };

	if (absolute_dir(task, source->dir, &config->dir) != OK) {
		problem_add(task, problems, NULL, task->reason);
		return ERR_CONFIG;
	}
	ini_read(task, file_path(task, config->dir, STR("grantd.conf")), written, problems);
	environment_read(task, source->environment, written, problems);
	apply_all(task, config, written, problems);
	config_check(task, config, written, problems);
	resources_read(task, source, config, problems);
	return OK;
}

static enum err refuse(struct task *task, const struct config_problems *problems)
{
	if (problems->count == 1)
		return failf(task, ERR_CONFIG, "%.*s", STR_FMT(problems->texts[0]));
	return failf(task, ERR_CONFIG, "%.*s (and %zu more: run grantd check)",
		     STR_FMT(problems->texts[0]), problems->count - 1);
}

/* Takes the memory over. */
static const struct config *owned_config_new(const struct config *config, struct arena arena)
{
	struct owned_config *owned = malloc(sizeof(*owned));

	if (owned == NULL)
		abort();
	*owned = (struct owned_config){ .config = *config, .arena = arena };
	return &owned->config;
}

enum err config_inspect(struct task *task, const struct config_source *source,
			const struct config **ret_config)
{
	struct config_problems *problems = source->problems;
	struct task inside = { .clock = task->clock, .log = task->log, .now = task->now };
	struct config config = { 0 };
	enum err err;

	problems->count = 0;
	err = load(&inside, source, &config, problems);
	for (size_t i = 0; i < problems->count; i++)
		problems->texts[i] = str_copy(&task->arena, problems->texts[i]);
	if (err != OK) {
		task_end(&inside);
		return refuse(task, problems);
	}
	*ret_config = owned_config_new(&config, inside.arena);
	return OK;
}

enum err config_load(struct task *task, const struct config_source *source,
		     const struct config **ret_config)
{
	CLEANUP(config_free) const struct config *config = NULL;
	struct config_source noting = *source;

	if (noting.problems == NULL)
		noting.problems = NEW(&task->arena, struct config_problems);
	TRY(config_inspect(task, &noting, &config));
	if (noting.problems->count > 0)
		return refuse(task, noting.problems);
	*ret_config = config;
	config = NULL;
	return OK;
}

void config_free(const struct config **config)
{
	struct owned_config *owned = (struct owned_config *)(uintptr_t)*config;

	if (owned != NULL)
		arena_free(&owned->arena);
	free(owned);
	*config = NULL;
}

const struct resource *config_find_resource(const struct config *config, struct str uri)
{
	for (size_t i = 0; i < config->resource_count; i++)
		if (str_equals(config->resources[i].uri, uri))
			return &config->resources[i];
	return NULL;
}

const struct resource *config_find_resource_named(const struct config *config, struct str name)
{
	for (size_t i = 0; i < config->resource_count; i++)
		if (str_equals(config->resources[i].name, name))
			return &config->resources[i];
	return NULL;
}

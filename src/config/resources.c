/* SPDX-License-Identifier: Apache-2.0 */
/* DIR/resources: every NAME.json, and what several of them must not share. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/entry.h"
#include "base/task.h"
#include "config/file.h"
#include "config/settings.h"

#define SUFFIX STR(".json")

/* One directory being read into config->resources. */
struct folder {
	struct task *task;
	const struct config_source *source;
	struct config *config;
	struct config_problems *problems;
	struct str path;
};

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		closedir(*folder);
}

static int compare_names(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void complain_of_folder(struct folder *folder)
{
	problem_add(folder->task, folder->problems, NULL,
		    str_printf(&folder->task->arena, "%.*s: cannot be read: %s",
			       STR_FMT(folder->path), strerror(errno)));
}

/* File names that end in .json, sorted so that errors and pages have one order. */
static size_t list_names(struct folder *folder, struct str *names, size_t max)
{
	int fd = file_open(folder->path.at);
	CLEANUP(close_folder) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t count = 0;

	if (stream == NULL) {
		if (fd >= 0)
			close(fd);
		complain_of_folder(folder);
		return 0;
	}
	while ((entry = entry_next(stream)) != NULL) {
		struct str name = str_from_c(entry->d_name);

		if (!str_ends_with(name, SUFFIX) || str_starts_with(name, STR(".")))
			continue;
		if (count == max) {
			problem_add(folder->task, folder->problems, NULL,
				    STR("resources: more than 256 files"));
			break;
		}
		names[count++] = str_copy(&folder->task->arena, name);
	}
	/* a resource that is not seen would be one that was taken away */
	if (entry == NULL && errno != 0)
		complain_of_folder(folder);
	qsort(names, count, sizeof(*names), compare_names);
	return count;
}

static enum err read_one(struct folder *folder, struct str file, struct resource *ret_resource)
{
	struct task *task = folder->task;
	struct task scratch = { .clock = task->clock };
	struct str text, name = str_sub(file, 0, file.len - SUFFIX.len);
	enum err err;

	err = file_read(&scratch, file_path(&scratch, folder->path, file), RESOURCE_FILE_MAX,
			&text);
	if (err == OK)
		err = resource_parse(task, name, text, folder->config->dir, folder->source->digest,
				     ret_resource);
	else
		task_note(task, err, str_copy(&task->arena, scratch.reason));
	task_end(&scratch);
	return err;
}

static bool has_caller(const struct resource *resource, struct str id)
{
	for (size_t i = 0; i < resource->caller_count; i++)
		if (str_equals(resource->callers[i].id, id))
			return true;
	return false;
}

/* A token's audience and a caller's name must each mean one resource. */
static enum err check_shared(struct folder *folder, const struct resource *resource,
			     const struct resource *others, size_t count)
{
	if (str_equals(resource->uri, folder->config->issuer))
		return fail(folder->task, ERR_CONFIG,
			    "uri: is the issuer itself; give the resource a path, such as /r/NAME");
	for (size_t i = 0; i < count; i++) {
		if (str_equals(others[i].uri, resource->uri))
			return failf(folder->task, ERR_CONFIG, "uri: %.*s has the same one",
				     STR_FMT(others[i].name));
		for (size_t k = 0; k < resource->caller_count; k++)
			if (has_caller(&others[i], resource->callers[k].id))
				return failf(folder->task, ERR_CONFIG,
					     "introspection[%zu].id: %.*s has the same one", k,
					     STR_FMT(others[i].name));
	}
	return OK;
}

static void complain(struct folder *folder, struct str file)
{
	problem_add(folder->task, folder->problems, NULL,
		    str_printf(&folder->task->arena, "%.*s/%.*s: %.*s", STR_FMT(folder->path),
			       STR_FMT(file), STR_FMT(folder->task->reason)));
}

void resources_read(struct task *task, const struct config_source *source, struct config *config,
		    struct config_problems *problems)
{
	struct folder folder = { task, source, config, problems,
				 STR_JOIN(&task->arena, config->dir, STR("/resources")) };
	struct str *names = NEW_ARRAY(&task->arena, struct str, RESOURCES_MAX);
	size_t count = list_names(&folder, names, RESOURCES_MAX);
	struct resource *resources = NEW_ARRAY(&task->arena, struct resource, count);

	config->resources = resources;
	for (size_t i = 0; i < count; i++) {
		struct resource *resource = &resources[config->resource_count];

		if (read_one(&folder, names[i], resource) != OK ||
		    check_shared(&folder, resource, resources, config->resource_count) != OK) {
			complain(&folder, names[i]);
			continue;
		}
		if (resource->token_ms == 0)
			resource->token_ms = config->access_token_ms;
		config->resource_count++;
	}
}

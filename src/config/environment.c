/* SPDX-License-Identifier: Apache-2.0 */
/* GRANTD_NAME over the file, GRANTD_NAME_FILE for what should not stand in an environment. */
#include "base/task.h"
#include "config/file.h"
#include "config/settings.h"

#define PREFIX STR("GRANTD_")
#define SUFFIX STR("_file")

static struct str lower_copy(struct task *task, struct str text)
{
	char *at = arena_alloc(&task->arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		at[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return (struct str){ at, text.len };
}

static enum err read_file(struct task *task, struct str path, struct str *ret_value)
{
	CLEANUP(secret_wipe) struct secret value = { 0 };

	TRY(file_read_secret(task, path, &value));
	*ret_value = str_copy(&task->arena, secret_reveal(&value));
	return OK;
}

/*
 * A slip of the pen must not go unnoticed, but other programs name variables GRANTD_… too
 * (Kubernetes sets GRANTD_PORT_… for a service called grantd), so what resembles no setting is not
 * ours.
 */
static enum err refuse_if_close(struct task *task, struct str name)
{
	struct str hint = setting_suggest(task, name);

	if (hint.len == 0)
		return OK;
	return failf(task, ERR_CONFIG, "no setting is called \"%.*s\"%.*s", STR_FMT(name),
		     STR_FMT(hint));
}

static enum err take(struct task *task, struct str variable, struct str value,
		     struct written *written)
{
	struct str name = lower_copy(task, str_from(variable, PREFIX.len));
	size_t index = setting_find(name);
	bool from_file = false;

	if (index == SETTINGS && str_ends_with(name, SUFFIX)) {
		index = setting_find(str_sub(name, 0, name.len - SUFFIX.len));
		from_file = true;
	}
	if (index == SETTINGS)
		return refuse_if_close(task, name);
	if (!str_is_text(value))
		return fail(task, ERR_CONFIG, "is not UTF-8 text");
	if (from_file)
		TRY(read_file(task, value, &value));
	written[index] = (struct written){ str_copy(&task->arena, value), variable };
	return OK;
}

void environment_read(struct task *task, const char *const *environment, struct written *written,
		      struct config_problems *problems)
{
	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
		struct str entry = str_from_c(environment[i]);
		size_t equals = str_find(entry, '=');
		struct str variable = str_copy(&task->arena, str_sub(entry, 0, equals));

		if (!str_starts_with(variable, PREFIX))
			continue;
		if (take(task, variable, str_from(entry, equals + 1), written) != OK)
			problem_add(task, problems, NULL,
				    str_printf(&task->arena, "%.*s: %.*s", STR_FMT(variable),
					       STR_FMT(task->reason)));
	}
}

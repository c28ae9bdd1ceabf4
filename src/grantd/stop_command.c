/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/stop_command.h"

#include "base/buf.h"
#include "base/task.h"
#include "config/resource.h"
#include "grantd/command.h"

#define LIMIT_MS     10000
#define ARGUMENT_MAX (16 * 1024)
/* EX_NOUSER and EX_NOHOST of sysexits.h */
#define NO_USER 67
#define NO_HOST 68

/* The argument with {username} and {client} filled in; still one argument, whatever they hold. */
static enum err fill_argument(struct task *task, struct str argument,
			      const struct stop_names *names, struct str *ret_filled)
{
	struct buf filled = buf_in(&task->arena, ARGUMENT_MAX);
	struct str rest = argument;

	while (rest.len > 0) {
		size_t open = str_find(rest, '{');
		struct str place = str_from(rest, open);

		buf_add(&filled, str_sub(rest, 0, open));
		if (str_starts_with(place, STR("{username}"))) {
			buf_add(&filled, names->username);
			rest = str_from(place, STR("{username}").len);
		} else if (str_starts_with(place, STR("{client}"))) {
			buf_add(&filled, names->client);
			rest = str_from(place, STR("{client}").len);
		} else {
			buf_add(&filled, str_sub(place, 0, 1));
			rest = str_from(place, 1);
		}
	}
	TRY(buf_finish(&filled, ret_filled));
	/* a name must not become an option of the command */
	if (str_starts_with(*ret_filled, STR("-")) && !str_starts_with(argument, STR("-")))
		return fail(task, ERR_INTERNAL, "a name that starts with '-' is no argument");
	return OK;
}

enum err stop_command_run(struct task *task, const struct resource *resource,
			  const struct stop_names *names)
{
	struct str *arguments = NEW_ARRAY(&task->arena, struct str, resource->on_stop_count);
	int status = 0;

	for (size_t i = 0; i < resource->on_stop_count; i++)
		TRY(fill_argument(task, resource->on_stop[i], names, &arguments[i]));
	TRY(command_run(task, arguments, resource->on_stop_count, LIMIT_MS, &status));
	/* nobody was there to be stopped, as doveadm kick says it */
	if (status != 0 && status != NO_USER && status != NO_HOST)
		return failf(task, ERR_IO, "it ended with exit status %d", status);
	return OK;
}

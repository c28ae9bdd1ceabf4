/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keys.h"

#include "oauth/endpoints.h"

static enum err reply_keys(struct exchange *exchange, struct str purpose)
{
	struct str text;

	TRY(keys_jwks(&exchange->task, oauth_authority(exchange)->keys, purpose, &text));
	reply_with(exchange, 200, STR("application/json"), text);
	return OK;
}

enum err oauth_jwks(struct exchange *exchange)
{
	return reply_keys(exchange, STR_NONE);
}

/*
 * /jwks/NAME.json: a resource whose servers cannot tell token types apart has keys of its own
 * (PROTOCOL).
 */
enum err oauth_resource_jwks(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct str file = exchange->request.params[0], suffix = STR(".json");
	const struct resource *resource = NULL;

	if (str_ends_with(file, suffix))
		resource = config_find_resource_named(authority_config(oauth_authority(exchange)),
						      str_sub(file, 0, file.len - suffix.len));
	if (resource == NULL || !resource->has_own_keys)
		return fail(task, ERR_NOT_FOUND, "no resource with keys of its own by that name");
	return reply_keys(exchange, STR_JOIN(&task->arena, STR("resource:"), resource->name));
}

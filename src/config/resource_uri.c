/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/task.h"
#include "base/url.h"
#include "config/resource.h"

#define URI_MAX 512

static struct str lower_copy(struct task *task, struct str text)
{
	char *at = arena_alloc(&task->arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		at[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return (struct str){ at, text.len };
}

static bool is_default_port(struct str scheme, struct str port)
{
	return (str_equals(scheme, STR("https")) && str_equals(port, STR("443"))) ||
	       (str_equals(scheme, STR("http")) && str_equals(port, STR("80")));
}

static struct str without_slash(struct str path)
{
	while (path.len > 0 && path.at[path.len - 1] == '/')
		path.len--;
	return path;
}

enum err resource_canonical(struct task *task, struct str uri, struct str *ret_uri)
{
	struct str scheme, authority = STR(""), query = STR("");
	struct url url;

	if (uri.len > URI_MAX)
		return fail(task, ERR_TARGET, "the resource URI is too long");
	if (url_parse(uri, &url) != OK)
		return fail(task, ERR_TARGET, "the resource is not an absolute URI");
	if (url.fragment.at != NULL)
		return fail(task, ERR_TARGET, "the resource URI has a fragment");
	if (url.userinfo.at != NULL)
		return fail(task, ERR_TARGET, "the resource URI has a user part");
	/* spelled out by no honest client, and servers disagree about what they mean */
	if (url_has_dot_segment(url.path))
		return fail(task, ERR_TARGET, "the resource URI has a dot segment");
	scheme = lower_copy(task, url.scheme);
	if (url.host.at != NULL)
		authority = STR_JOIN(&task->arena, STR("//"), lower_copy(task, url.host));
	if (url.port.at != NULL && !is_default_port(scheme, url.port))
		authority = STR_JOIN(&task->arena, authority, STR(":"), url.port);
	if (url.query.at != NULL)
		query = STR_JOIN(&task->arena, STR("?"), url.query);
	*ret_uri = STR_JOIN(&task->arena, scheme, STR(":"), authority, without_slash(url.path),
			    query);
	return OK;
}

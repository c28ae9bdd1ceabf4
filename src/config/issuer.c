/* SPDX-License-Identifier: Apache-2.0 */
#include "base/task.h"
#include "base/url.h"
#include "config/config.h"

static bool is_lower(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] >= 'A' && text.at[i] <= 'Z')
			return false;
	return true;
}

/* A bracket, or a last label of digits or 0x…: browsers take those for addresses (WHATWG URL 3.5).
 */
static bool is_address(struct str host)
{
	struct str label = STR(""), rest = host;

	if (str_starts_with(host, STR("[")))
		return true;
	while (str_next(&rest, '.', &label))
		;
	return str_only(label, "0123456789") || str_starts_with(label, STR("0x"));
}

enum err config_check_issuer(struct task *task, struct str issuer, bool shared_loopback_host)
{
	struct url url;

	if (url_parse(issuer, &url) != OK || !str_equals(url.scheme, STR("https")) ||
	    url.host.at == NULL)
		return failf(task, ERR_CONFIG, "\"%.*s\" is not https://NAME or https://NAME:PORT",
			     STR_FMT(issuer));
	if (url.userinfo.at != NULL || url.query.at != NULL || url.fragment.at != NULL)
		return fail(task, ERR_CONFIG, "must have no user, query or fragment");
	if (url.path.len > 0)
		return fail(task, ERR_CONFIG, "must have no path, not even a slash at the end");
	if (!is_lower(url.host) || str_ends_with(url.host, STR(".")) ||
	    str_starts_with(url.host, STR(".")))
		return fail(task, ERR_CONFIG,
			    "must name the host in lower case, without a dot at its end");
	if (str_equals(url.port, STR("443")))
		return fail(task, ERR_CONFIG, "must leave out :443, which https means anyway");
	if (shared_loopback_host)
		return OK;
	if (str_equals(url.host, STR("localhost")) || is_address(url.host))
		return failf(
			task, ERR_CONFIG,
			"\"%.*s\" is a host that agents can listen on too, and cookies know no "
			"ports; take a name such as grantd.localhost (or, knowing this, "
			"shared_loopback_host = yes, init --shared-loopback-host)",
			STR_FMT(url.host));
	return OK;
}

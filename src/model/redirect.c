/* SPDX-License-Identifier: Apache-2.0 */
#include "model/redirect.h"

#include "base/task.h"
#include "base/url.h"

/*
 * Schemes that run or read something in the browser, whatever their dots
 * (workers-oauth-provider#97).
 */
static const char *const forbidden_schemes[] = {
	"javascript", "data", "vbscript", "blob",	"file",	  "about",	 "http",
	"ftp",	      "ws",   "wss",	  "filesystem", "mailto", "view-source",
};

static bool is_forbidden_scheme(struct str scheme)
{
	for (size_t i = 0; i < COUNT_OF(forbidden_schemes); i++)
		if (str_equals_nocase(scheme, str_from_c(forbidden_schemes[i])))
			return true;
	return false;
}

static bool is_listed(struct str scheme, const struct str *schemes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(scheme, schemes[i]))
			return true;
	return false;
}

/* Dot segments, plain or encoded, let a prefix check and a browser disagree; nobody needs them. */
static enum err check_path(struct task *task, struct str path)
{
	for (size_t i = 0; i + 2 < path.len; i++)
		if (path.at[i] == '%' && path.at[i + 1] == '2' &&
		    (path.at[i + 2] == 'e' || path.at[i + 2] == 'E' || path.at[i + 2] == '5' ||
		     path.at[i + 2] == 'f' || path.at[i + 2] == 'F'))
			return fail(
				task, ERR_REQUEST,
				"a redirect URI must not have an encoded dot, slash or percent");
	if (url_has_dot_segment(path))
		return fail(task, ERR_REQUEST, "a redirect URI must not have dot segments");
	return OK;
}

static enum err check_scheme(struct task *task, const struct url *url, const struct str *schemes,
			     size_t count)
{
	if (str_equals(url->scheme, STR("https")))
		return url->host.at != NULL
			       ? OK
			       : fail(task, ERR_REQUEST, "a redirect URI needs a host");
	if (str_equals(url->scheme, STR("http")))
		return url_is_loopback(url)
			       ? OK
			       : fail(task, ERR_REQUEST,
				      "http is only for 127.0.0.1, [::1] and localhost");
	if (is_forbidden_scheme(url->scheme))
		return fail(task, ERR_REQUEST, "a redirect URI must not have this scheme");
	if (!str_has(url->scheme, '.') && !is_listed(url->scheme, schemes, count))
		return fail(task, ERR_REQUEST,
			    "a private-use scheme needs a dot, such as com.example.app");
	return OK;
}

enum err redirect_check(struct task *task, struct str uri, const struct str *schemes,
			size_t scheme_count)
{
	struct url url;

	if (uri.len > REDIRECT_URI_MAX)
		return fail(task, ERR_REQUEST, "a redirect URI is too long");
	if (url_parse(uri, &url) != OK)
		return fail(task, ERR_REQUEST, "a redirect URI must be an absolute URI");
	if (url.fragment.at != NULL)
		return fail(task, ERR_REQUEST, "a redirect URI must not have a fragment");
	if (url.userinfo.at != NULL)
		return fail(task, ERR_REQUEST, "a redirect URI must not have user information");
	if (str_has(uri, '*'))
		return fail(task, ERR_REQUEST, "a redirect URI must not have a wildcard");
	TRY(check_scheme(task, &url, schemes, scheme_count));
	return check_path(task, url.path);
}

/* The parts around the port of an http loopback URI; false for any other URI. */
static bool cut_port(struct str uri, struct str *ret_before, struct str *ret_after)
{
	struct url url;

	if (url_parse(uri, &url) != OK || !str_equals(url.scheme, STR("http")) ||
	    !url_is_loopback(&url) || url.userinfo.at != NULL || url.fragment.at != NULL)
		return false;
	*ret_before = str_sub(uri, 0, (size_t)(url.host.at + url.host.len - uri.at));
	*ret_after = str_from(uri, ret_before->len);
	if (url.port.at != NULL)
		*ret_after = str_from(*ret_after, 1 + url.port.len);
	return true;
}

bool redirect_matches(struct str registered, struct str asked)
{
	struct str before_a, after_a, before_b, after_b;

	if (str_equals(registered, asked))
		return true;
	return cut_port(registered, &before_a, &after_a) && cut_port(asked, &before_b, &after_b) &&
	       str_equals(before_a, before_b) && str_equals(after_a, after_b);
}

bool redirect_is_loopback(struct str uri)
{
	struct str before, after;

	return cut_port(uri, &before, &after);
}

struct str redirect_host(struct str uri)
{
	struct url url;

	if (url_parse(uri, &url) != OK)
		return STR("");
	if (url.host.at == NULL || str_is_empty(url.host))
		return url.scheme;
	if (url.port.at == NULL)
		return url.host;
	return (struct str){ url.host.at, url.host.len + 1 + url.port.len };
}

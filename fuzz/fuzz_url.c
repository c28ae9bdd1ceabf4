/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of an accepted URL stand in it in order and make it up; a public host is no address and
 * none of this machine's; what decodes is text, and goes both ways.
 */
#include "base/url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

/* inet_aton(3) takes more for an address than anybody else, so what it takes must be no name. */
static void check_host(struct task *task, const struct url *url)
{
	const char *host = str_to_c(&task->arena, url->host);
	struct in_addr address;
	bool is_address = inet_aton(host, &address) == 1;

	expect(!url_is_loopback(url) || !url_is_public(url));
	expect(!is_address || !(url_is_public(url) || url_host_is_name(url->host)));
	expect(!url_host_is_name(url->host) || !str_has(url->host, '['));
}

/* An origin is a URL of its own, with the same host and port, and its own origin. */
static void check_origin(struct task *task, const struct url *url)
{
	struct str origin = url_origin(&task->arena, url);
	struct url again;

	expect(url_parse(origin, &again) == OK && again.path.len == 0);
	expect(str_equals(again.host, url->host) && str_equals(again.port, url->port));
	expect(str_equals(url_origin(&task->arena, &again), origin));
}

/* What has no dots once it is decoded had none before. */
static void check_dots(struct task *task, struct str path)
{
	struct str decoded;

	if (url_decode(task, path, false, &decoded) == OK && !url_has_dot_segment(decoded))
		expect(!url_has_dot_segment(path));
}

static void check_parts(struct task *task, struct str text)
{
	struct url url;

	if (url_parse(text, &url) != OK)
		return;
	check_dots(task, url.path);
	if (url.host.at != NULL) {
		check_host(task, &url);
		check_origin(task, &url);
	}
	expect(url.scheme.at == text.at && url.scheme.len > 0 && url.path.at != NULL);
	expect(str_equals(text,
			  STR_JOIN(&task->arena, url.scheme, STR(":"),
				   url.host.at != NULL ? STR("//") : STR_NONE, url.userinfo,
				   url.userinfo.at != NULL ? STR("@") : STR_NONE, url.host,
				   url.port.at != NULL ? STR(":") : STR_NONE, url.port, url.path,
				   url.query.at != NULL ? STR("?") : STR_NONE, url.query,
				   url.fragment.at != NULL ? STR("#") : STR_NONE, url.fragment)));
	for (size_t i = 0; i < text.len; i++)
		expect(text.at[i] > 0x20 && text.at[i] < 0x7F && text.at[i] != '\\');
	expect(!url_is_loopback(&url) || url.host.len == 9 || url.host.len == 5);
}

static void check_coding(struct task *task, struct str text, bool form)
{
	struct buf buf = buf_in(&task->arena, 3 * text.len + 1);
	struct str decoded, encoded, again;

	if (url_decode(task, text, form, &decoded) != OK)
		return;
	expect(str_is_text(decoded) && decoded.len <= text.len);
	url_encode(&buf, decoded);
	expect(buf_finish(&buf, &encoded) == OK);
	expect(url_decode(task, encoded, form, &again) == OK && str_equals(decoded, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	check_parts(&task, text);
	check_coding(&task, text, true);
	check_coding(&task, text, false);
	task_end(&task);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of an accepted URL stand in it in order and make it up; what decodes is text, and goes
 * both ways.
 */
#include "base/url.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_parts(struct task *task, struct str text)
{
	struct url url;

	if (url_parse(text, &url) != OK)
		return;
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

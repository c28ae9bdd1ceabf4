/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line is a registered redirect URI, the rest the one that a request names. What is
 * accepted sends a code to nobody else: no fragment, no user, and but for a loopback port the same
 * bytes.
 */
#include "model/redirect.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "base/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str schemes[] = { STR_INIT("listed") };

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool is_allowed(struct task *task, struct str uri)
{
	struct url url;

	if (redirect_check(task, uri, schemes, COUNT_OF(schemes)) != OK) {
		expect(task->error == ERR_REQUEST && task->reason.len > 0);
		task_forgive(task);
		return false;
	}
	expect(uri.len <= REDIRECT_URI_MAX && url_parse(uri, &url) == OK);
	expect(url.fragment.at == NULL && url.userinfo.at == NULL && !str_has(uri, '*'));
	expect(!str_equals_nocase(url.scheme, STR("javascript")));
	expect(!str_equals_nocase(url.scheme, STR("data")));
	expect(!str_equals(url.scheme, STR("http")) || redirect_is_loopback(uri));
	expect(redirect_host(uri).len > 0);
	return true;
}

/* Without their ports, which only http on a loopback host has free. */
static void check_match(struct str registered, struct str asked)
{
	struct url one, other;

	expect(redirect_matches(asked, registered));
	if (str_equals(registered, asked))
		return;
	expect(redirect_is_loopback(registered) && redirect_is_loopback(asked));
	expect(url_parse(registered, &one) == OK && url_parse(asked, &other) == OK);
	expect(str_equals(one.host, other.host) && str_equals(one.path, other.path));
	expect(str_equals(one.query, other.query));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str registered = STR_NONE, asked = { (const char *)data, size };
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	(void)str_next(&asked, '\n', &registered);
	(void)is_allowed(&task, asked);
	if (is_allowed(&task, registered))
		expect(redirect_matches(registered, registered));
	if (redirect_matches(registered, asked))
		check_match(registered, asked);
	(void)redirect_host(asked);
	task_end(&task);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An accepted resource file keeps every promise of config/resource.h; others have a reason. */
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "config/resource.h"
#include "crypto/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_canonical(struct task *task, struct str uri)
{
	struct str once, twice;

	if (resource_canonical(task, uri, &once) != OK)
		return;
	expect(resource_canonical(task, once, &twice) == OK && str_equals(once, twice));
}

static void check_resource(struct task *task, const struct resource *resource)
{
	struct str again;

	expect(resource_canonical(task, resource->uri, &again) == OK);
	expect(str_equals(again, resource->uri));
	expect(resource->token_ms <= 900 * SECOND_MS);
	expect(resource->scope_count > 0);
	for (size_t i = 0; i < resource->scope_count; i++) {
		const struct resource_scope *scope = &resource->scopes[i];

		expect(resource_find_scope(resource, scope->name) == scope);
		expect(scope->can_count > 0 && str_is_text(scope->title));
	}
	expect(resource->on_stop_count == 0 || !str_has(resource->on_stop[0], '{'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct resource resource = { 0 };
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	check_canonical(&task, text);
	if (resource_parse(&task, STR("mail"), text, STR("/nonexistent"), sha256, &resource) == OK)
		check_resource(&task, &resource);
	else
		expect(task.reason.len > 0);
	task_end(&task);
	return 0;
}

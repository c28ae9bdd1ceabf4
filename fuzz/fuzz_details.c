/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorization details that are accepted have one form, which reads as itself and covers itself.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "model/details.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str all_limits[] = { STR_INIT("per_hour"), STR_INIT("per_day"),
					 STR_INIT("uses"), STR_INIT("paths") };

static const struct {
	struct str action;
	struct operation_rule rule;
} operations[] = {
	{ STR_INIT("search"), { STR_INIT("mail.read"), all_limits, 4 } },
	{ STR_INIT("fetch"), { STR_INIT("mail.read"), all_limits, 1 } },
	{ STR_INIT("send"), { STR_INIT("mail.send"), all_limits, 3 } },
};

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool is_resource(struct task *task, const void *context, struct str uri)
{
	(void)task;
	(void)context;
	return str_equals(uri, STR("https://r.example/mail"));
}

static bool find(const void *context, struct str action, struct operation_rule *ret_rule)
{
	(void)context;
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		if (!str_equals(operations[i].action, action))
			continue;
		*ret_rule = operations[i].rule;
		return true;
	}
	return false;
}

static const struct details_rules rules = { STR_INIT("https://r.example/mail"), is_resource, find,
					    NULL };

/* Covering is transitive: what the first covers of the next, it covers of what that covers. */
static void check_order(const struct details *details)
{
	const struct detail *items = details->items;
	size_t count = details->count < 8 ? details->count : 8;

	for (size_t i = 0; i < count * count * count; i++) {
		const struct detail *a = &items[i % count], *b = &items[i / count % count];
		const struct detail *c = &items[i / count / count];

		expect(!detail_covers(a, b) || !detail_covers(b, c) || detail_covers(a, c));
	}
}

static void check(struct task *task, const struct details *details)
{
	struct str text = details_print(&task->arena, details);
	struct details again = { 0 };

	expect(details->count >= 1 && details->count <= DETAILS_COUNT_MAX);
	expect(text.len > 0 && text.len <= DETAILS_KEPT_MAX);
	expect(details_read(task, text, &again) == OK && again.count == details->count);
	expect(str_equals(details_print(&task->arena, &again), text));
	expect(details_parse(task, text, &rules, &again) == OK);
	expect(str_equals(details_print(&task->arena, &again), text));
	for (size_t i = 0; i < details->count; i++) {
		const struct scope_set scope = { &details->items[i].scope, 1 };

		expect(detail_covers(&details->items[i], &again.items[i]));
		expect(details_restrict(details, details->items[i].scope));
		expect(details_within(&task->arena, details, scope).count >= 1);
		for (size_t j = 0; j < details->items[i].path_count; j++)
			expect(details->items[i].paths[j].at[0] == '/');
	}
	check_order(details);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct details details = { 0 };
	struct clock clock = { 0 };
	struct task task;
	enum err err;

	task_begin(&task, &clock, NULL);
	err = details_parse(&task, text, &rules, &details);
	if (err == OK)
		check(&task, &details);
	else
		expect((err == ERR_DETAILS || err == ERR_TARGET) && task.reason.len > 0);
	task_forgive(&task);
	err = details_read(&task, text, &details);
	expect(err == OK || err == ERR_DETAILS);
	task_end(&task);
	return 0;
}

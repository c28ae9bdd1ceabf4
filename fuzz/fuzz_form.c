/* SPDX-License-Identifier: Apache-2.0 */
/* A form: what is accepted is text, and a parameter is found if and only if it counts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "http/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static void parse(struct task *task, struct str text)
{
	static const char *const except[] = { "resource", NULL };
	struct form form;
	enum err err = form_parse(task, text, &form);

	check(err == OK || err == ERR_REQUEST);
	if (err != OK)
		return;
	check(form.count <= FORM_FIELDS_MAX);
	for (size_t i = 0; i < form.count; i++)
		check(str_is_text(form.fields[i].name) && str_is_text(form.fields[i].value));
	check((form_get(&form, "code").at != NULL) == (form_count(&form, "code") > 0));
	if (form_check_single(task, &form, except) == OK)
		check(form_count(&form, "code") <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	parse(&task, (struct str){ (const char *)data, size });
	task_end(&task);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever grantd.conf holds, what is taken is text within bounds, or a problem is said. */
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void apply(struct task *task, const struct written *written,
		  struct config_problems *problems)
{
	struct config config = { .dir = STR("/nonexistent") };

	for (size_t i = 0; i < SETTINGS; i++) {
		const char *initial = settings[i].initial;

		if (initial != NULL)
			expect(setting_apply(task, &settings[i], config.dir, str_from_c(initial),
					     &config) == OK);
		if (written[i].value.at == NULL)
			continue;
		expect(str_is_text(written[i].value));
		if (setting_apply(task, &settings[i], config.dir, written[i].value, &config) != OK)
			problem_add(task, problems, settings[i].name, task->reason);
	}
	config_check(task, &config, written, problems);
	if (problems->count > 0)
		return;
	expect(config_check_issuer(task, config.issuer, config.shared_loopback_host) == OK);
	expect(config.access_token_ms <= 900 * SECOND_MS && config.loops <= 256);
	expect(!config.plain || !str_starts_with(config.listen, STR("0.")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct written written[SETTINGS] = { 0 };
	struct config_problems problems = { .count = 0 };
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	/* a file that is not there is a problem and nothing else */
	ini_read(&task, STR("/nonexistent/grantd.conf"), written, &problems);
	expect(problems.count == 1);
	problems.count = 0;
	ini_take(&task, STR("grantd.conf"), (struct str){ (const char *)data, size }, written,
		 &problems);
	apply(&task, written, &problems);
	task_end(&task);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "at_office.h"

struct office office;

int office_start(void **state)
{
	(void)state;
	office_open(&office);
	return 0;
}

int office_end(void **state)
{
	(void)state;
	office_close(&office);
	return 0;
}

enum err office_finished(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/ctl.h"

enum err status_show(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "GET", STR("/v1/status"), STR_NONE);
}

enum err reload(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST", STR("/v1/reload"), STR_NONE);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/ctl.h"

enum err status_show(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *answer = NULL;

	TRY(call(task, words, "GET", STR("/v1/status"), STR_NONE, &answer));
	return print_object(task, words, answer);
}

enum err reload(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *answer = NULL;

	TRY(call(task, words, "POST", STR("/v1/reload"), STR_NONE, &answer));
	return print_object(task, words, answer);
}

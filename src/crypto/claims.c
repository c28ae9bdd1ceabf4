/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/claims.h"

#include "base/task.h"

#define SECONDS_MAX 253402300799.0 /* the end of the year 9999 */

enum err claim_text(struct task *task, const json_t *claims, const char *name, size_t max,
		    struct str *ret_value)
{
	struct str value = json_get_str(claims, name);

	if (json_object_get(claims, name) == NULL) {
		*ret_value = STR_NONE;
		return OK;
	}
	if (value.at == NULL || value.len == 0 || value.len > max)
		return failf(task, ERR_TOKEN, "%s is not a text of 1 to %zu bytes", name, max);
	*ret_value = str_copy(&task->arena, value);
	return OK;
}

enum err claim_time(struct task *task, const json_t *claims, const char *name, int64_t *ret_ms)
{
	const json_t *value = json_object_get(claims, name);
	double seconds = json_number_value(value);

	if (value == NULL) {
		*ret_ms = -1;
		return OK;
	}
	if (!json_is_number(value) || !(seconds >= 0 && seconds <= SECONDS_MAX))
		return failf(task, ERR_TOKEN, "%s is not a time in seconds", name);
	*ret_ms = (int64_t)(seconds * (double)SECOND_MS);
	return OK;
}

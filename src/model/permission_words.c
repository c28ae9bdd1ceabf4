/* SPDX-License-Identifier: Apache-2.0 */
#include "model/permission_words.h"

#include "base/json.h"
#include "base/task.h"

static bool has_item(const json_t *list, const json_t *item)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), item))
			return true;
	return false;
}

enum err permission_words_join(struct task *task, struct str words, struct str earlier,
			       struct str *ret_words)
{
	CLEANUP(json_unref) json_t *joined = NULL;
	CLEANUP(json_unref) json_t *before = NULL;
	const json_t *can;
	json_t *list;

	TRY(json_parse(task, words, PERMISSION_WORDS_MAX, &joined));
	if (str_is_empty(earlier) || json_parse(task, earlier, PERMISSION_WORDS_MAX, &before) != OK)
		task_forgive(task);
	can = json_object_get(before, "can");
	list = json_object_get(joined, "can");
	if (list == NULL) {
		list = json_array();
		json_object_set_new(joined, "can", list);
	}
	for (size_t i = 0; i < json_array_size(can); i++)
		if (!has_item(list, json_array_get(can, i)))
			json_array_append(list, json_array_get(can, i));
	return json_print(task, joined, PERMISSION_WORDS_MAX, ret_words);
}

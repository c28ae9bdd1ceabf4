/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is accepted is printed as text that reads back the same; any bytes can be written as a
 * string.
 */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"

#define TEXT_MAX (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_value(struct task *task, struct str text)
{
	CLEANUP(json_unref) json_t *value = NULL;
	CLEANUP(json_unref) json_t *again = NULL;
	struct str printed, reprinted;

	if (json_parse(task, text, TEXT_MAX, &value) != OK) {
		expect(value == NULL);
		return;
	}
	expect(str_is_text(text) && (json_is_object(value) || json_is_array(value)));
	expect(json_print(task, value, 8 * TEXT_MAX, &printed) == OK && str_is_text(printed));
	expect(json_parse(task, printed, 8 * TEXT_MAX, &again) == OK);
	expect(json_print(task, again, 8 * TEXT_MAX, &reprinted) == OK);
	expect(str_equals(printed, reprinted));
}

static void check_writer(struct task *task, struct str bytes)
{
	struct buf buf = buf_in(&task->arena, 12 * bytes.len + 64);
	struct json_writer json = json_write_to(&buf);
	CLEANUP(json_unref) json_t *value = NULL;
	struct str text;

	json_open_object(&json);
	json_member_str(&json, "a", bytes);
	json_member_int(&json, "b", 1);
	json_member_bool(&json, "c", bytes.len % 2 == 0);
	json_member_raw(&json, "d", STR_NONE); /* left out */
	json_member_raw(&json, "e", STR("{}"));
	json_key(&json, "f");
	json_open_array(&json);
	json_add_str(&json, bytes);
	json_add_null(&json);
	json_close(&json);
	json_close(&json);
	expect(buf_finish(&buf, &text) == OK && str_is_text(text));
	/* the strict reader refuses U+0000 however it is spelled */
	if (str_has(bytes, '\0'))
		return;
	expect(json_parse(task, text, text.len, &value) == OK && json_object_size(value) == 5);
	expect(!str_is_text(bytes) || str_equals(json_get_str(value, "a"), bytes));
	expect(json_boolean_value(json_object_get(value, "c")) == (bytes.len % 2 == 0));
	expect(json_array_size(json_object_get(value, "f")) == 2);
	expect(json_equal(json_array_get(json_object_get(value, "f"), 0),
			  json_object_get(value, "a")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct clock clock = { 0 };
	struct task task;

	if (size > TEXT_MAX)
		return 0;
	task_begin(&task, &clock, NULL);
	check_value(&task, text);
	check_writer(&task, text);
	task_end(&task);
	return 0;
}

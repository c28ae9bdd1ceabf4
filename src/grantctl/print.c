/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "grantctl/ctl.h"

#define PRINT_MAX   (16 * 1024 * 1024)
#define CELL_MAX    512
#define COLUMNS_MAX 10
#define LINE_WIDTH  100

void print_text(struct task *task, struct str text)
{
	struct str shown = str_printable(&task->arena, text);

	fwrite(shown.at, 1, shown.len, stdout);
}

static enum err print_json(struct task *task, const json_t *value)
{
	struct str text;

	TRY(json_print(task, value, PRINT_MAX, &text));
	fwrite(text.at, 1, text.len, stdout);
	putchar('\n');
	return OK;
}

/* One line for a value: texts as they are, lists joined by spaces, all else as JSON. */
static struct str value_text(struct task *task, const json_t *value)
{
	struct str text = STR("-");
	struct buf line = buf_in(&task->arena, PRINT_MAX);

	if (json_is_string(value))
		return (struct str){ json_string_value(value), json_string_length(value) };
	if (value == NULL || json_is_null(value))
		return text;
	if (!json_is_array(value))
		return json_print(task, value, PRINT_MAX, &text) == OK ? text : STR("-");
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);
		struct str part = { json_string_value(item), json_string_length(item) };

		if (!json_is_string(item) && json_print(task, item, PRINT_MAX, &part) != OK)
			part = STR("?");
		if (i > 0)
			buf_add_char(&line, ' ');
		buf_add(&line, part);
	}
	return buf_finish(&line, &text) == OK ? text : STR("-");
}

static struct str cell_text(struct task *task, const json_t *item, const struct column *column)
{
	return str_printable(
		&task->arena,
		str_sub(value_text(task, json_object_get(item, column->key)), 0, CELL_MAX));
}

/* How wide a text shows: bytes that continue a character take no room. */
static size_t width_of(struct str text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.len; i++)
		width += ((unsigned char)text.at[i] & 0xC0) != 0x80;
	return width;
}

void print_filled(struct task *task, struct str text, size_t indent)
{
	struct str rest = str_printable(&task->arena, text), word;
	size_t column = indent;

	while (str_next(&rest, ' ', &word)) {
		size_t width = width_of(word);
		bool is_first = column == indent;

		if (!is_first && column + 1 + width > LINE_WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
			is_first = true;
		}
		column += width + (is_first ? 0 : 1);
		printf("%s%.*s", is_first ? "" : " ", (int)word.len, word.at);
	}
	putchar('\n');
}

static void print_cell(struct task *task, struct str text, size_t width, bool is_last)
{
	print_text(task, text);
	for (size_t i = width_of(text); !is_last && i < width + 2; i++)
		putchar(' ');
	if (is_last)
		putchar('\n');
}

static void print_table(struct task *task, const json_t *items, const struct column *columns,
			size_t count)
{
	size_t widths[COLUMNS_MAX] = { 0 };

	for (size_t k = 0; k < count; k++) {
		widths[k] = strlen(columns[k].title);
		for (size_t i = 0; i < json_array_size(items); i++) {
			size_t width =
				width_of(cell_text(task, json_array_get(items, i), &columns[k]));

			widths[k] = width > widths[k] ? width : widths[k];
		}
	}
	for (size_t k = 0; k < count; k++)
		print_cell(task, str_from_c(columns[k].title), widths[k], k + 1 == count);
	for (size_t i = 0; i < json_array_size(items); i++)
		for (size_t k = 0; k < count; k++)
			print_cell(task, cell_text(task, json_array_get(items, i), &columns[k]),
				   widths[k], k + 1 == count);
}

enum err print_list(struct task *task, const struct words *words, const json_t *items,
		    const struct column *columns, size_t count)
{
	if (words->is_json)
		return print_json(task, items);
	print_table(task, items, columns, count);
	return OK;
}

enum err print_object(struct task *task, const struct words *words, const json_t *object)
{
	const char *name;
	json_t *value;

	if (words->is_json)
		return print_json(task, object);
	/* jansson walks an object through a pointer that is not const */
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		print_text(task, str_printf(&task->arena, "%-14s ", name));
		print_text(task, value_text(task, value));
		putchar('\n');
	}
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/task.h"

/* what a pipe takes in one piece */
#define LINE_MAX_BYTES 4096

static const char *const level_names[] = { "debug", "info", "warning", "error" };

static void write_fields(struct json_writer *json, const struct log_field *fields, size_t count,
			 size_t text_max)
{
	for (size_t i = 0; i < count && fields[i].key != NULL; i++) {
		if (fields[i].text.at == NULL)
			json_member_int(json, fields[i].key, fields[i].number);
		else
			json_member_str(json, fields[i].key, str_sub(fields[i].text, 0, text_max));
	}
}

struct line {
	enum log_level level;
	const char *event;
	const struct log_field *fields;
};

/* Texts have at most text_max bytes each; with 0 the fields stay out. */
static enum err compose(struct task *task, struct arena *arena, const struct line *line,
			size_t text_max, struct str *ret_text)
{
	struct buf buf = buf_in(arena, LINE_MAX_BYTES);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "time", clock_format(arena, clock_wall(task->clock)));
	json_member_str(&json, "level", str_from_c(level_names[line->level]));
	json_member_str(&json, "event", str_from_c(line->event));
	if (text_max < SIZE_MAX)
		json_member_bool(&json, "cut", true);
	if (text_max > 0) {
		write_fields(&json, task->fields, task->field_count, text_max);
		write_fields(&json, line->fields, SIZE_MAX, text_max);
	}
	json_close(&json);
	buf_add_char(&buf, '\n');
	return buf_finish(&buf, ret_text);
}

void log_event(struct task *task, enum log_level level, const char *event,
	       const struct log_field *fields)
{
	/* long texts are cut, never left out with their event: nobody hides by being long */
	static const size_t text_max[] = { SIZE_MAX, 128, 16, 0 };
	const struct line line = { level, event, fields };
	struct arena arena = { 0 };
	struct str text = STR_NONE;

	if (task->log == NULL ||
	    level < atomic_load_explicit(&task->log->level, memory_order_relaxed))
		return;
	for (size_t i = 0; i < COUNT_OF(text_max) && text.at == NULL; i++) {
		if (compose(task, &arena, &line, text_max[i], &text) != OK)
			text = STR_NONE;
	}
	if (text.at != NULL) {
		/* one write keeps a line whole between threads; a lost one stops nothing */
		ssize_t written = write(task->log->fd, text.at, text.len);
		(void)written;
	}
	arena_free(&arena);
}

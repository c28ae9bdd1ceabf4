/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/task.h"

#define LINE_MAX_BYTES 4096

static const char *const level_names[] = { "debug", "info", "warning", "error" };

static void write_fields(struct json_writer *json, const struct log_field *fields, size_t count)
{
	for (size_t i = 0; i < count && fields[i].key != NULL; i++) {
		if (fields[i].text.at == NULL)
			json_member_int(json, fields[i].key, fields[i].number);
		else
			json_member_str(json, fields[i].key, fields[i].text);
	}
}

void log_event(struct task *task, enum log_level level, const char *event,
	       const struct log_field *fields)
{
	struct arena arena = { 0 };
	struct buf buf = buf_in(&arena, LINE_MAX_BYTES);
	struct json_writer json = json_write_to(&buf);
	struct str line;

	if (task->log == NULL || level < task->log->level)
		return;
	json_open_object(&json);
	json_member_str(&json, "time", clock_format(&arena, clock_wall(task->clock)));
	json_member_str(&json, "level", str_from_c(level_names[level]));
	json_member_str(&json, "event", str_from_c(event));
	write_fields(&json, task->fields, task->field_count);
	write_fields(&json, fields, SIZE_MAX);
	json_close(&json);
	buf_add_char(&buf, '\n');
	if (buf_finish(&buf, &line) == OK) {
		/*
		 * one write per line keeps lines whole between threads; a lost log line stops
		 * nothing
		 */
		ssize_t written = write(task->log->fd, line.at, line.len);
		(void)written;
	}
	arena_free(&arena);
}

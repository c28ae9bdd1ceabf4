/* SPDX-License-Identifier: Apache-2.0 */
#include "base/task.h"
#include "config/file.h"
#include "store/ended.h"

#define FILE_MAX (256 * 1024 * 1024)
#define HEADER	 "grantd-ended 1 "

static bool read_line(struct str text, struct ended_line *line)
{
	struct str at = STR_NONE, rest = text;
	uint64_t time;

	if (!str_next(&rest, ' ', &at) || !str_to_u64(at, INT64_MAX, &time))
		return false;
	line->at = (int64_t)time;
	if (!str_next(&rest, ' ', &line->verb) || !str_next(&rest, ' ', &line->id) ||
	    line->verb.len == 0 || line->id.len == 0 || rest.len == 0 || str_has(rest, ' '))
		return false;
	line->more = str_equals(rest, STR("-")) ? STR_NONE : rest;
	return true;
}

static size_t count_lines(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '\n';
	return count;
}

/* Up to the last newline: what stands behind it was never acknowledged. */
static struct str whole_lines(struct str text)
{
	while (text.len > 0 && text.at[text.len - 1] != '\n')
		text.len--;
	return text;
}

static void take_line(struct str text, struct ended_record *record)
{
	struct ended_line line = { 0 };

	if (!read_line(text, &line)) {
		record->since = INT64_MAX; /* what it said is not known */
		return;
	}
	if (str_equals(line.verb, STR("lost")))
		record->since = line.at;
	else
		record->lines[record->count++] = line;
}

enum err ended_read(struct task *task, struct str path, struct ended_record *ret_record)
{
	struct ended_record record = { .since = INT64_MAX };
	struct str rest = STR_NONE, line = STR_NONE;
	uint64_t since;

	if (!file_exists(task, path)) {
		*ret_record = record;
		return OK;
	}
	TRY(file_read(task, path, FILE_MAX, &rest));
	rest = whole_lines(rest);
	record.lines = NEW_ARRAY(&task->arena, struct ended_line, count_lines(rest) + 1);
	(void)str_next(&rest, '\n', &line);
	if (!str_starts_with(line, STR(HEADER)) ||
	    !str_to_u64(str_from(line, STR(HEADER).len), INT64_MAX, &since))
		return failf(task, ERR_CONFIG,
			     "%.*s: is not a record of what has ended; move it away, and the "
			     "restore ends every installation",
			     STR_FMT(path));
	record.since = (int64_t)since;
	while (str_next(&rest, '\n', &line))
		if (line.len > 0 || rest.len > 0) /* nothing stands behind the last newline */
			take_line(line, &record);
	*ret_record = record;
	return OK;
}

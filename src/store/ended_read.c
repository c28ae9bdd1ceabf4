/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "config/file.h"
#include "store/ended.h"
#include "store/ended_file.h"

#define FILE_MAX (256 * 1024 * 1024)
#define TAIL_LEN 4096

struct reading {
	struct ended_record record;
	int64_t newest;	 /* of the lines so far */
	bool is_damaged; /* what a line said is not known, and no later "lost" covers it */
};

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

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * Complete from the latest time on that anything names: a line out of its order takes nothing back.
 */
static void take_line(struct str text, struct reading *reading)
{
	struct ended_record *record = &reading->record;
	struct ended_line line = { 0 };

	if (!read_line(text, &line)) {
		reading->is_damaged = true;
		return;
	}
	if (str_equals(line.verb, STR("lost"))) {
		record->since = later(record->since, line.at);
		reading->is_damaged = reading->is_damaged && line.at < reading->newest;
	} else if (!str_equals(line.verb, STR(ENDED_UNKEPT))) {
		record->lines[record->count++] = line;
	}
	reading->newest = later(reading->newest, line.at);
}

static bool read_header(struct str line, struct reading *reading)
{
	struct str rest = str_from(line, STR(ENDED_HEADER).len);
	uint64_t since = 0;

	if (!str_starts_with(line, STR(ENDED_HEADER)) || rest.len < 3 || rest.at[1] != ' ' ||
	    (rest.at[0] != ENDED_WHOLE && rest.at[0] != ENDED_LOST) ||
	    !str_to_u64(str_from(rest, 2), INT64_MAX, &since))
		return false;
	reading->record.began_at = reading->record.since = (int64_t)since;
	return true;
}

enum err ended_read(struct task *task, struct str path, struct ended_record *ret_record)
{
	struct reading reading = { .record.since = INT64_MAX };
	struct str rest = STR_NONE, line = STR_NONE;
	bool is_lost;

	if (!file_exists(task, path)) {
		*ret_record = reading.record;
		return OK;
	}
	TRY(file_read(task, path, FILE_MAX, &rest));
	rest = whole_lines(rest);
	reading.record.lines = NEW_ARRAY(&task->arena, struct ended_line, count_lines(rest) + 1);
	(void)str_next(&rest, '\n', &line);
	if (!read_header(line, &reading))
		return failf(task, ERR_CONFIG,
			     "%.*s: is not a record of what has ended; move it away, and the "
			     "restore ends every installation",
			     STR_FMT(path));
	is_lost = line.at[STR(ENDED_HEADER).len] == ENDED_LOST;
	while (str_next(&rest, '\n', &line))
		if (line.len > 0 || rest.len > 0) /* nothing stands behind the last newline */
			take_line(line, &reading);
	if (reading.is_damaged || is_lost)
		reading.record.since = INT64_MAX;
	*ret_record = reading.record;
	return OK;
}

/* -1 and errno. */
static ssize_t read_end(int fd, char *text, size_t len)
{
	off_t end = lseek(fd, 0, SEEK_END);

	return end < 0 ? -1 : pread(fd, text, len, end > (off_t)len ? end - (off_t)len : 0);
}

/* "" when there is no file. */
static enum err read_tail(struct task *task, struct str path, char *tail, struct str *ret_text)
{
	int fd = open(str_to_c(&task->arena, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_absent = fd < 0 && errno == ENOENT;
	ssize_t got = fd < 0 ? -1 : read_end(fd, tail, TAIL_LEN);
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (got < 0 && !is_absent)
		return failf(task, ERR_CONFIG, "%.*s: cannot be read: %s", STR_FMT(path),
			     strerror(error));
	*ret_text = (struct str){ tail, got < 0 ? 0 : (size_t)got };
	return OK;
}

enum err ended_newest(struct task *task, struct str path, int64_t *ret_at)
{
	char *tail = arena_alloc(&task->arena, TAIL_LEN);
	struct ended_line line = { 0 };
	struct str rest, text;

	*ret_at = 0;
	TRY(read_tail(task, path, tail, &rest));
	rest = whole_lines(rest);
	(void)str_next(&rest, '\n', &text); /* the header, or the end of a line */
	while (str_next(&rest, '\n', &text))
		if (read_line(text, &line) && !str_equals(line.verb, STR("lost")))
			*ret_at = str_equals(line.verb, STR(ENDED_UNKEPT))
					  ? 0
					  : later(*ret_at, line.at);
	return OK;
}

void ended_add(struct task *task, struct ended_record *record, const struct ended_record *other)
{
	size_t count = record->count + other->count, ours = 0, theirs = 0;
	struct ended_line *lines = NEW_ARRAY(&task->arena, struct ended_line, count + 1);

	for (size_t i = 0; i < count; i++) {
		bool is_ours = theirs == other->count ||
			       (ours < record->count &&
				record->lines[ours].at <= other->lines[theirs].at);

		lines[i] = is_ours ? record->lines[ours++] : other->lines[theirs++];
	}
	record->lines = lines;
	record->count = count;
	record->since = later(record->since, other->since);
}

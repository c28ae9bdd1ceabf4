/* SPDX-License-Identifier: Apache-2.0 */
/* grantd.conf by libinih. The only file that knows it. */
#include <ini.h>
#include <string.h>

#include "base/task.h"
#include "config/file.h"
#include "config/settings.h"

#define FILE_MAX (64 * 1024)

/* libinih asks for line after line here, so we know which one its handler speaks of. */
struct ini {
	struct task *task;
	struct str path;
	struct str rest;
	unsigned line;
	struct written *written;
	struct config_problems *problems;
};

static void add_problem(struct ini *ini, struct str why)
{
	problem_add(ini->task, ini->problems, NULL,
		    str_printf(&ini->task->arena, "%.*s:%u: %.*s", STR_FMT(ini->path), ini->line,
			       STR_FMT(why)));
}

/* A line that libinih must not see: it would cut it, or take it for something else. */
static bool is_refused(struct ini *ini, struct str line, size_t room)
{
	const char *why = NULL;

	if (!str_is_text(line))
		why = "is not UTF-8 text";
	else if (str_starts_with(line, STR("[")))
		why = "there are no sections here: take the line with [ ] out";
	else if (line.len + 2 > room && !str_starts_with(line, STR("#")))
		why = "the line is too long";
	else if (line.len > 0 && line.at[0] != '#' && line.at[0] != ';' && !str_has(line, '='))
		why = "is not NAME = VALUE";
	if (why != NULL)
		add_problem(ini, str_from_c(why));
	return why != NULL;
}

/* An ini_reader: the next line without leading space (libinih would take it for a continuation). */
static char *next_line(char *at, int room, void *stream)
{
	struct ini *ini = stream;
	struct str line;

	if (!str_next(&ini->rest, '\n', &line))
		return NULL;
	ini->line++;
	if (str_ends_with(line, STR("\r")))
		line.len--;
	line = str_trim(line);
	if (is_refused(ini, line, (size_t)room) || str_starts_with(line, STR("#")))
		line = STR("");
	if (line.len > 0)
		memcpy(at, line.at, line.len);
	at[line.len] = '\n';
	at[line.len + 1] = '\0';
	return at;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct ini *ini = user;
	size_t index = setting_find(str_from_c(name));

	(void)section;
	if (index == SETTINGS) {
		add_problem(ini,
			    str_printf(&ini->task->arena, "no setting is called \"%s\"%.*s", name,
				       STR_FMT(setting_suggest(ini->task, str_from_c(name)))));
		return 1;
	}
	if (ini->written[index].value.at != NULL) {
		add_problem(ini, str_printf(&ini->task->arena, "%s is written twice", name));
		return 1;
	}
	ini->written[index].value = str_copy(&ini->task->arena, str_from_c(value));
	ini->written[index].where = str_printf(&ini->task->arena, "%.*s:%u", STR_FMT(ini->path),
					       ini->line);
	return 1;
}

void ini_take(struct task *task, struct str path, struct str text, struct written *written,
	      struct config_problems *problems)
{
	struct ini ini = { task, path, text, 0, written, problems };
	int line = ini_parse_stream(next_line, &ini, take, &ini);

	if (line != 0) {
		ini.line = (unsigned)(line > 0 ? line : 0);
		add_problem(&ini, STR("is not NAME = VALUE"));
	}
}

void ini_read(struct task *task, struct str path, struct written *written,
	      struct config_problems *problems)
{
	struct task scratch = { .clock = task->clock };
	struct str text;

	if (file_read(&scratch, path, FILE_MAX, &text) == OK)
		ini_take(task, path, text, written, problems);
	else
		problem_add(task, problems, NULL,
			    str_printf(&task->arena,
				       "%.*s; to set grantd up run: grantd init --dir DIR",
				       STR_FMT(scratch.reason)));
	task_end(&scratch);
}

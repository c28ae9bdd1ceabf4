/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for each test, with a task that has a fixed clock. */
#pragma once

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "config/file.h"

struct place {
	struct check_clock clock;
	struct task task;
	struct str dir;
};

static inline struct str place_at(struct place *place, const char *name)
{
	return file_path(&place->task, place->dir, str_from_c(name));
}

static inline void place_write(struct place *place, const char *name, const char *text,
			       unsigned mode)
{
	CHECK_ERR(file_replace(&place->task, place_at(place, name), str_from_c(text), mode), OK);
}

static inline void place_start(struct place *place)
{
	char dir[] = "/tmp/grantd-unit-XXXXXX";

	check_clock_start(&place->clock);
	task_begin(&place->task, &place->clock.clock, NULL);
	CHECK(mkdtemp(dir) != NULL);
	place->dir = str_copy(&place->task.arena, str_from_c(dir));
	CHECK(mkdir(place_at(place, "resources").at, 0700) == 0);
}

static inline void place_drop(struct place *place, const char *name)
{
	unlink(place_at(place, name).at);
}

/* Every file that a test made is named here, so that nothing is removed that is not ours. */
static inline void place_end(struct place *place)
{
	static const char *const files[] = { "grantd.conf",
					     "secret",
					     "url",
					     "resources/mail.json",
					     "resources/calendar.json",
					     "resources/Mail.json",
					     "other",
					     "linked" };

	for (size_t i = 0; i < COUNT_OF(files); i++)
		place_drop(place, files[i]);
	rmdir(place_at(place, "resources").at);
	CHECK(rmdir(str_to_c(&place->task.arena, place->dir)) == 0);
	task_end(&place->task);
}

static inline bool str_contains(struct str text, struct str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (str_equals(str_sub(text, i, part.len), part))
			return true;
	return false;
}

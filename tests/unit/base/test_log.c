/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/task.h"
#include "check.h"

static struct check_clock clock_of_test;
static struct log log_of_test;
static int reader;
static char line_bytes[65536];

static int begin(void **state)
{
	static struct task task;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	reader = ends[0];
	log_of_test = (struct log){ .fd = ends[1], .level = LOG_INFO };
	check_clock_start(&clock_of_test);
	task_begin(&task, &clock_of_test.clock, &log_of_test);
	*state = &task;
	return 0;
}

static int end(void **state)
{
	task_end(*state);
	close(reader);
	close(log_of_test.fd);
	return 0;
}

static struct str written(void)
{
	ssize_t len = read(reader, line_bytes, sizeof(line_bytes));

	return (struct str){ line_bytes, len < 0 ? 0 : (size_t)len };
}

static void a_line_has_time_level_event_and_both_kinds_of_fields(void **state)
{
	struct task *task = *state;

	task_tag(task, "request", STR("r1"));
	log_warning(task, "token.refused", LOG_STR("client", STR("mail-agent")),
		    LOG_INT("generation", -3));
	CHECK_STR(written(), STR("{\"time\":\"2026-11-25T09:00:00Z\",\"level\":\"warning\","
				 "\"event\":\"token.refused\",\"request\":\"r1\","
				 "\"client\":\"mail-agent\",\"generation\":-3}\n"));
}

static void what_is_below_the_level_is_not_written(void **state)
{
	struct task *task = *state;

	log_debug(task, "quiet");
	CHECK(written().len == 0);
	log_info(task, "loud");
	CHECK(written().len > 0);
	task->log = NULL;
	log_error(task, "nowhere");
	CHECK(written().len == 0);
}

static void a_value_cannot_begin_a_line_or_a_field_of_its_own(void **state)
{
	struct task *task = *state;
	struct str line;
	json_t *value = NULL;

	log_info(task, "x",
		 LOG_STR("name", STR("a\n{\"level\":\"error\"}\r\x1b[2J\",\"b\":\"\xFF")));
	line = written();
	CHECK(str_find(line, '\n') == line.len - 1);
	CHECK(!str_has(line, '\r') && !str_has(line, '\x1b'));
	CHECK_ERR(json_parse(task, line, line.len, &value), OK);
	CHECK(json_object_size(value) == 4);
	CHECK_STR(json_get_str(value, "level"), STR("info"));
	CHECK_STR(json_get_str(value, "name"),
		  STR("a\n{\"level\":\"error\"}\r\x1b[2J\",\"b\":\"\xEF\xBF\xBD"));
	json_unref(&value);
}

static void an_absent_text_is_still_a_field(void **state)
{
	struct task *task = *state;

	log_info(task, "x", LOG_STR("client", STR("")), LOG_STR("user", STR_NONE));
	CHECK(str_ends_with(written(), STR("\"client\":\"\",\"user\":0}\n")));
}

/* A client that names itself with 100 KiB must not keep its events out of the log. */
static void a_long_field_is_cut_and_its_event_still_told(void **state)
{
	static char name[100000];
	struct task *task = *state;
	json_t *value = NULL;
	struct str line;

	memset(name, '\x01', sizeof(name));
	for (int i = 0; i < TASK_LOG_FIELDS; i++)
		task_tag(task, (const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h" }[i],
			 (struct str){ name, sizeof(name) });
	log_error(task, "login.refused", LOG_STR("user", ((struct str){ name, sizeof(name) })));
	line = written();
	CHECK(line.len > 0 && line.len <= 4096 && line.at[line.len - 1] == '\n');
	CHECK_ERR(json_parse(task, line, line.len, &value), OK);
	CHECK_STR(json_get_str(value, "event"), STR("login.refused"));
	CHECK(json_is_true(json_object_get(value, "cut")));
	CHECK(json_get_str(value, "user").len == 16);
	json_unref(&value);
}

static void a_full_or_closed_pipe_stops_nothing(void **state)
{
	struct task *task = *state;

	for (int i = 0; i < 2000; i++)
		log_info(task, "filling", LOG_INT("i", i));
	log_of_test.level = LOG_ERROR;
	log_info(task, "not written");
	CHECK(task->error == OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(TEST(a_line_has_time_level_event_and_both_kinds_of_fields),
		   TEST(what_is_below_the_level_is_not_written),
		   TEST(a_value_cannot_begin_a_line_or_a_field_of_its_own),
		   TEST(an_absent_text_is_still_a_field),
		   TEST(a_long_field_is_cut_and_its_event_still_told),
		   TEST(a_full_or_closed_pipe_stops_nothing));
}

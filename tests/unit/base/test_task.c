/* SPDX-License-Identifier: Apache-2.0 */
#include "base/task.h"

#include "check.h"

static struct check_clock clock_of_test;

static int begin(void **state)
{
	static struct task task;

	check_clock_start(&clock_of_test);
	task_begin(&task, &clock_of_test.clock, NULL);
	*state = &task;
	return 0;
}

static int end(void **state)
{
	task_end(*state);
	return 0;
}

static void a_task_begins_at_the_time_of_its_clock(void **state)
{
	struct task *task = *state;

	CHECK(task->now == CHECK_NOW);
	CHECK(task->error == OK && task->reason.at == NULL && task->field_count == 0);
}

static void fail_is_the_error_and_notes_why(void **state)
{
	struct task *task = *state;

	CHECK_ERR(fail(task, ERR_SCOPE, "wider than the grant"), ERR_SCOPE);
	CHECK_ERR(task->error, ERR_SCOPE);
	CHECK_STR(task->reason, STR("wider than the grant"));
	CHECK_ERR(failf(task, ERR_GRANT, "generation %d", 7), ERR_GRANT);
	CHECK_STR(task->reason, STR("generation 7"));
}

static enum err pass_on(struct task *task)
{
	TRY(fail(task, ERR_STORE, "the disk is full"));
	return OK;
}

static void the_reason_stays_when_a_caller_passes_the_error_on(void **state)
{
	struct task *task = *state;

	CHECK_ERR(pass_on(task), ERR_STORE);
	CHECK_STR(task->reason, STR("the disk is full"));
	task_forgive(task);
	CHECK(task->error == OK && task->reason.at == NULL);
}

static void a_tag_set_again_is_replaced(void **state)
{
	struct task *task = *state;

	task_tag(task, "client", STR("a"));
	task_tag(task, "user", STR("u"));
	task_tag(task, "client", STR("b"));
	CHECK(task->field_count == 2);
	CHECK_STR(task->fields[0].text, STR("b"));
}

static void tags_beyond_the_room_for_them_do_no_harm(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		task_tag(task, keys[i], STR("x"));
	CHECK(task->field_count == TASK_LOG_FIELDS);
	CHECK(task->error == OK);
	task_tag(task, "a", STR("y"));
	CHECK_STR(task->fields[0].text, STR("y"));
}

static struct task *came_home;
static int steps;

static void go_home(struct task *task)
{
	came_home = task;
}

static enum err last_step(struct task *task, enum err result, void *arg)
{
	CHECK(arg == &steps);
	steps++;
	return result == OK ? OK : fail(task, result, "the last step saw it");
}

static enum err first_step(struct task *task, enum err result, void *arg)
{
	CHECK_ERR(result, OK);
	steps++;
	return task_park(task, last_step, arg);
}

static void a_parked_task_goes_on_with_the_result_and_its_argument(void **state)
{
	struct task *task = *state;

	steps = 0;
	came_home = NULL;
	task->home = go_home;
	CHECK_ERR(task_park(task, last_step, &steps), ERR_PARKED);
	CHECK(steps == 0);
	task_resume(task, ERR_STORE);
	CHECK(came_home == task && steps == 0);
	CHECK_ERR(task_go_on(task), ERR_STORE);
	CHECK(steps == 1);
	CHECK_STR(task->reason, STR("the last step saw it"));
}

static void a_step_may_park_again(void **state)
{
	struct task *task = *state;

	steps = 0;
	task->home = go_home;
	CHECK_ERR(task_park(task, first_step, &steps), ERR_PARKED);
	task_resume(task, OK);
	CHECK_ERR(task_go_on(task), ERR_PARKED);
	task_resume(task, OK);
	CHECK_ERR(task_go_on(task), OK);
	CHECK(steps == 2);
	CHECK(task->then == NULL);
}

static void every_error_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = OK; a <= ERR_LAST; a++) {
		CHECK(err_name((enum err)a) != NULL);
		for (int b = OK; b < a; b++)
			assert_string_not_equal(err_name((enum err)a), err_name((enum err)b));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(
		TEST(a_task_begins_at_the_time_of_its_clock), TEST(fail_is_the_error_and_notes_why),
		TEST(the_reason_stays_when_a_caller_passes_the_error_on),
		TEST(a_tag_set_again_is_replaced), TEST(tags_beyond_the_room_for_them_do_no_harm),
		TEST(a_parked_task_goes_on_with_the_result_and_its_argument),
		TEST(a_step_may_park_again), TEST(every_error_has_a_name_of_its_own));
}

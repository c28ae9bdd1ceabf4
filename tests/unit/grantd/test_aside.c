/* SPDX-License-Identifier: Apache-2.0 */
/* Work beside a start: it runs there, its end is awaited, its failure is heard. */
#include "grantd/aside.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "../check.h"
#include "base/task.h"

static struct clock watch;
static struct log quiet = { .level = LOG_ERROR };

struct errand {
	pthread_barrier_t *meet; /* NULL: alone */
	pthread_t by;
	bool is_done;
	enum err result;
};

static enum err work(struct task *task, void *arg)
{
	struct errand *errand = arg;

	if (errand->meet != NULL)
		(void)pthread_barrier_wait(errand->meet);
	errand->by = pthread_self();
	errand->is_done = true;
	if (errand->result != OK)
		return failf(task, errand->result, "%s was not found", "de.json");
	return OK;
}

static void it_runs_beside_the_caller(void **state)
{
	pthread_barrier_t meet;
	struct errand errand = { .meet = &meet };
	struct aside *aside;
	struct task task;

	(void)state;
	task_begin(&task, &watch, &quiet);
	CHECK(pthread_barrier_init(&meet, NULL, 2) == 0);
	aside = aside_start(&task, work, &errand);
	/* nobody comes to this point who did the work before it came back */
	(void)pthread_barrier_wait(&meet);
	CHECK_ERR(aside_join(&task, &aside), OK);
	CHECK(aside == NULL && errand.is_done && !pthread_equal(errand.by, pthread_self()));
	CHECK_ERR(aside_join(&task, &aside), OK);
	pthread_barrier_destroy(&meet);
	task_end(&task);
}

static struct aside *begin_failing(struct task *task, struct errand *errand)
{
	*errand = (struct errand){ .result = ERR_CONFIG };
	task_begin(task, &watch, &quiet);
	return aside_start(task, work, errand);
}

static void its_failure_is_that_of_who_waits(void **state)
{
	struct errand errand;
	struct task task;
	struct aside *aside = begin_failing(&task, &errand);

	(void)state;
	CHECK_ERR(aside_join(&task, &aside), ERR_CONFIG);
	CHECK(task.error == ERR_CONFIG && str_equals(task.reason, STR("de.json was not found")));
	task_end(&task);
}

static void it_does_not_hide_why_another_failed_before(void **state)
{
	struct errand errand;
	struct task task;
	struct aside *aside = begin_failing(&task, &errand);

	(void)state;
	task_note(&task, ERR_STORE, STR("the database is away"));
	CHECK_ERR(aside_join(&task, &aside), ERR_CONFIG);
	CHECK(task.error == ERR_STORE && str_equals(task.reason, STR("the database is away")));
	task_end(&task);
}

static void what_is_forgotten_has_ended_and_says_nothing(void **state)
{
	struct errand errand;
	struct task task;
	struct aside *aside = begin_failing(&task, &errand);

	(void)state;
	aside_forget(&aside);
	CHECK(aside == NULL && errand.is_done && task.error == OK);
	aside_forget(&aside);
	task_end(&task);
}

int main(void)
{
	return RUN(cmocka_unit_test(it_runs_beside_the_caller),
		   cmocka_unit_test(its_failure_is_that_of_who_waits),
		   cmocka_unit_test(it_does_not_hide_why_another_failed_before),
		   cmocka_unit_test(what_is_forgotten_has_ended_and_says_nothing));
}

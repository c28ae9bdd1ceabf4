/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tally.h"

#include <pthread.h>

#include "check.h"

#define EACH 50000

struct counting {
	struct task task;
	pthread_t id;
};

static void *count_many(void *arg)
{
	const struct counting *counting = arg;

	for (int i = 0; i < EACH; i++) {
		tally_add(&counting->task, TALLY_SIGN_IN);
		tally_refusal(&counting->task, ERR_GRANT);
	}
	return NULL;
}

static void threads_count_side_by_side_and_nothing_is_lost(void **state)
{
	struct tally *tally = tally_new(4);
	struct counting threads[4] = { 0 };

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(threads); i++) {
		threads[i].task.tally = tally;
		threads[i].task.thread = i;
		CHECK(pthread_create(&threads[i].id, NULL, count_many, &threads[i]) == 0);
	}
	for (unsigned i = 0; i < COUNT_OF(threads); i++)
		CHECK(pthread_join(threads[i].id, NULL) == 0);
	CHECK(tally_sum(tally, TALLY_SIGN_IN) == UINT64_C(4) * EACH);
	CHECK(tally_refusals(tally, ERR_GRANT) == UINT64_C(4) * EACH);
	CHECK(tally_sum(tally, TALLY_SIGN_IN_WRONG) == 0);
	CHECK(tally_refusals(tally, ERR_CLIENT) == 0);
	tally_free(&tally);
	CHECK(tally == NULL);
}

static void a_thread_that_the_tally_does_not_know_counts_nothing(void **state)
{
	struct tally *tally = tally_new(2);
	struct task task = { .tally = tally, .thread = 2 };

	(void)state;
	tally_add(&task, TALLY_SIGN_IN);
	tally_refusal(&task, ERR_LAST);
	CHECK(tally_sum(tally, TALLY_SIGN_IN) == 0);
	task.thread = 1;
	tally_add(&task, TALLY_COUNT - 1);
	tally_refusal(&task, ERR_LAST);
	CHECK(tally_sum(tally, TALLY_COUNT - 1) == 1);
	CHECK(tally_refusals(tally, ERR_LAST) == 1);
	tally_free(&tally);
}

static void a_task_without_a_tally_counts_nothing(void **state)
{
	struct task task = { 0 };
	struct tally *tally = NULL;

	(void)state;
	tally_add(&task, TALLY_SIGN_IN);
	tally_refusal(&task, ERR_GRANT);
	CHECK(tally_sum(NULL, TALLY_SIGN_IN) == 0);
	CHECK(tally_refusals(NULL, ERR_GRANT) == 0);
	tally_free(&tally);
}

int main(void)
{
	return RUN(cmocka_unit_test(threads_count_side_by_side_and_nothing_is_lost),
		   cmocka_unit_test(a_thread_that_the_tally_does_not_know_counts_nothing),
		   cmocka_unit_test(a_task_without_a_tally_counts_nothing));
}

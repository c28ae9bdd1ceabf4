/* SPDX-License-Identifier: Apache-2.0 */
/* Of many who ask for one document at the same time one reads, and the others wait for it. */
#include "authority/document_flights.h"

#include "world.h"

#define FOR_ONE 128 /* may wait (document_flights.c) */

static const struct str URL = STR_INIT("https://agent.example/client.json");

static struct world world;
static struct documents *documents;
static struct world_task waiting[FOR_ONE];

static int begin(void **state)
{
	(void)state;
	world_open(&world);
	documents = documents_new();
	for (size_t i = 0; i < FOR_ONE; i++)
		world_task_begin(&world, &waiting[i]);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < FOR_ONE; i++)
		world_task_end(&waiting[i]);
	documents_free(&documents);
	world_close(&world);
	return 0;
}

static enum err never(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

static enum err begin_as(struct world_task *one, struct str url)
{
	return document_flight_begin(&one->task, documents, url, never, NULL);
}

static void read_by_one_and_awaited_by_two(void)
{
	CHECK_ERR(begin_as(&world.home, URL), OK);
	for (size_t i = 0; i < 2; i++)
		CHECK_ERR(begin_as(&waiting[i], URL), ERR_PARKED);
}

static void who_waits_is_told_what_the_one_who_reads_is_told(void **state)
{
	(void)state;
	read_by_one_and_awaited_by_two();
	document_flight_end(documents, URL, ERR_CLIENT_DOCUMENT, STR("no JSON"));
	for (size_t i = 0; i < 2; i++) {
		CHECK_ERR(waiting[i].task.result, ERR_CLIENT_DOCUMENT);
		CHECK_STR(waiting[i].task.reason, STR("no JSON"));
	}
	CHECK_ERR(begin_as(&waiting[0], URL), OK);
	document_flight_end(documents, URL, OK, STR_NONE);
}

static void that_the_one_who_reads_asks_too_often_is_nothing_to_who_waits(void **state)
{
	(void)state;
	read_by_one_and_awaited_by_two();
	document_flight_end(documents, URL, ERR_THROTTLED, STR("too often"));
	for (size_t i = 0; i < 2; i++) {
		CHECK_ERR(waiting[i].task.result, OK);
		CHECK(waiting[i].task.reason.len == 0);
	}
}

static void one_slow_document_does_not_take_all_places_to_wait(void **state)
{
	const struct str other = STR("https://other.example/client.json");
	struct world_task late;

	(void)state;
	world_task_begin(&world, &late);
	CHECK_ERR(begin_as(&world.home, URL), OK);
	for (size_t i = 0; i < FOR_ONE; i++)
		CHECK_ERR(begin_as(&waiting[i], URL), ERR_PARKED);
	CHECK_ERR(begin_as(&late, URL), ERR_BUSY);
	CHECK_ERR(begin_as(&world.home, other), OK);
	CHECK_ERR(begin_as(&late, other), ERR_PARKED);
	document_flight_end(documents, URL, OK, STR_NONE);
	document_flight_end(documents, other, OK, STR_NONE);
	world_task_end(&late);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(TEST(who_waits_is_told_what_the_one_who_reads_is_told),
		   TEST(that_the_one_who_reads_asks_too_often_is_nothing_to_who_waits),
		   TEST(one_slow_document_does_not_take_all_places_to_wait));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes of resource files leave an event, and that each leaves one. */
#include "grantd/resource_record.h"

#include "store/events.h"
#include "world.h"

static struct world world;

static int start(void **state)
{
	(void)state;
	world_open(&world);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void take_up(const struct resource *resources, size_t count)
{
	struct config config = { .resources = resources, .resource_count = count };

	world.clock.now += SECOND_MS;
	CHECK_ERR(resources_record(world_task(&world), world.store, &config), OK);
}

/* "KIND URI DETAILS" of every event, the newest first. */
static struct str recorded(void)
{
	struct task *task = world_task(&world);
	struct event_filter filter = { 0 };
	struct event *events = NULL;
	struct str text = STR("");
	size_t count = 0;

	CHECK_ERR(event_list(task, world_reader(&world), &filter, 100, &events, &count), OK);
	for (size_t i = 0; i < count; i++) {
		CHECK_STR(events[i].actor, STR("operator"));
		text = STR_JOIN(&task->arena, text, events[i].kind, STR(" "), events[i].resource,
				STR(" "), events[i].details, STR("\n"));
	}
	return text;
}

static const struct resource mail = { .name = STR_INIT("mail"),
				      .uri = STR_INIT("https://a.example/mail"),
				      .file_hash = STR_INIT("11") };
static const struct resource other = { .name = STR_INIT("other"),
				       .uri = STR_INIT("https://a.example/other"),
				       .file_hash = STR_INIT("22") };
static const struct resource mail_changed = { .name = STR_INIT("mail"),
					      .uri = STR_INIT("https://a.example/mail"),
					      .file_hash = STR_INIT("33") };

#define ADDED "resource.added https://a.example/mail {\"name\":\"mail\",\"sha256\":\"11\"}\n"

static void a_new_file_is_recorded_once_also_across_restarts(void **state)
{
	(void)state;
	take_up(NULL, 0);
	CHECK_STR(recorded(), STR(""));
	take_up(&mail, 1);
	take_up(&mail, 1);
	world_restart(&world);
	take_up(&mail, 1);
	CHECK_STR(recorded(), STR(ADDED));
}

static void another_text_is_recorded_with_its_hash(void **state)
{
	(void)state;
	take_up(&mail, 1);
	take_up(&mail_changed, 1);
	CHECK_STR(recorded(), STR("resource.changed https://a.example/mail "
				  "{\"name\":\"mail\",\"sha256\":\"33\"}\n" ADDED));
}

static void a_file_that_is_gone_is_recorded(void **state)
{
	const struct resource both[] = { mail, other };

	(void)state;
	take_up(&mail, 1);
	take_up(both, COUNT_OF(both));
	take_up(&mail, 1);
	take_up(&mail, 1);
	CHECK_STR(recorded(), STR("resource.removed https://a.example/other "
				  "{\"name\":\"other\",\"sha256\":\"22\"}\n"
				  "resource.added https://a.example/other "
				  "{\"name\":\"other\",\"sha256\":\"22\"}\n" ADDED));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	return RUN(TEST(a_new_file_is_recorded_once_also_across_restarts),
		   TEST(another_text_is_recorded_with_its_hash),
		   TEST(a_file_that_is_gone_is_recorded));
}

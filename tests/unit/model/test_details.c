/* SPDX-License-Identifier: Apache-2.0 */
#include "one_task.h"

#include "model/details.h"

#define R    "https://r.example/mail"
#define HEAD "{\"type\":\"operations\",\"locations\":[\"" R "\"],"

static const struct str limits[] = { STR_INIT("per_hour"), STR_INIT("per_day"), STR_INIT("uses"),
				     STR_INIT("paths") };

static bool is_resource(struct task *task_, const void *context, struct str uri)
{
	(void)task_;
	(void)context;
	return str_equals(uri, STR(R));
}

static bool find(const void *context, struct str action, struct operation_rule *ret_rule)
{
	(void)context;
	*ret_rule = (struct operation_rule){ STR("a"), limits, COUNT_OF(limits) };
	if (str_equals(action, STR("z")))
		ret_rule->scope = STR("b");
	return action.len == 1;
}

static const struct details_rules rules = { STR_INIT(R), is_resource, find, NULL };

static struct details parsed(struct str text)
{
	struct details details = { 0 };

	CHECK_ERR(details_parse(&task, text, &rules, &details), OK);
	return details;
}

/* An element with these members besides its head. */
static struct detail one(const char *rest)
{
	return parsed(STR_JOIN(&task.arena, STR("[" HEAD), str_from_c(rest), STR("}]"))).items[0];
}

static const struct {
	const char *parent, *child;
	bool covers;
} pairs[] = {
	{ "\"actions\":[\"x\"]", "\"actions\":[\"x\"]", true },
	{ "\"actions\":[\"x\",\"y\"]", "\"actions\":[\"y\"]", true },
	{ "\"actions\":[\"y\"]", "\"actions\":[\"x\",\"y\"]", false },
	{ "\"actions\":[\"z\"]", "\"actions\":[\"x\"]", false },
	{ "\"actions\":[\"x\"]", "\"actions\":[\"x\"],\"limits\":{\"uses\":1}", true },
	{ "\"actions\":[\"x\"],\"limits\":{\"uses\":1}", "\"actions\":[\"x\"]", false },
	{ "\"actions\":[\"x\"],\"limits\":{\"per_day\":5}",
	  "\"actions\":[\"x\"],\"limits\":{\"per_day\":5}", true },
	{ "\"actions\":[\"x\"],\"limits\":{\"per_day\":5}",
	  "\"actions\":[\"x\"],\"limits\":{\"per_day\":6}", false },
	{ "\"actions\":[\"x\"],\"limits\":{\"per_day\":5}",
	  "\"actions\":[\"x\"],\"limits\":{\"per_hour\":5}", false },
	{ "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/\"]}",
	  "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a\"]}", true },
	{ "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/\"]}", "\"actions\":[\"x\"]", false },
	{ "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a\"]}",
	  "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a/b\",\"/a\"]}", true },
	{ "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a\"]}",
	  "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/ab\"]}", false },
	{ "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a\"]}",
	  "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/A\"]}", false },
	{ "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a\"]}",
	  "\"actions\":[\"x\"],\"limits\":{\"paths\":[\"/a\",\"/b\"]}", false },
};

static void a_narrower_element_is_covered_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct detail parent = one(pairs[i].parent), child = one(pairs[i].child);

		CHECK_ROW(detail_covers(&parent, &child) == pairs[i].covers, "%s over %s\n",
			  pairs[i].parent, pairs[i].child);
	}
}

static void however_it_is_spelled_it_has_one_form(void **state)
{
	const struct str form = STR("[{\"type\":\"operations\",\"locations\":[\"" R "\"],"
				    "\"scope\":\"a\",\"actions\":[\"x\",\"y\"],\"limits\":{"
				    "\"per_hour\":1,\"uses\":2,\"paths\":[\"/a\",\"/b\"]}}]");
	struct details details = parsed(STR("[{\"limits\":{\"paths\":[\"/b\",\"/a\",\"/b\"],"
					    "\"uses\":2,\"per_hour\":1},\"actions\":[\"y\",\"x\","
					    "\"y\"], \"locations\":[\"" R "\"],"
					    "\"type\":\"operations\"}]"));
	struct details again = { 0 };

	(void)state;
	CHECK_STR(details_print(&task.arena, &details), form);
	CHECK_ERR(details_read(&task, form, &again), OK);
	CHECK_STR(details_print(&task.arena, &again), form);
	CHECK_STR(again.resource, STR(R));
	CHECK_ERR(details_read(&task, STR_NONE, &again), OK);
	CHECK(again.count == 0 && details_print(&task.arena, &again).at == NULL);
}

static void what_is_kept_says_its_scope_itself(void **state)
{
	struct details details = { 0 };

	(void)state;
	CHECK_ERR(details_read(&task, STR("[" HEAD "\"actions\":[\"x\"]}]"), &details),
		  ERR_DETAILS);
	task_forgive(&task);
	CHECK_ERR(details_read(&task,
			       STR("[" HEAD "\"scope\":\"gone\",\"actions\":[\"long gone\"]}]"),
			       &details),
		  OK);
	CHECK(details_restrict(&details, STR("gone")) && !details_restrict(&details, STR("a")));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_narrower_element_is_covered_and_no_other),
		cmocka_unit_test(however_it_is_spelled_it_has_one_form),
		cmocka_unit_test(what_is_kept_says_its_scope_itself),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}

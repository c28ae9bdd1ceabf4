/* SPDX-License-Identifier: Apache-2.0 */
#include "web/user_agent.h"

#include "base/compiler.h"

struct mark {
	struct str mark;
	struct str name;
};

/* The first that is found: most browsers name the older ones that they descend from, too. */
static const struct mark browsers[] = {
	{ STR_INIT("Edg"), STR_INIT("Edge") },
	{ STR_INIT("OPR/"), STR_INIT("Opera") },
	{ STR_INIT("SamsungBrowser/"), STR_INIT("Samsung Internet") },
	{ STR_INIT("Firefox/"), STR_INIT("Firefox") },
	{ STR_INIT("FxiOS/"), STR_INIT("Firefox") },
	{ STR_INIT("CriOS/"), STR_INIT("Chrome") },
	{ STR_INIT("Chrome/"), STR_INIT("Chrome") },
	{ STR_INIT("Safari/"), STR_INIT("Safari") },
};

static const struct mark systems[] = {
	{ STR_INIT("Windows"), STR_INIT("Windows") }, { STR_INIT("Android"), STR_INIT("Android") },
	{ STR_INIT("iPhone"), STR_INIT("iPhone") },   { STR_INIT("iPad"), STR_INIT("iPad") },
	{ STR_INIT("Macintosh"), STR_INIT("Mac") },   { STR_INIT("CrOS"), STR_INIT("ChromeOS") },
	{ STR_INIT("Linux"), STR_INIT("Linux") },
};

static bool has_mark(struct str text, struct str mark)
{
	for (size_t i = 0; i + mark.len <= text.len; i++)
		if (str_equals(str_sub(text, i, mark.len), mark))
			return true;
	return false;
}

static struct str name_in(struct str text, const struct mark *marks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_mark(text, marks[i].mark))
			return marks[i].name;
	return STR_NONE;
}

struct str user_agent_browser(struct str user_agent)
{
	return name_in(user_agent, browsers, COUNT_OF(browsers));
}

struct str user_agent_system(struct str user_agent)
{
	return name_in(user_agent, systems, COUNT_OF(systems));
}

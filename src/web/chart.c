/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fourteen days as bars (an SVG without a line of style in it) and as the table that says the
 * same.
 */
#include "store/events.h"
#include "web/agents.h"
#include "web/words.h"

#define DAYS	    14
#define CHART_HIGH  64
#define CHART_STEP  40
#define CHART_WIDE  24
#define CHART_TOP   8
#define CHART_FLOOR (CHART_TOP + CHART_HIGH)

static int64_t count_on(const struct event_day *days, size_t count, int64_t day)
{
	for (size_t i = 0; i < count; i++)
		if (days[i].day == day)
			return days[i].count;
	return 0;
}

static void add_bar(const struct page *page, struct data *list, int64_t index, int64_t used,
		    int64_t most)
{
	struct arena *arena = &page->task->arena;
	int64_t day = page->task->now / DAY_MS - (DAYS - 1) + index;
	int64_t high = most == 0 ? 0 : (used * CHART_HIGH + most - 1) / most;
	struct data *bar = data_item(list);

	data_str(bar, "date", str_sub(clock_format(arena, day * DAY_MS), 0, 10));
	data_str(bar, "day", str_sub(clock_format(arena, day * DAY_MS), 8, 2));
	data_int(bar, "used", used);
	data_int(bar, "x", index * CHART_STEP + (CHART_STEP - CHART_WIDE) / 2);
	data_int(bar, "y", CHART_FLOOR - high);
	data_int(bar, "high", high);
}

enum err agents_add_chart(const struct page *page, struct db *db, struct str client_id)
{
	int64_t first = page->task->now / DAY_MS - (DAYS - 1), most = 0, total = 0;
	struct event_filter filter = { .user_id = page->user.id,
				       .client_id = client_id,
				       .since = first * DAY_MS };
	struct event_day *days = NULL;
	struct data *chart, *list;
	size_t count = 0;

	TRY(event_count_uses(page->task, db, &filter, &days, &count));
	for (size_t i = 0; i < count; i++) {
		most = days[i].count > most ? days[i].count : most;
		total += days[i].count;
	}
	if (total == 0)
		return OK; /* an empty chart says less than a sentence */
	chart = data_object(page->data, "chart");
	list = data_array(chart, "bars");
	for (int64_t i = 0; i < DAYS; i++)
		add_bar(page, list, i, count_on(days, count, first + i), most);
	data_str(chart, "summary", words_count(page, "chart.summary", total));
	return OK;
}

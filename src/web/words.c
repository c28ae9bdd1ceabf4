/* SPDX-License-Identifier: Apache-2.0 */
#include "web/words.h"

#include <time.h>

#include "authority/details.h"
#include "crypto/digest.h"

#define MONOGRAM_COLOURS 12

const struct duration_choice duration_choices[] = {
	{ "1h", "duration.1h", HOUR_MS },
	{ "today", "duration.today", DAY_MS },
	{ "7d", "duration.7d", 7 * DAY_MS },
	{ "30d", "duration.30d", 30 * DAY_MS },
	{ "until-revoked", "duration.until-revoked", 0 },
};
const size_t duration_choice_count = COUNT_OF(duration_choices);

bool duration_is_allowed(const struct duration_choice *choice, int64_t max)
{
	return max == 0 || (choice->ms != 0 && choice->ms <= max);
}

struct str words_count(const struct page *page, const char *key, int64_t count)
{
	struct data *data = data_new_object(&page->task->arena);
	struct str name = STR_JOIN(&page->task->arena, str_from_c(key),
				   count == 1 ? STR(".one") : STR(".other"));

	data_int(data, "count", count);
	return page_text(page, name.at, data);
}

struct str words_wait(const struct page *page, int64_t seconds)
{
	reply_field(page->exchange, STR("Retry-After"),
		    str_printf(&page->task->arena, "%lld", (long long)seconds));
	return words_count(page, "login.throttled", seconds);
}

struct str words_exact(const struct page *page, int64_t at)
{
	struct data *data = data_new_object(&page->task->arena);
	struct arena *arena = &page->task->arena;
	time_t seconds = (time_t)(at / SECOND_MS);
	struct tm tm = { 0 };
	struct str month;

	if (gmtime_r(&seconds, &tm) == NULL)
		return clock_format(arena, at);
	month = str_printf(arena, "month.%d", tm.tm_mon + 1);
	data_int(data, "day", tm.tm_mday);
	data_str(data, "month", page_text(page, month.at, NULL));
	data_int(data, "year", tm.tm_year + 1900);
	data_str(data, "time", str_printf(arena, "%02d:%02d", tm.tm_hour, tm.tm_min));
	return page_text(page, "time.exact", data);
}

/* Coarse on purpose: the exact moment is in the title. */
static struct str relative(const struct page *page, int64_t at)
{
	static const struct {
		int64_t ms;
		const char *past;
		const char *future;
	} units[] = {
		{ DAY_MS, "time.days_ago", "time.in_days" },
		{ HOUR_MS, "time.hours_ago", "time.in_hours" },
		{ MINUTE_MS, "time.minutes_ago", "time.in_minutes" },
	};
	int64_t away = page->task->now - at;
	int64_t distance = away < 0 ? -away : away;

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (distance < units[i].ms)
			continue;
		if (away < 0) /* seven days from a moment ago are not six */
			return words_count(page, units[i].future,
					   (distance + units[i].ms / 2) / units[i].ms);
		return words_count(page, units[i].past, distance / units[i].ms);
	}
	return page_text(page, away < 0 ? "time.soon" : "time.now", NULL);
}

void words_time(const struct page *page, struct data *object, int64_t at)
{
	if (at == NEVER) {
		data_str(object, "words", page_text(page, "time.never", NULL));
		return;
	}
	data_str(object, "iso", clock_format(&page->task->arena, at));
	data_str(object, "exact", words_exact(page, at));
	data_str(object, "words", relative(page, at));
}

static size_t character_length(struct str text)
{
	size_t len = 1;

	while (len < text.len && ((unsigned char)text.at[len] & 0xC0) == 0x80)
		len++;
	return text.len == 0 ? 0 : len;
}

static struct str upper(struct arena *arena, struct str c)
{
	char letter = c.len == 1 ? c.at[0] : '\0';

	if (letter < 'a' || letter > 'z')
		return c;
	letter = (char)(letter - 'a' + 'A');
	return str_copy(arena, (struct str){ &letter, 1 });
}

/* The first letters of the first two words. */
static struct str letters(struct arena *arena, struct str name)
{
	struct str word, rest = name, first = STR(""), second = STR("");

	while (second.len == 0 && str_next(&rest, ' ', &word)) {
		struct str letter = upper(arena, str_sub(word, 0, character_length(word)));

		if (first.len == 0)
			first = letter;
		else
			second = letter;
	}
	return STR_JOIN(arena, first, second);
}

void words_monogram(const struct page *page, struct data *object, struct str id, struct str name)
{
	struct arena *arena = &page->task->arena;

	data_str(object, "letters", letters(arena, name));
	data_str(object, "class", str_printf(arena, "m%u", crc32_of(id) % MONOGRAM_COLOURS));
}

void words_status(const struct page *page, struct data *object, enum grant_status status)
{
	struct str name = grant_status_name(status);
	struct str key = STR_JOIN(&page->task->arena, STR("status."), name);

	data_str(object, "name", name);
	data_str(object, "word", page_text(page, key.at, NULL));
}

static struct str join(struct arena *arena, struct str text, const char *between, struct str more)
{
	return str_is_empty(text) ? more : STR_JOIN(arena, text, str_from_c(between), more);
}

/* What the file does not know any more has no words but its name. */
static struct str action_words(const struct resource *resource, struct str action)
{
	const struct resource_scope *scope = NULL;
	const struct resource_operation *operation = details_operation(resource, action, &scope);

	return operation == NULL ? action : operation->title;
}

static struct str limit_words(const struct page *page, enum limit limit, int64_t count)
{
	struct str key = STR_JOIN(&page->task->arena, STR("consent.limit."),
				  str_from_c(limit_name(limit)));
	struct data *data = data_new_object(&page->task->arena);

	data_int(data, "count", count);
	return page_text(page, key.at, data);
}

static struct str path_words(const struct page *page, const struct detail *detail)
{
	struct data *data = data_new_object(&page->task->arena);
	struct str paths = STR("");

	for (size_t i = 0; i < detail->path_count; i++)
		paths = join(&page->task->arena, paths, ", ", detail->paths[i]);
	data_str(data, "paths", paths);
	return page_text(page, "consent.limit.paths", data);
}

struct str words_detail(const struct page *page, const struct resource *resource,
			const struct detail *detail)
{
	struct arena *arena = &page->task->arena;
	struct str text = STR("");

	for (size_t i = 0; i < detail->action_count; i++)
		text = join(arena, text, ", ", action_words(resource, detail->actions[i]));
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (detail->limits[i] != 0)
			text = join(arena, text, " · ",
				    limit_words(page, (enum limit)i, detail->limits[i]));
	if (detail->path_count > 0)
		text = join(arena, text, " · ", path_words(page, detail));
	return text;
}

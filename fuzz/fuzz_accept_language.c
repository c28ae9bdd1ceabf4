/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line is ui_locales, the rest is Accept-Language. There is always a language, it is one
 * of ours, and unless it is English it was asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/task.h"
#include "http/locale.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const languages[] = { "en", "de", "pt-br", "ar" };

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void each_file(const char *dir, bool is_write)
{
	char path[128];
	FILE *file;

	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		snprintf(path, sizeof(path), "%s/%s.json", dir, languages[i]);
		if (!is_write) {
			expect(unlink(path) == 0);
			continue;
		}
		file = fopen(path, "w");
		expect(file != NULL && fputs("{\"word\": \"word\"}", file) >= 0);
		expect(fclose(file) == 0);
	}
}

static struct locale_set *load(void)
{
	char dir[] = "/tmp/grantd-fuzz-XXXXXX";
	struct locale_set *set = NULL;
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	expect(mkdtemp(dir) != NULL);
	each_file(dir, true);
	expect(locale_set_load(&task, str_from_c(dir), &set) == OK);
	each_file(dir, false);
	expect(rmdir(dir) == 0);
	task_end(&task);
	return set;
}

static bool is_asked(struct str text, struct str tag)
{
	for (size_t i = 0; i + tag.len <= text.len; i++)
		if (str_equals_nocase(str_sub(text, i, tag.len), tag))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct locale_set *set;
	struct str line = STR_NONE, rest = { (const char *)data, size };
	const struct locale *locale;
	struct str tag;
	bool is_ours = false;

	if (set == NULL)
		set = load();
	(void)str_next(&rest, '\n', &line);
	locale = locale_choose(set, line, rest);
	expect(locale != NULL && locale == locale_choose(set, line, rest));
	tag = locale_tag(locale);
	for (size_t i = 0; i < COUNT_OF(languages); i++)
		is_ours = is_ours || str_equals(tag, str_from_c(languages[i]));
	expect(is_ours);
	expect(str_equals(tag, STR("en")) || is_asked(line, tag) || is_asked(rest, tag));
	expect(str_equals(locale_find(locale, STR("word")), STR("word")));
	return 0;
}

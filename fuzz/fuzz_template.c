/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a template, over data that tries to break out of wherever it is put: it is refused,
 * or the marks that a value needs for that do not reach the page. (Templates come from the
 * operator, so this is about our compiler's picture of the markup, not about hostile templates.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "http/locale.h"
#include "http/template.h"
#include "http/template_compile.h"

#define HTML_MAX (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/grantd-fuzz-XXXXXX";
static struct locale_set *languages;
static json_t *values;

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void write_file(const char *name, const void *text, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	expect(file != NULL && fwrite(text, 1, size, file) == size);
	expect(fclose(file) == 0);
}

static void clean_up(void)
{
	static const char *const names[] = { "main.html", "part.html", "en.json" };
	char path[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
	locale_set_free(&languages);
	json_decref(values);
}

static void begin(struct task *task)
{
	static const char part[] = "<b title=\"{{name}}\">{{name}}</b>";
	static const char words[] = "{\"key\": \"<§µ \\\" {name}\", \"plain\": \"word\"}";

	expect(mkdtemp(dir) != NULL);
	write_file("part.html", part, strlen(part));
	write_file("en.json", words, strlen(words));
	expect(locale_set_load(task, str_from_c(dir), &languages) == OK);
	values = json_pack("{s:s, s:s, s:s, s:[s,s], s:{s:s}, s:b, s:[], s:i}", /* */
			   "name", "\"§µ'><§µ onload=§µ>&{{name}}", /* breaks out of anything */
			   "url", "javascript:§µ\"<§µ", "path", "/§µ\"<§µ?a=b&c=\"§µ#d", /* */
			   "list", "<§µ one", "\"§µ two", "a", "b", "<§µ\"§µ", "yes", 1, "none",
			   "number", 7);
	expect(values != NULL);
	atexit(clean_up);
}

static bool has(struct str text, const char *needle)
{
	return text.at != NULL && text.len > 0 &&
	       memmem(text.at, text.len, needle, strlen(needle)) != NULL;
}

/* Literal text is the template's own, and each section's two ends know one another. */
static void check_steps(const struct template *template, struct str text)
{
	for (size_t i = 0; i < template->count; i++) {
		const struct step *step = &template->steps[i];

		if (step->kind == STEP_TEXT)
			expect(step->text.at >= text.at &&
			       step->text.at + step->text.len <= text.at + text.len);
		if (step->kind != STEP_SECTION && step->kind != STEP_INVERTED)
			continue;
		expect(step->other > i && step->other < template->count);
		expect(template->steps[step->other].kind == STEP_END);
		expect(template->steps[step->other].other == i);
	}
}

/* § and µ of its own, which hardly any has, may come together around values that are nothing. */
static bool could_write_marks(const struct template *template)
{
	for (size_t i = 0; i < template->count; i++) {
		const struct step *step = &template->steps[i];

		if (step->kind == STEP_TEXT && str_has(step->text, '\xA7'))
			return true;
	}
	return false;
}

static void check_page(struct task *task, struct str text, bool has_own_marks)
{
	const struct template_view view = {
		.name = STR("main"),
		.data = data_of_json(&task->arena, values),
		.locale = locale_choose(languages, STR_NONE, STR_NONE),
		.max = HTML_MAX,
	};
	CLEANUP(template_set_free) struct template_set *set = NULL;
	struct str html;

	write_file("main.html", text.at, text.len);
	if (template_set_load(task, str_from_c(dir), &set) != OK)
		return;
	if (template_render(task, set, &view, &html) != OK)
		return;
	expect(html.len <= HTML_MAX);
	expect(has_own_marks || !has(html, "<§µ"));
	expect(has_own_marks || !has(html, "\"§µ"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { size > 0 ? (const char *)data : "", size };
	struct clock clock = { 0 };
	struct template template;
	struct task task;

	task_begin(&task, &clock, NULL);
	if (languages == NULL)
		begin(&task);
	if (template_compile(&task, &task.arena, STR("main"), text, &template) == OK) {
		check_steps(&template, text);
		task_forgive(&task);
		check_page(&task, text, could_write_marks(&template));
	}
	task_end(&task);
	return 0;
}

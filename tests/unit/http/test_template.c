/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "http/locale.h"
#include "http/template.h"
#include "short_folder.h"

/* A folder of templates (and one of locales) that a test fills. */
struct world {
	struct task task;
	struct check_clock clock;
	struct log log;
	char pages[64];
	char locales[64];
	struct template_set *set;
	struct locale_set *languages;
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static void world_open(struct world *world)
{
	*world = (struct world){ .log = { .fd = -1, .level = LOG_ERROR } };
	check_clock_start(&world->clock);
	task_begin(&world->task, &world->clock.clock, &world->log);
	(void)snprintf(world->pages, sizeof(world->pages), "/tmp/grantd-pages-XXXXXX");
	(void)snprintf(world->locales, sizeof(world->locales), "/tmp/grantd-words-XXXXXX");
	assert_non_null(mkdtemp(world->pages));
	assert_non_null(mkdtemp(world->locales));
	write_file(world->locales, "en.json",
		   "{\"hello\": \"Hello {name}, you have {count}\", \"tag\": \"<b>bold</b>\","
		   " \"only\": \"English\", \"brace\": \"a { b } {name}\"}");
	write_file(world->locales, "de.json", "{\"hello\": \"Hallo {name}, {count} da\"}");
	write_file(world->locales, "ar.json", "{\"hello\": \"{name}\", \"direction\": \"rtl\"}");
}

static void remove_folder(const char *dir)
{
	static const char *const names[] = { "page.html", "part.html", "en.json", "de.json",
					     "ar.json",	  "xx.json",   NULL };
	char path[128];

	for (size_t i = 0; names[i] != NULL; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static void world_close(struct world *world)
{
	template_set_free(&world->set);
	locale_set_free(&world->languages);
	remove_folder(world->pages);
	remove_folder(world->locales);
	task_end(&world->task);
}

static enum err load(struct world *world, const char *page)
{
	write_file(world->pages, "page.html", page);
	template_set_free(&world->set);
	return template_set_load(&world->task, str_from_c(world->pages), &world->set);
}

static void check_refused(struct world *world, const char *page)
{
	enum err err = load(world, page);

	if (err != ERR_CONFIG)
		print_error("not refused: %s\n", page);
	CHECK_ERR(err, ERR_CONFIG);
}

static struct str render(struct world *world, const char *page, const char *json)
{
	CLEANUP(json_unref) json_t *data = NULL;
	struct template_view view;
	struct str html = STR_NONE;

	if (world->languages == NULL)
		CHECK_ERR(locale_set_load(&world->task, str_from_c(world->locales),
					  &world->languages),
			  OK);
	CHECK_ERR(load(world, page), OK);
	CHECK_ERR(json_parse(&world->task, str_from_c(json), 65536, &data), OK);
	view = (struct template_view){ STR("page"), data_of_json(&world->task.arena, data),
				       locale_choose(world->languages, STR_NONE, STR_NONE), 65536 };
	CHECK_ERR(template_render(&world->task, world->set, &view, &html), OK);
	return html;
}

#define PAGE(world, page, json, expected) CHECK_STR(render(&(world), page, json), STR(expected))

static void values_are_escaped_in_text_and_attributes(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	PAGE(world, "<p>{{x}}</p>", "{\"x\": \"<script>alert('1')</script>&\"}",
	     "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</p>");
	PAGE(world, "<p title=\"{{x}}\"></p>", "{\"x\": \"\\\" onload=\\\"x\"}",
	     "<p title=\"&quot; onload=&quot;x\"></p>");
	PAGE(world, "{{n}} {{a.b}} {{missing}}{{a}}{{t}}",
	     "{\"n\": -7, \"a\": {\"b\": \"c\"}, \"t\": true}", "-7 c ");
	world_close(&world);
}

static void an_address_from_data_is_http_https_or_a_path_of_ours(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"javascript:alert(1)\"}", "<a href=\"\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \" javascript:alert(1)\"}", "<a href=\"\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"data:text/html,x\"}", "<a href=\"\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"//evil.example\"}", "<a href=\"\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"/\\\\evil.example\"}", "<a href=\"\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"/\\t/evil.example\"}", "<a href=\"\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"/account?a=b&c\"}",
	     "<a href=\"/account?a=b&amp;c\">");
	PAGE(world, "<a href=\"{{x}}\">", "{\"x\": \"https://a.example/\"}",
	     "<a href=\"https://a.example/\">");
	PAGE(world, "<a href=\"/a/{{x}}/b?c={{y}}\">",
	     "{\"x\": \"../..//evil\", \"y\": \"d&e=\\\"f\"}",
	     "<a href=\"/a/..%2F..%2F%2Fevil/b?c=d%26e%3D%22f\">");
	world_close(&world);
}

static void sections_repeat_and_decide(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	PAGE(world, "{{#l}}<i>{{n}}{{out}}</i>{{/l}}",
	     "{\"out\": 1, \"l\": [{\"n\": 2}, {\"n\": 3}]}", "<i>21</i><i>31</i>");
	PAGE(world, "{{#l}}<i>{{.}}</i>{{/l}}", "{\"l\": [\"a\", \"<\"]}", "<i>a</i><i>&lt;</i>");
	PAGE(world, "{{#a}}1{{/a}}{{^a}}2{{/a}}", "{\"a\": []}", "2");
	PAGE(world, "{{#a}}1{{/a}}{{^a}}2{{/a}}", "{\"a\": \"\"}", "2");
	PAGE(world, "{{#a}}1{{/a}}{{^a}}2{{/a}}", "{\"a\": false}", "2");
	PAGE(world, "{{#a}}{{b}}{{/a}}{{^a}}2{{/a}}", "{\"a\": {\"b\": 1}}", "1");
	PAGE(world, "{{#a}}{{#b}}{{c}}{{.}}{{/b}}{{/a}}", "{\"a\": [{\"c\": 1, \"b\": [5, 6]}]}",
	     "1516");
	PAGE(world, "<input {{#on}}checked {{/on}}class=\"a{{#on}} b{{/on}}\">", "{\"on\": true}",
	     "<input checked class=\"a b\">");
	PAGE(world, "{{! a remark }}\n<p></p>", "{}", "<p></p>");
	world_close(&world);
}

static void a_partial_sees_the_same_data(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	write_file(world.pages, "part.html", "<b>{{n}}</b>");
	PAGE(world, "{{#l}}{{>part}}{{/l}}!", "{\"l\": [{\"n\": 1}, {\"n\": 2}]}",
	     "<b>1</b><b>2</b>!");
	world_close(&world);
}

static void sentences_escape_their_words_and_what_fills_them(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	PAGE(world, "{{t hello}}", "{\"name\": \"<i>\", \"count\": 3}",
	     "Hello &lt;i&gt;, you have 3");
	PAGE(world, "{{t tag}}{{t nowhere}}", "{}", "&lt;b&gt;bold&lt;/b&gt;nowhere");
	PAGE(world, "{{t brace}}", "{\"name\": \"{count}\", \"count\": 1}", "a { b } {count}");
	world_close(&world);
}

static void templates_that_no_escaping_makes_safe_are_refused(void **state)
{
	static const char *const broken[] = {
		"<script>var a = \"{{x}}\";</script>",
		"<style>{{x}}</style>",
		"<!-- {{x}} -->",
		"<p title={{x}}>",
		"<p title=plain>",
		"<p title='{{x}}'>",
		"<{{x}}>",
		"<p {{x}}>",
		"<p {{x}}=\"a\">",
		"<p onclick=\"{{x}}\">",
		"<p onclick=\"a()\">",
		"<p STYLE=\"color: red\">",
		"<iframe srcdoc=\"{{x}}\">",
		"<link imagesrcset=\"{{x}}\">",
		"<meta http-equiv=\"refresh\" content=\"0;url={{x}}\">",
		"<object data=\"{{t hello}}\">",
		"<a href=\"{{t hello}}\">",
		"<a href=\"{{#x}}a{{/x}}{{y}}\">",
		"<p title=\"{{#x}}\">{{/x}}",
		"{{#x}}<p {{/x}}>",
		"<p {{#x}}checked{{/x}}>",
		"<p {{>part}}>",
		"<SCRIPT >{{x}}</SCRIPT>",
		"<script>\"</p>{{x}}\"</script>",
		"<p title=\"",
		"a < b",
		NULL,
	};
	struct world world;

	(void)state;
	world_open(&world);
	write_file(world.pages, "part.html", "<b></b>");
	for (size_t i = 0; broken[i] != NULL; i++)
		check_refused(&world, broken[i]);
	world_close(&world);
}

static void broken_templates_are_named_with_their_line(void **state)
{
	static const char *const broken[] = {
		"{{#x}}",  "{{/x}}",	 "{{#x}}{{/y}}", "{{x",	    "{{x\n}}",
		"{{}}",	   "{{A}}",	 "{{{x}}}",	 "{{>no}}", "{{>page}}",
		"{{x y}}", "{{#}}{{/}}", "\xff",	 "{{&x}}",  NULL,
	};
	struct world world;

	(void)state;
	world_open(&world);
	for (size_t i = 0; broken[i] != NULL; i++)
		check_refused(&world, broken[i]);
	task_forgive(&world.task);
	CHECK_ERR(load(&world, "<p>\n\n{{/x}}"), ERR_CONFIG);
	CHECK(str_starts_with(world.task.reason, STR("page.html:3: ")));
	world_close(&world);
}

/* Each of these is two steps: a letter, a value. */
static void a_template_has_so_many_steps_and_no_more(void **state)
{
	static const char two_steps[] = "a{{b}}";
	static char page[2048 * (sizeof(two_steps) - 1) + 2];
	struct world world;

	(void)state;
	world_open(&world);
	for (size_t i = 0; i < 2048; i++)
		memcpy(page + i * (sizeof(two_steps) - 1), two_steps, sizeof(two_steps));
	CHECK_ERR(load(&world, page), OK);
	page[sizeof(page) - 2] = 'a';
	check_refused(&world, page);
	CHECK_STR(world.task.reason, STR("page.html:1: too many values and sections"));
	world_close(&world);
}

static void a_page_larger_than_its_ceiling_is_refused(void **state)
{
	struct template_view view;
	struct world world;
	struct str html;

	(void)state;
	world_open(&world);
	(void)render(&world, "0123456789", "{}");
	view = (struct template_view){ STR("page"), data_new_object(&world.task.arena),
				       locale_choose(world.languages, STR_NONE, STR_NONE), 9 };
	CHECK_ERR(template_render(&world.task, world.set, &view, &html), ERR_TOO_LARGE);
	view.name = STR("other");
	CHECK_ERR(template_render(&world.task, world.set, &view, &html), ERR_INTERNAL);
	world_close(&world);
}

#define LANGUAGE(world, ui, accept, expected)                                                      \
	CHECK_STR(locale_tag(locale_choose((world).languages, (ui), (accept))), STR(expected))

static void the_language_is_the_best_of_what_was_asked(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	CHECK_ERR(locale_set_load(&world.task, str_from_c(world.locales), &world.languages), OK);
	LANGUAGE(world, STR_NONE, STR_NONE, "en");
	LANGUAGE(world, STR_NONE, STR("de-AT,de;q=0.9,en;q=0.8"), "de");
	LANGUAGE(world, STR_NONE, STR("en;q=0.8, de ;q=0.9"), "de");
	LANGUAGE(world, STR_NONE, STR("DE;q=0"), "en");
	LANGUAGE(world, STR_NONE, STR("de;q=0.5;q=1"), "en");
	LANGUAGE(world, STR_NONE, STR("de;q=2"), "en");
	LANGUAGE(world, STR_NONE, STR("fr, *;q=0.1"), "en");
	LANGUAGE(world, STR_NONE, STR(",,;;q=,--,-"), "en");
	LANGUAGE(world, STR("fr de"), STR("en"), "de");
	LANGUAGE(world, STR("de-CH-1996"), STR("en"), "de");
	LANGUAGE(world, STR(" "), STR("ar"), "ar");
	CHECK_STR(locale_direction(locale_choose(world.languages, STR("ar"), STR_NONE)),
		  STR("rtl"));
	CHECK_STR(locale_direction(locale_choose(world.languages, STR("de"), STR_NONE)),
		  STR("ltr"));
	CHECK_STR(locale_text(&world.task, locale_choose(world.languages, STR("de"), STR_NONE),
			      STR("only"), NULL),
		  STR("English"));
	world_close(&world);
}

static void a_translation_with_a_typing_mistake_is_refused(void **state)
{
	static const char *const broken[] = {
		"{\"helo\": \"x\"}", "{\"hello\": \"{nmae}\"}", "{\"hello\": 1}", "[]", "{", NULL,
	};
	struct world world;

	(void)state;
	world_open(&world);
	for (size_t i = 0; broken[i] != NULL; i++) {
		write_file(world.locales, "xx.json", broken[i]);
		CHECK_ERR(locale_set_load(&world.task, str_from_c(world.locales), &world.languages),
			  ERR_CONFIG);
	}
	CHECK_ERR(locale_set_load(&world.task, str_from_c(world.pages), &world.languages),
		  ERR_CONFIG);
	world_close(&world);
}

static void a_folder_that_is_not_read_to_its_end_is_refused(void **state)
{
	struct world world;

	(void)state;
	world_open(&world);
	for (int given = 0; given < 5; given++) {
		entries_left = given;
		CHECK_ERR(locale_set_load(&world.task, str_from_c(world.locales), &world.languages),
			  ERR_CONFIG);
	}
	entries_left = -1;
	CHECK_ERR(locale_set_load(&world.task, str_from_c(world.locales), &world.languages), OK);
	world_close(&world);
}

int main(void)
{
	return RUN(cmocka_unit_test(values_are_escaped_in_text_and_attributes),
		   cmocka_unit_test(an_address_from_data_is_http_https_or_a_path_of_ours),
		   cmocka_unit_test(sections_repeat_and_decide),
		   cmocka_unit_test(a_partial_sees_the_same_data),
		   cmocka_unit_test(sentences_escape_their_words_and_what_fills_them),
		   cmocka_unit_test(templates_that_no_escaping_makes_safe_are_refused),
		   cmocka_unit_test(broken_templates_are_named_with_their_line),
		   cmocka_unit_test(a_template_has_so_many_steps_and_no_more),
		   cmocka_unit_test(a_page_larger_than_its_ceiling_is_refused),
		   cmocka_unit_test(the_language_is_the_best_of_what_was_asked),
		   cmocka_unit_test(a_translation_with_a_typing_mistake_is_refused),
		   cmocka_unit_test(a_folder_that_is_not_read_to_its_end_is_refused));
}

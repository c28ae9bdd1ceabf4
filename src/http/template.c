/* SPDX-License-Identifier: Apache-2.0 */
#include "http/template.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/task.h"
#include "base/url.h"
#include "http/folder.h"
#include "http/locale.h"
#include "http/template_compile.h"

#define SCOPES_DEEP   32 /* sections and partials within one another */
#define PARTIALS_DEEP 8
#define USUAL_PAGE    (16 * 1024)

struct template_set {
	struct arena arena;
	struct template *templates;
	size_t count;
	struct map *by_name; /* the template, by its name */
};

/* A section or partial that is being rendered; `value` is what names are looked up in. */
struct level {
	const struct template *template;
	size_t at;    /* the next step */
	size_t begin; /* of a section over an array: its first step */
	bool is_list; /* then `value` is one of its items */
	const struct data *value;
};

struct renderer {
	struct task *task;
	const struct template_set *set;
	const struct locale *locale;
	struct buf buf;
	struct level levels[SCOPES_DEEP];
	size_t depth;
};

static enum err link_partials(struct task *task, const struct template_set *set,
			      const struct template *template)
{
	for (size_t i = 0; i < template->count; i++) {
		struct step *step = &template->steps[i];
		const struct template *partial;

		if (step->kind != STEP_PARTIAL)
			continue;
		partial = map_get(set->by_name, step->text);
		if (partial == NULL)
			return failf(task, ERR_CONFIG, "%.*s.html:%u: there is no %.*s.html",
				     STR_FMT(template->name), step->line, STR_FMT(step->text));
		step->other = (size_t)(partial - set->templates);
	}
	return OK;
}

/* One more level of partials is seen with each pass. */
static bool deepen(const struct template *template, const size_t *depths, size_t *depth)
{
	bool changed = false;

	for (size_t i = 0; i < template->count; i++) {
		const struct step *step = &template->steps[i];

		if (step->kind != STEP_PARTIAL || depths[step->other] + 1 <= *depth)
			continue;
		*depth = depths[step->other] + 1;
		changed = true;
	}
	return changed;
}

/* A template that contains itself never settles. */
static enum err check_depth(struct task *task, const struct template_set *set)
{
	size_t *depths = NEW_ARRAY(&task->arena, size_t, set->count + 1);
	bool changed = true;

	for (size_t pass = 0; changed && pass <= PARTIALS_DEEP; pass++) {
		changed = false;
		for (size_t t = 0; t < set->count; t++)
			changed |= deepen(&set->templates[t], depths, &depths[t]);
	}
	if (changed)
		return fail(task, ERR_CONFIG, "templates contain one another without end");
	return OK;
}

static enum err compile_files(struct task *task, struct template_set *set,
			      const struct folder_file *files)
{
	for (size_t i = 0; i < set->count; i++) {
		TRY(template_compile(task, &set->arena, files[i].name, files[i].text,
				     &set->templates[i]));
		map_set(set->by_name, files[i].name, &set->templates[i]);
	}
	for (size_t i = 0; i < set->count; i++)
		TRY(link_partials(task, set, &set->templates[i]));
	return check_depth(task, set);
}

static struct template_set *template_set_new(void)
{
	struct template_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		abort(); /* out of memory ends the process (base/arena.h) */
	set->by_name = map_new(0);
	return set;
}

enum err template_set_load(struct task *task, struct str dir, struct template_set **ret_set)
{
	const struct folder_wish wish = { dir, STR(".html"), TEMPLATE_FILE_MAX };
	CLEANUP(template_set_free) struct template_set *set = template_set_new();
	struct folder_file *files = NULL;

	TRY(folder_read(task, &set->arena, &wish, &files, &set->count));
	set->templates = NEW_ARRAY(&set->arena, struct template, set->count + 1);
	TRY(compile_files(task, set, files));
	*ret_set = set;
	set = NULL;
	return OK;
}

void template_set_free(struct template_set **set)
{
	if (*set == NULL)
		return;
	map_free(&(*set)->by_name);
	arena_free(&(*set)->arena);
	free(*set);
	*set = NULL;
}

/* The first part from the innermost level that has it, the others below that. */
static const struct data *find(const struct renderer *renderer, struct str name)
{
	struct str part, rest = name;
	const struct data *found = NULL;

	if (str_equals(name, STR(".")))
		return renderer->levels[renderer->depth - 1].value;
	if (!str_next(&rest, '.', &part))
		return NULL;
	for (size_t i = renderer->depth; i > 0 && found == NULL; i--)
		found = data_get(renderer->levels[i - 1].value, part);
	while (str_next(&rest, '.', &part))
		found = data_get(found, part);
	return found;
}

static void add_escaped(struct buf *buf, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.at[i]) {
		case '&':
			buf_add(buf, STR("&amp;"));
			break;
		case '<':
			buf_add(buf, STR("&lt;"));
			break;
		case '>':
			buf_add(buf, STR("&gt;"));
			break;
		case '"':
			buf_add(buf, STR("&quot;"));
			break;
		case '\'':
			buf_add(buf, STR("&#39;"));
			break;
		default:
			buf_add_char(buf, text.at[i]);
		}
	}
}

/* Only texts and whole numbers are written; anything else is a mistake of the page: nothing. */
static struct str value_text(struct renderer *renderer, struct str name)
{
	return data_text(find(renderer, name));
}

/* http, https, or a path of our own; a browser must not read a host into it. */
static bool is_safe_address(struct str text)
{
	if (str_starts_with(text, STR("https://")) || str_starts_with(text, STR("http://")))
		return true;
	return str_starts_with(text, STR("/")) && !str_starts_with(text, STR("//")) &&
	       !str_has(text, '\\') && !str_has(text, '\n') && !str_has(text, '\r') &&
	       !str_has(text, '\t');
}

static void write_sentence(struct renderer *renderer, struct str key)
{
	struct str piece, rest = locale_find(renderer->locale, key);
	bool is_name = false;

	if (rest.at == NULL)
		add_escaped(&renderer->buf, key);
	while (locale_next(&rest, &piece, &is_name))
		add_escaped(&renderer->buf, is_name ? value_text(renderer, piece) : piece);
}

static enum err push(struct renderer *renderer, struct level level)
{
	if (renderer->depth == SCOPES_DEEP)
		return fail(renderer->task, ERR_INTERNAL, "sections are nested too deeply");
	renderer->levels[renderer->depth++] = level;
	return OK;
}

static enum err enter_section(struct renderer *renderer, const struct step *step)
{
	struct level *outer = &renderer->levels[renderer->depth - 1];
	const struct data *value = find(renderer, step->text);
	struct level level = { .template = outer->template, .at = outer->at, .begin = outer->at };

	if (data_is_something(value) == (step->kind == STEP_INVERTED)) {
		outer->at = step->other + 1;
		return OK;
	}
	level.is_list = data_is_array(value);
	level.value = level.is_list ? data_first(value) : value;
	return push(renderer, level);
}

static void leave_section(struct renderer *renderer)
{
	struct level *level = &renderer->levels[renderer->depth - 1];
	size_t behind = level->at;

	if (level->is_list && data_next(level->value) != NULL) {
		level->value = data_next(level->value);
		level->at = level->begin;
		return;
	}
	renderer->depth--;
	renderer->levels[renderer->depth - 1].at = behind;
}

static enum err enter_partial(struct renderer *renderer, const struct step *step)
{
	return push(renderer,
		    (struct level){ .template = &renderer->set->templates[step->other],
				    .value = renderer->levels[renderer->depth - 1].value });
}

static enum err run_step(struct renderer *renderer, const struct step *step)
{
	struct buf *buf = &renderer->buf;
	struct str text;

	switch (step->kind) {
	case STEP_TEXT:
		buf_add(buf, step->text);
		return OK;
	case STEP_VALUE:
		add_escaped(buf, value_text(renderer, step->text));
		return OK;
	case STEP_URL:
		text = value_text(renderer, step->text);
		add_escaped(buf, is_safe_address(text) ? text : STR_NONE);
		return OK;
	case STEP_URL_PART:
		url_encode(buf, value_text(renderer, step->text));
		return OK;
	case STEP_SENTENCE:
		write_sentence(renderer, step->text);
		return OK;
	case STEP_SECTION:
	case STEP_INVERTED:
		return enter_section(renderer, step);
	case STEP_END:
		leave_section(renderer);
		return OK;
	case STEP_PARTIAL:
		return enter_partial(renderer, step);
	}
	return fail(renderer->task, ERR_INTERNAL, "an unknown step of a template");
}

static enum err run(struct renderer *renderer)
{
	while (renderer->depth > 0) {
		struct level *level = &renderer->levels[renderer->depth - 1];

		if (level->at == level->template->count) {
			renderer->depth--; /* the end of a partial, or of the page */
			continue;
		}
		TRY(run_step(renderer, &level->template->steps[level->at++]));
	}
	return OK;
}

enum err template_render(struct task *task, const struct template_set *set,
			 const struct template_view *view, struct str *ret_html)
{
	const struct template *template = map_get(set->by_name, view->name);
	struct renderer *renderer = NEW(&task->arena, struct renderer);

	if (template == NULL)
		return failf(task, ERR_INTERNAL, "there is no template %.*s", STR_FMT(view->name));
	renderer->task = task;
	renderer->set = set;
	renderer->locale = view->locale;
	renderer->buf = buf_in(&task->arena, view->max);
	buf_expect(&renderer->buf, USUAL_PAGE);
	TRY(push(renderer, (struct level){ .template = template, .value = view->data }));
	TRY(run(renderer));
	return buf_finish(&renderer->buf, ret_html);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/template_compile.h"

#include <string.h>

#include "base/task.h"
#include "http/markup.h"

struct open_section {
	size_t step;
	struct markup markup;
};

struct compiler {
	struct task *task;
	struct str name;
	struct str rest;
	unsigned line;
	struct markup markup;
	struct step *steps;
	size_t count, room;
	struct open_section open[TEMPLATE_SECTIONS_MAX];
	size_t depth;
};

static enum err broken(struct compiler *compiler, const char *why)
{
	return failf(compiler->task, ERR_CONFIG, "%.*s.html:%u: %s", STR_FMT(compiler->name),
		     compiler->line, why);
}

static enum err add(struct compiler *compiler, enum step_kind kind, struct str text)
{
	if (compiler->count == compiler->room)
		return broken(compiler, "too many values and sections");
	compiler->steps[compiler->count++] =
		(struct step){ .kind = kind, .text = text, .line = compiler->line };
	return OK;
}

static enum err add_literal(struct compiler *compiler, struct str text)
{
	struct str line, rest = text;

	if (text.len == 0)
		return OK;
	TRY(add(compiler, STEP_TEXT, text));
	while (str_next(&rest, '\n', &line)) {
		bool is_last = rest.at == NULL;

		if (!markup_read(&compiler->markup, line) ||
		    (!is_last && !markup_read(&compiler->markup, STR("\n"))))
			return broken(compiler, compiler->markup.error);
		compiler->line += !is_last;
	}
	return OK;
}

static bool is_name(struct str name)
{
	return name.len > 0 && str_only(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
}

/* Where a value may stand, and how it is written there. */
static enum err place_value(struct compiler *compiler, struct str name, bool is_sentence)
{
	if (!is_name(name))
		return broken(compiler, "a name has other characters than a-z, 0-9, '_', '.', '-'");
	switch (compiler->markup.place) {
	case MARKUP_TEXT:
	case MARKUP_VALUE:
		return add(compiler, is_sentence ? STEP_SENTENCE : STEP_VALUE, name);
	case MARKUP_URL_HEAD:
		if (is_sentence)
			return broken(compiler, "a sentence as an address");
		compiler->markup.place = MARKUP_URL;
		return add(compiler, STEP_URL, name);
	case MARKUP_URL:
		if (is_sentence)
			return broken(compiler, "a sentence in an address");
		return add(compiler, STEP_URL_PART, name);
	case MARKUP_EQUALS:
		return broken(compiler, "a value in an attribute without double quotes");
	case MARKUP_TAG:
		return broken(compiler, "a value as the name of a tag or an attribute");
	case MARKUP_COMMENT:
		return broken(compiler, "a value in a comment");
	case MARKUP_RAW:
		return broken(compiler, "a value in <script> or <style>");
	}
	return broken(compiler, "a value in an unknown place");
}

static enum err open_section(struct compiler *compiler, enum step_kind kind, struct str name)
{
	if (!is_name(name))
		return broken(compiler, "a section has no proper name");
	if (compiler->depth == TEMPLATE_SECTIONS_MAX)
		return broken(compiler, "sections are nested too deeply");
	if (compiler->markup.place != MARKUP_TEXT && compiler->markup.place != MARKUP_TAG &&
	    compiler->markup.place != MARKUP_VALUE)
		return broken(compiler, "a section in an address, a comment, <script> or <style>");
	compiler->open[compiler->depth++] = (struct open_section){ .step = compiler->count,
								   .markup = compiler->markup };
	return add(compiler, kind, name);
}

static enum err close_section(struct compiler *compiler, struct str name)
{
	const struct open_section *open;

	if (compiler->depth == 0)
		return broken(compiler, "a section ends that never began");
	open = &compiler->open[compiler->depth - 1];
	if (!str_equals(compiler->steps[open->step].text, name))
		return broken(compiler, "a section ends with another name than it began with");
	if (!markup_same(&open->markup, &compiler->markup))
		return broken(compiler, "a section ends in another place of the markup than it "
					"began (in a tag, end it with a space)");
	compiler->steps[open->step].other = compiler->count;
	compiler->depth--;
	TRY(add(compiler, STEP_END, name));
	compiler->steps[compiler->count - 1].other = open->step;
	return OK;
}

static enum err add_partial(struct compiler *compiler, struct str name)
{
	if (!is_name(name))
		return broken(compiler, "a partial has no proper name");
	if (compiler->markup.place != MARKUP_TEXT)
		return broken(compiler, "a partial inside a tag");
	return add(compiler, STEP_PARTIAL, name);
}

/* A remark vanishes with the line break behind it. */
static enum err skip_remark(struct compiler *compiler)
{
	if (str_starts_with(compiler->rest, STR("\n"))) {
		compiler->rest = str_from(compiler->rest, 1);
		compiler->line++;
	}
	return OK;
}

static enum err add_tag(struct compiler *compiler, struct str inside)
{
	struct str name = str_trim(str_from(inside, 1));

	switch (inside.len > 0 ? inside.at[0] : ' ') {
	case '#':
		return open_section(compiler, STEP_SECTION, name);
	case '^':
		return open_section(compiler, STEP_INVERTED, name);
	case '/':
		return close_section(compiler, name);
	case '>':
		return add_partial(compiler, name);
	case '!':
		return skip_remark(compiler);
	default:
		break;
	}
	if (str_starts_with(inside, STR("t ")))
		return place_value(compiler, name, true);
	return place_value(compiler, str_trim(inside), false);
}

static size_t find_pair(struct str s, const char *pair)
{
	const char *at = s.len > 0 ? memmem(s.at, s.len, pair, 2) : NULL;

	return at == NULL ? s.len : (size_t)(at - s.at);
}

static enum err compile_all(struct compiler *compiler)
{
	while (compiler->rest.len > 0) {
		size_t start = find_pair(compiler->rest, "{{");
		struct str inside;

		TRY(add_literal(compiler, str_sub(compiler->rest, 0, start)));
		compiler->rest = str_from(compiler->rest, start);
		if (compiler->rest.len == 0)
			return OK;
		inside = str_from(compiler->rest, 2);
		inside = str_sub(inside, 0, find_pair(inside, "}}"));
		if (inside.len + 2 == compiler->rest.len || str_has(inside, '\n'))
			return broken(compiler, "a {{ without its }} on the same line");
		compiler->rest = str_from(compiler->rest, inside.len + 4);
		TRY(add_tag(compiler, inside));
	}
	return OK;
}

/* No more than a text before each tag, the tag, and the text behind the last one. */
static size_t most_steps(struct str text)
{
	size_t tags = 0, most;

	for (size_t at = find_pair(text, "{{"); at < text.len; at = find_pair(text, "{{")) {
		tags++;
		text = str_from(text, at + 2);
	}
	most = 2 * tags + 1;
	return most < TEMPLATE_STEPS_MAX ? most : TEMPLATE_STEPS_MAX;
}

enum err template_compile(struct task *task, struct arena *arena, struct str name, struct str text,
			  struct template *ret_template)
{
	struct compiler compiler = { .task = task, .name = name, .rest = text, .line = 1 };

	if (text.len > 0 && !str_is_text(text))
		return broken(&compiler, "not UTF-8 text");
	compiler.room = most_steps(text);
	compiler.steps = NEW_ARRAY(arena, struct step, compiler.room);
	TRY(compile_all(&compiler));
	if (compiler.depth > 0)
		return broken(&compiler, "a section never ends");
	if (compiler.markup.place != MARKUP_TEXT)
		return broken(&compiler, "the template ends inside a tag");
	*ret_template = (struct template){ name, compiler.steps, compiler.count };
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/form.h"

#include "base/task.h"
#include "base/url.h"

static enum err decode(struct task *task, struct str text, struct str *ret_text)
{
	enum err err = url_decode(task, text, true, ret_text);

	/* the doors know only invalid_request; the reason that url_decode noted stays */
	return err == ERR_SYNTAX ? ERR_REQUEST : err;
}

static enum err parse_field(struct task *task, struct str part, struct form_field *ret_field)
{
	size_t equals = str_find(part, '=');
	struct form_field field;

	TRY(decode(task, str_sub(part, 0, equals), &field.name));
	TRY(decode(task, str_from(part, equals + 1), &field.value));
	*ret_field = field;
	return OK;
}

enum err form_parse(struct task *task, struct str text, struct form *ret_form)
{
	struct form form = { 0 };
	struct str part, rest = text;
	size_t parts = 0;

	if (str_starts_with(text, STR("\xEF\xBB\xBF")) || str_starts_with(text, STR("%EF%BB%BF")) ||
	    str_starts_with(text, STR("%ef%bb%bf")))
		return fail(task, ERR_REQUEST, "byte order mark before the first parameter");
	while (str_next(&rest, '&', &part))
		parts += part.len > 0;
	if (parts > FORM_FIELDS_MAX)
		return fail(task, ERR_REQUEST, "too many parameters");
	form.fields = NEW_ARRAY(&task->arena, struct form_field, parts);
	rest = text;
	while (str_next(&rest, '&', &part)) {
		if (part.len == 0)
			continue;
		TRY(parse_field(task, part, &form.fields[form.count]));
		form.count++;
	}
	*ret_form = form;
	return OK;
}

struct str form_get_nth(const struct form *form, const char *name, size_t nth)
{
	struct str wanted = str_from_c(name);

	for (size_t i = 0; i < form->count; i++) {
		const struct form_field *field = &form->fields[i];

		if (field->value.len > 0 && str_equals(field->name, wanted) && nth-- == 0)
			return field->value;
	}
	return STR_NONE;
}

struct str form_get(const struct form *form, const char *name)
{
	return form_get_nth(form, name, 0);
}

size_t form_count(const struct form *form, const char *name)
{
	struct str wanted = str_from_c(name);
	size_t count = 0;

	for (size_t i = 0; i < form->count; i++)
		count += form->fields[i].value.len > 0 && str_equals(form->fields[i].name, wanted);
	return count;
}

static bool is_excepted(struct str name, const char *const *except)
{
	for (; except != NULL && *except != NULL; except++)
		if (str_equals(name, str_from_c(*except)))
			return true;
	return false;
}

/* Empty ones count here too: "a=&a=x" is read in two ways by two parsers. */
static bool is_repeated(const struct form *form, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_equals(form->fields[i].name, form->fields[at].name))
			return true;
	return false;
}

enum err form_check_single(struct task *task, const struct form *form, const char *const *except)
{
	for (size_t i = 1; i < form->count; i++) {
		struct str name = form->fields[i].name;

		if (is_repeated(form, i) && !is_excepted(name, except))
			return failf(task, ERR_REQUEST, "repeated parameter: %.*s",
				     STR_FMT(str_sub(name, 0, 64)));
	}
	return OK;
}

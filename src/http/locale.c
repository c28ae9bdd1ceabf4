/* SPDX-License-Identifier: Apache-2.0 */
#include "http/locale.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/task.h"
#include "http/folder.h"
#include "http/language.h"

#define LANGUAGES_MAX	  32
#define SENTENCE_TEXT_MAX (16 * 1024)
#define PLACEHOLDER_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_."

struct locale {
	struct str tag;
	json_t *sentences;
	const struct locale *english; /* NULL for English itself */
};

struct locale_set {
	struct arena arena;
	struct locale locales[LANGUAGES_MAX];
	size_t count;
	const struct locale *english;
};

bool locale_next(struct str *rest, struct str *ret_piece, bool *ret_is_name)
{
	size_t start = str_find(*rest, '{');
	struct str name;
	size_t end;

	if (rest->len == 0)
		return false;
	*ret_is_name = false;
	if (start > 0) {
		*ret_piece = str_sub(*rest, 0, start);
		*rest = str_from(*rest, start);
		return true;
	}
	end = str_find(*rest, '}');
	name = end < rest->len ? str_sub(*rest, 1, end - 1) : STR_NONE;
	if (name.len > 0 && str_only(name, PLACEHOLDER_CHARS)) {
		*ret_piece = name;
		*ret_is_name = true;
		*rest = str_from(*rest, end + 1);
		return true;
	}
	*ret_piece = str_sub(*rest, 0, 1);
	*rest = str_from(*rest, 1);
	return true;
}

static bool has_placeholder(struct str sentence, struct str name)
{
	struct str piece, rest = sentence;
	bool is_name;

	while (locale_next(&rest, &piece, &is_name))
		if (is_name && str_equals(piece, name))
			return true;
	return false;
}

static enum err check_sentence(struct task *task, const struct locale *locale, struct str key,
			       struct str sentence)
{
	struct str english, piece, rest = sentence;
	bool is_name;

	if (locale->english == NULL || str_equals(key, STR("direction")))
		return OK;
	english = json_get_str(locale->english->sentences, str_to_c(&task->arena, key));
	if (english.at == NULL)
		return failf(task, ERR_CONFIG, "%.*s.json: English has no \"%.*s\"",
			     STR_FMT(locale->tag), STR_FMT(key));
	while (locale_next(&rest, &piece, &is_name))
		if (is_name && !has_placeholder(english, piece))
			return failf(task, ERR_CONFIG,
				     "%.*s.json: \"%.*s\": English has no {%.*s} there",
				     STR_FMT(locale->tag), STR_FMT(key), STR_FMT(piece));
	return OK;
}

static enum err check_locale(struct task *task, const struct locale *locale)
{
	const char *key;
	json_t *value;

	if (!json_is_object(locale->sentences))
		return failf(task, ERR_CONFIG, "%.*s.json: not an object", STR_FMT(locale->tag));
	json_object_foreach(locale->sentences, key, value)
	{
		if (!json_is_string(value))
			return failf(task, ERR_CONFIG, "%.*s.json: \"%s\" is not a text",
				     STR_FMT(locale->tag), key);
		TRY(check_sentence(
			task, locale, str_from_c(key),
			(struct str){ json_string_value(value), json_string_length(value) }));
	}
	return OK;
}

static enum err load_files(struct task *task, struct locale_set *set,
			   const struct folder_file *files, size_t count)
{
	if (count > LANGUAGES_MAX)
		return fail(task, ERR_CONFIG, "too many languages");
	for (size_t i = 0; i < count; i++) {
		struct locale *locale = &set->locales[i];

		locale->tag = files[i].name;
		if (json_parse(task, files[i].text, LOCALE_FILE_MAX, &locale->sentences) != OK)
			return failf(task, ERR_CONFIG, "%.*s.json: %.*s", STR_FMT(locale->tag),
				     STR_FMT(task->reason));
		set->count++;
		if (str_equals(locale->tag, STR("en")))
			set->english = locale;
	}
	if (set->english == NULL)
		return fail(task, ERR_CONFIG, "there is no en.json among the locales");
	for (size_t i = 0; i < count; i++) {
		set->locales[i].english = &set->locales[i] == set->english ? NULL : set->english;
		TRY(check_locale(task, &set->locales[i]));
	}
	return OK;
}

static struct locale_set *locale_set_new(void)
{
	struct locale_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		abort(); /* out of memory ends the process (base/arena.h) */
	return set;
}

enum err locale_set_load(struct task *task, struct str dir, struct locale_set **ret_set)
{
	const struct folder_wish wish = { dir, STR(".json"), LOCALE_FILE_MAX };
	CLEANUP(locale_set_free) struct locale_set *set = locale_set_new();
	struct folder_file *files = NULL;
	size_t count = 0;

	TRY(folder_read(task, &set->arena, &wish, &files, &count));
	TRY(load_files(task, set, files, count));
	*ret_set = set;
	set = NULL;
	return OK;
}

void locale_set_free(struct locale_set **set)
{
	if (*set == NULL)
		return;
	for (size_t i = 0; i < (*set)->count; i++)
		json_unref(&(*set)->locales[i].sentences);
	arena_free(&(*set)->arena);
	free(*set);
	*set = NULL;
}

const struct locale *locale_choose(const struct locale_set *set, struct str ui_locales,
				   struct str accept_language)
{
	struct str tags[LANGUAGES_MAX];
	size_t found;

	for (size_t i = 0; i < set->count; i++)
		tags[i] = set->locales[i].tag;
	found = language_choose(tags, set->count, ui_locales, accept_language);
	return found < set->count ? &set->locales[found] : set->english;
}

struct str locale_tag(const struct locale *locale)
{
	return locale->tag;
}

struct str locale_direction(const struct locale *locale)
{
	struct str direction = json_get_str(locale->sentences, "direction");

	return str_equals(direction, STR("rtl")) ? STR("rtl") : STR("ltr");
}

static struct str find_own(const struct locale *locale, struct str key)
{
	const json_t *value = json_object_getn(locale->sentences, key.at, key.len);

	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

struct str locale_find(const struct locale *locale, struct str key)
{
	struct str own = find_own(locale, key);

	if (own.at == NULL && locale->english != NULL)
		return find_own(locale->english, key);
	return own;
}

struct str locale_text(struct task *task, const struct locale *locale, struct str key,
		       const struct data *data)
{
	struct buf buf = buf_in(&task->arena, SENTENCE_TEXT_MAX);
	struct str piece, text, rest = locale_find(locale, key);
	bool is_name;

	if (rest.at == NULL)
		return key;
	while (locale_next(&rest, &piece, &is_name))
		if (!is_name)
			buf_add(&buf, piece);
		else
			buf_add(&buf, data_text(data_get(data, piece)));
	return buf_finish(&buf, &text) == OK ? text : key;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/printable.h"
#include "grantctl/visit.h"

#define TEXTS_MAX (16 * 1024)

static void set(json_t *object, const char *key, struct str text)
{
	json_object_set_new(object, key, json_stringn(text.at, text.len));
}

void visit_finds(struct visit *visit, const char *result, const char *check, struct str text)
{
	json_t *finding = json_object();
	/* what others wrote goes to a terminal */
	struct str shown = str_printable(&visit->task->arena, text);

	set(finding, "client", visit->name);
	set(finding, "result", str_from_c(result));
	set(finding, "check", str_from_c(check));
	set(finding, "text", shown);
	json_array_append_new(visit->findings, finding);
}

enum err visit_fails(struct visit *visit, const char *check, struct str text)
{
	visit_finds(visit, "FAIL", check, text);
	visit->failures++;
	return fail(visit->task, ERR_CONFLICT, "it would not get further");
}

const json_t *visit_described(const struct visit *visit, const char *member)
{
	const char *part = visit->is_document ? "document" : "registration";

	return json_object_get(json_object_get(visit->profile, part), member);
}

struct str visit_text(const struct visit *visit, const char *step, const char *member)
{
	return json_get_str(json_object_get(visit->profile, step), member);
}

bool visit_sends(const struct visit *visit, const char *step, const char *member)
{
	return json_is_true(json_object_get(json_object_get(visit->profile, step), member));
}

bool visit_lists(const json_t *list, struct str value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_equals(str_from_c(json_string_value(json_array_get(list, i))), value))
			return true;
	return false;
}

bool visit_offers(const struct visit *visit, const char *member, struct str value)
{
	return visit_lists(json_object_get(visit->metadata, member), value);
}

struct str visit_joined(const struct visit *visit, const json_t *list)
{
	struct buf buf = buf_in(&visit->task->arena, TEXTS_MAX);
	struct str text = STR_NONE;

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			buf_add_char(&buf, ' ');
		buf_add(&buf, str_from_c(json_string_value(json_array_get(list, i))));
	}
	if (json_array_size(list) == 0 || buf_finish(&buf, &text) != OK)
		return STR_NONE;
	return text;
}

/* The places that share/arrivals names in authorize.scope. */
static struct str scope_at(const struct visit *visit, struct str place)
{
	if (str_equals(place, STR("challenge")))
		return visit->challenged;
	if (str_equals(place, STR("resource")))
		return visit->scopes;
	return visit_joined(visit, json_object_get(visit->metadata, "scopes_supported"));
}

struct str visit_scope(const struct visit *visit)
{
	const json_t *places = json_object_get(json_object_get(visit->profile, "authorize"),
					       "scope");

	for (size_t i = 0; i < json_array_size(places); i++) {
		struct str place = str_from_c(json_string_value(json_array_get(places, i)));
		struct str scope = scope_at(visit, place);

		if (scope.at != NULL)
			return scope;
	}
	return STR_NONE;
}

struct str visit_scope_advice(const struct visit *visit)
{
	struct str setting = visit_text(visit, "authorize", "scope_setting");

	return setting.at == NULL ? STR("")
				  : STR_JOIN(&visit->task->arena,
					     STR("; it can be told what to ask for: "), setting);
}

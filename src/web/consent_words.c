/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept with each permission: its scope's words as they stood on the page. */
#include "web/consent_view.h"

#include "web/words.h"

#define WORDS_MAX (32 * 1024)

static void copy_list(json_t *words, const json_t *item, const char *key)
{
	const json_t *list = json_object_get(json_object_get(item, key), "list");
	json_t *copy = data_array(words, key);

	for (size_t i = 0; i < json_array_size(list); i++)
		json_array_append(copy, json_array_get(list, i));
}

static bool has_item(const json_t *list, const json_t *item)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), item))
			return true;
	return false;
}

/*
 * What of that scope the person allowed before, and installations keep (authority/ceilings.h);
 * NULL: nothing.
 */
static const struct permission *find_permission(const struct question *question, struct str scope,
						int64_t ends_at)
{
	const struct grant *grant = &question->view->grant;

	for (size_t i = 0; i < grant->permission_count; i++)
		if (str_equals(grant->permissions[i].scope, scope) &&
		    grant->permissions[i].expires_at > question->page->task->now &&
		    grant->permissions[i].expires_at >= ends_at)
			return &grant->permissions[i];
	return NULL;
}

/*
 * A yes to some operations of a scope, for no longer, takes nothing from installations that were
 * let in before, so what they can stays in the words.
 */
static void keep_earlier(const struct question *question, json_t *words, struct str scope,
			 int64_t ends_at)
{
	const struct permission *permission = find_permission(question, scope, ends_at);
	CLEANUP(json_unref) json_t *earlier = NULL;
	json_t *list = json_object_get(words, "can");
	const json_t *can;

	if (permission == NULL || permission->words.len == 0 ||
	    !details_restrict(&question->view->request.details, scope))
		return;
	if (json_parse(question->page->task, permission->words, WORDS_MAX, &earlier) != OK)
		return task_forgive(question->page->task);
	can = json_object_get(earlier, "can");
	for (size_t i = 0; i < json_array_size(can); i++)
		if (!has_item(list, json_array_get(can, i)))
			json_array_append(list, json_array_get(can, i));
}

/* Too many yeses to parts: in their place what the whole can, which none of them is beyond. */
static enum err print_whole(const struct question *question, json_t *words, struct str scope,
			    struct str *ret_json)
{
	const struct resource *resource = question->view->resource;
	json_t *list = data_array(words, "can");

	task_forgive(question->page->task);
	for (size_t i = 0; i < resource->scope_count; i++) {
		const struct resource_scope *whole = &resource->scopes[i];

		for (size_t j = 0; str_equals(whole->name, scope) && j < whole->can_count; j++)
			data_item_str(list, whole->can[j]);
	}
	return json_print(question->page->task, words, WORDS_MAX, ret_json);
}

enum err question_words(const struct question *question, struct str scope, int64_t ends_at,
			struct str *ret_json)
{
	CLEANUP(json_unref) json_t *words = json_object();
	enum err err;

	for (size_t i = 0; i < json_array_size(question->scopes); i++) {
		const json_t *item = json_array_get(question->scopes, i);

		if (!str_equals(json_get_str(item, "name"), scope))
			continue;
		data_str(words, "title", json_get_str(item, "title"));
		copy_list(words, item, "can");
		copy_list(words, item, "cannot");
		keep_earlier(question, words, scope, ends_at);
		err = json_print(question->page->task, words, WORDS_MAX, ret_json);
		return err == ERR_TOO_LARGE ? print_whole(question, words, scope, ret_json) : err;
	}
	*ret_json = STR("{}");
	return OK;
}

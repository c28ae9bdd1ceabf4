/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept with each permission: its scope's words as they stood on the page. */
#include "web/consent_view.h"

#include "model/permission_words.h"
#include "web/words.h"

static void copy_list(struct data *words, const struct data *item, const char *key)
{
	const struct data *part = data_get(item, str_from_c(key));

	data_items_share(data_array(words, key), data_get(part, STR("list")));
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

/* Too many yeses to parts: in their place what the whole can, which none of them is beyond. */
static enum err print_whole(const struct question *question, struct data *words, struct str scope,
			    struct str *ret_json)
{
	const struct resource *resource = question->view->resource;
	struct data *list = data_array(words, "can");

	for (size_t i = 0; i < resource->scope_count; i++) {
		const struct resource_scope *whole = &resource->scopes[i];

		for (size_t j = 0; str_equals(whole->name, scope) && j < whole->can_count; j++)
			data_item_str(list, whole->can[j]);
	}
	return data_print(question->page->task, words, PERMISSION_WORDS_MAX, ret_json);
}

/*
 * A yes to some operations of a scope, for no longer, takes nothing from installations that were
 * let in before, so what they can stays in the words.
 */
static enum err print_with_earlier(const struct question *question, struct data *words,
				   struct str scope, const struct permission *permission,
				   struct str *ret_json)
{
	struct task *task = question->page->task;
	struct str own;
	enum err err;

	TRY(data_print(task, words, PERMISSION_WORDS_MAX, &own));
	err = permission_words_join(task, own, permission->words, ret_json);
	if (err != ERR_TOO_LARGE)
		return err;
	task_forgive(task);
	return print_whole(question, words, scope, ret_json);
}

enum err question_words(const struct question *question, struct str scope, int64_t ends_at,
			struct str *ret_json)
{
	const struct permission *earlier = find_permission(question, scope, ends_at);
	struct data *words = data_new_object(&question->page->task->arena);

	for (const struct data *item = data_first(question->scopes); item != NULL;
	     item = data_next(item)) {
		if (!str_equals(data_get_str(item, "name"), scope))
			continue;
		data_str(words, "title", data_get_str(item, "title"));
		copy_list(words, item, "can");
		copy_list(words, item, "cannot");
		if (earlier != NULL && details_restrict(&question->view->request.details, scope))
			return print_with_earlier(question, words, scope, earlier, ret_json);
		return data_print(question->page->task, words, PERMISSION_WORDS_MAX, ret_json);
	}
	*ret_json = STR("{}");
	return OK;
}

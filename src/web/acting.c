/* SPDX-License-Identifier: Apache-2.0 */
#include "web/acting.h"

static const char *const done_words[] = {
	"paused-all",
	"pause",
	"resume",
	"revoke",
	"set-duration",
	"remove-scope",
	"end-installation",
	"password",
	"sign-out-everywhere",
	"end-session",
	"stop-sub-agent",
	"allow-sub-agent",
	"name-installation",
	"pause-installation",
	"resume-installation",
	"widen-installation",
};

struct actor acting_person(const struct page *page)
{
	return (struct actor){
		.kind = STR("user"),
		.user_id = page->user.id,
		.request_id = page->exchange->request_id,
		.address = page->exchange->request.peer.address,
	};
}

enum err acting_add_done(struct page *page)
{
	struct str word, key;
	struct form query;

	TRY(form_parse(page->task, page->exchange->request.query, &query));
	word = form_get(&query, "done");
	for (size_t i = 0; i < COUNT_OF(done_words); i++) {
		if (!str_equals(word, str_from_c(done_words[i])))
			continue;
		key = STR_JOIN(&page->task->arena, STR("done."), word);
		data_str(page->data, "done", page_text(page, key.at, NULL));
	}
	return OK;
}

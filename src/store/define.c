/* SPDX-License-Identifier: Apache-2.0 */
#include "store/define.h"

#include "base/buf.h"
#include "base/task.h"

#define STATEMENT_MAX 8192

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static struct str spelled(struct str word, const struct type_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equals(word, names[i].ours))
			return names[i].theirs;
	}
	return word;
}

enum err define_text(struct task *task, struct str text, const struct type_name *names,
		     size_t count, struct str *ret_text)
{
	struct buf buf = buf_in(&task->arena, STATEMENT_MAX);
	size_t at = 0;

	while (at < text.len) {
		size_t len = 0;

		while (at + len < text.len && is_letter(text.at[at + len]))
			len++;
		if (len == 0)
			buf_add_char(&buf, text.at[at++]);
		else
			buf_add(&buf, spelled(str_sub(text, at, len), names, count));
		at += len;
	}
	return buf_finish(&buf, ret_text);
}

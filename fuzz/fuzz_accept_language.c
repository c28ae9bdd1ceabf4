/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line is ui_locales, the rest is Accept-Language. What is chosen is a language that
 * there is and that was asked for, or none.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "http/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str tags[] = { STR_INIT("en"), STR_INIT("de"), STR_INIT("pt-br"),
				   STR_INIT("ar") };

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool is_asked(struct str text, struct str tag)
{
	for (size_t i = 0; i + tag.len <= text.len; i++)
		if (str_equals_nocase(str_sub(text, i, tag.len), tag))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line = STR_NONE, rest = { (const char *)data, size };
	size_t found;

	(void)str_next(&rest, '\n', &line);
	found = language_choose(tags, COUNT_OF(tags), line, rest);
	expect(found == language_choose(tags, COUNT_OF(tags), line, rest));
	expect(found <= COUNT_OF(tags));
	expect(found == COUNT_OF(tags) || is_asked(line, tags[found]) ||
	       is_asked(rest, tags[found]));
	expect(language_choose(tags, 0, line, rest) == 0);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a User-Agent says, what is kept of it is one of our own words. */
#include "web/user_agent.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_word(struct str word, struct str text)
{
	if (word.at == NULL)
		return;
	if (word.len == 0 || word.len > 16 || !str_is_text(word))
		abort();
	if (word.at >= text.at && word.at < text.at + text.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };

	check_word(user_agent_browser(text), text);
	check_word(user_agent_system(text), text);
	return 0;
}

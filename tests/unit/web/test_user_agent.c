/* SPDX-License-Identifier: Apache-2.0 */
#include "web/user_agent.h"

#include "check.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

static const struct {
	const char *field;
	const char *browser;
	const char *system;
} known[] = {
	{ "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox",
	  "Linux" },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT "Chrome/140.0.0.0 Safari/537.36",
	  "Chrome", "Windows" },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT
	  "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
	  "Edge", "Windows" },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
	  "Gecko) Version/18.0 Safari/605.1.15",
	  "Safari", "Mac" },
	{ "Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/140.0.0.0 Mobile Safari/537.36",
	  "Chrome", "Android" },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	  "like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
	  "Chrome", "iPhone" },
};

static void a_browser_is_called_what_people_call_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct str field = str_from_c(known[i].field);

		CHECK_STR(user_agent_browser(field), str_from_c(known[i].browser));
		CHECK_STR(user_agent_system(field), str_from_c(known[i].system));
	}
}

static void what_is_not_known_has_no_name(void **state)
{
	static const char *const strange[] = { "", "curl/8.0", "Firefox", "<b>Chrome</b>", "/" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(strange); i++) {
		CHECK(user_agent_browser(str_from_c(strange[i])).at == NULL);
		CHECK(user_agent_system(str_from_c(strange[i])).at == NULL);
	}
	CHECK(user_agent_browser(STR_NONE).at == NULL);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_browser_is_called_what_people_call_it),
		   cmocka_unit_test(what_is_not_known_has_no_name));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "web/browser.h"

#include "crypto/base64.h"
#include "crypto/random.h"
#include "http/cookie.h"
#include "web/web.h"

#define BROWSER_BYTES 32
#define BROWSER_CHARS 43 /* of base64url */
#define BROWSER_LIFE  (180 * 24 * 60 * 60)

static bool is_value(struct str value)
{
	return value.len == BROWSER_CHARS &&
	       str_only(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

/* The one that an earlier call put on this reply. */
static struct str find_new(const struct reply *reply)
{
	const struct str begin = STR(BROWSER_COOKIE "=");

	for (size_t i = 0; i < reply->field_count; i++)
		if (str_equals(reply->fields[i].name, STR("Set-Cookie")) &&
		    str_starts_with(reply->fields[i].value, begin))
			return str_sub(reply->fields[i].value, begin.len, BROWSER_CHARS);
	return STR_NONE;
}

struct str browser_value(struct exchange *exchange)
{
	struct str value = cookie_get(&exchange->request, STR(BROWSER_COOKIE));
	uint8_t bytes[BROWSER_BYTES];

	if (is_value(value))
		return value;
	value = find_new(&exchange->reply);
	if (is_value(value))
		return value;
	random_bytes(bytes, sizeof(bytes));
	value = base64url_encode(&exchange->task.arena,
				 (struct str){ (const char *)bytes, sizeof(bytes) });
	cookie_set(exchange, STR(BROWSER_COOKIE), value, BROWSER_LIFE);
	return value;
}

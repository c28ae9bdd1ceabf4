/* SPDX-License-Identifier: Apache-2.0 */
#include "http/date.h"

#include <stdio.h>
#include <time.h>

#define SECOND_MS 1000

/* not strftime: the names must not follow the locale */
static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct str date_text(struct date_cache *cache, int64_t wall_ms)
{
	time_t second = (time_t)(wall_ms / SECOND_MS);
	struct tm parts = { 0 };
	char text[64];

	if (cache->second != second || cache->text[0] == '\0') {
		if (gmtime_r(&second, &parts) == NULL)
			return STR("Thu, 01 Jan 1970 00:00:00 GMT");
		(void)snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
			       days + 3 * parts.tm_wday, parts.tm_mday, months + 3 * parts.tm_mon,
			       parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
		for (size_t i = 0; i < DATE_LEN; i++)
			cache->text[i] = text[i];
		cache->second = second;
	}
	return (struct str){ cache->text, DATE_LEN };
}

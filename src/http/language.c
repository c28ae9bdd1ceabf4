/* SPDX-License-Identifier: Apache-2.0 */
#include "http/language.h"

#define RANGES_MAX  16
#define QUALITY_ONE 1000

/* "de-AT" falls back to "de". */
static size_t lookup(const struct str *tags, size_t count, struct str range)
{
	while (range.len > 0) {
		for (size_t i = 0; i < count; i++)
			if (str_equals_nocase(tags[i], range))
				return i;
		do
			range = str_sub(range, 0, range.len - 1);
		while (range.len > 0 && range.at[range.len - 1] != '-');
		if (range.len > 0)
			range = str_sub(range, 0, range.len - 1);
	}
	return count;
}

/* "0.8" -> 800 (RFC 9110 12.4.2); anything malformed counts as nothing. */
static unsigned quality(struct str text)
{
	unsigned value = 0, weight = QUALITY_ONE / 10;

	if (str_equals(str_sub(text, 0, 1), STR("1")) && str_only(str_from(text, 1), ".0"))
		return QUALITY_ONE;
	if (!str_starts_with(text, STR("0.")) || text.len > 5 ||
	    !str_only(str_from(text, 2), "0123456789"))
		return 0;
	for (size_t i = 2; i < text.len; i++, weight /= 10)
		value += (unsigned)(text.at[i] - '0') * weight;
	return value;
}

static unsigned take_range(struct str part, struct str *ret_range)
{
	struct str range, rest = part;

	*ret_range = STR_NONE;
	if (!str_next(&rest, ';', &range))
		return 0;
	*ret_range = str_trim(range);
	if (rest.at == NULL)
		return QUALITY_ONE;
	rest = str_trim(rest);
	if (!str_starts_with(rest, STR("q=")) && !str_starts_with(rest, STR("Q=")))
		return 0;
	return quality(str_from(rest, 2));
}

static size_t choose_accepted(const struct str *tags, size_t count, struct str accept)
{
	struct str part, rest = accept;
	unsigned best_quality = 0;
	size_t best = count;

	for (size_t i = 0; i < RANGES_MAX && str_next(&rest, ',', &part); i++) {
		struct str range;
		unsigned q = take_range(part, &range);
		size_t found = lookup(tags, count, range);

		if (q > best_quality && (found < count || str_equals(range, STR("*")))) {
			best = found;
			best_quality = q;
		}
	}
	return best;
}

size_t language_choose(const struct str *tags, size_t count, struct str ui_locales,
		       struct str accept_language)
{
	struct str part, rest = ui_locales;
	size_t found = count;

	for (size_t i = 0; found == count && i < RANGES_MAX && str_next(&rest, ' ', &part); i++)
		found = lookup(tags, count, part);
	return found < count ? found : choose_accepted(tags, count, accept_language);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url_spoof.h"

#include <pthread.h>
#include <unicode/ucasemap.h>
#include <unicode/uspoof.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/library.h"

#define TEXT_OF(token)	#token
#define VALUE_OF(token) TEXT_OF(token)
#define VERSION		VALUE_OF(U_ICU_VERSION_SUFFIX)
#define MAJOR		VALUE_OF(U_ICU_VERSION_MAJOR_NUM)

#define NAME_MAX_LEN 1024 /* more is not looked at */

static struct {
	__typeof__(uspoof_open) *open;
	__typeof__(uspoof_setChecks) *set_checks;
	__typeof__(uspoof_setRestrictionLevel) *set_level;
	__typeof__(uspoof_checkUTF8) *check;
	__typeof__(uspoof_getSkeletonUTF8) *skeleton;
} spoof;

static struct {
	__typeof__(ucasemap_open) *open;
	__typeof__(ucasemap_utf8FoldCase) *fold;
} casemap;

static const struct library_symbol spoof_symbols[] = {
	{ "uspoof_open" VERSION, 0 },
	{ "uspoof_setChecks" VERSION, sizeof(void *) },
	{ "uspoof_setRestrictionLevel" VERSION, 2 * sizeof(void *) },
	{ "uspoof_checkUTF8" VERSION, 3 * sizeof(void *) },
	{ "uspoof_getSkeletonUTF8" VERSION, 4 * sizeof(void *) },
};

static const struct library_symbol casemap_symbols[] = {
	{ "ucasemap_open" VERSION, 0 },
	{ "ucasemap_utf8FoldCase" VERSION, sizeof(void *) },
};

/* Written once, before anybody reads them; both may be used by many threads at a time. */
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static USpoofChecker *checker; /* NULL: no ICU */
static UCaseMap *folding;

static void load(void)
{
	UErrorCode status = U_ZERO_ERROR;
	USpoofChecker *made;

	if (!library_load("libicuuc.so." MAJOR, casemap_symbols, COUNT_OF(casemap_symbols),
			  &casemap) ||
	    !library_load("libicui18n.so." MAJOR, spoof_symbols, COUNT_OF(spoof_symbols), &spoof))
		return;
	made = spoof.open(&status);
	spoof.set_checks(made, USPOOF_RESTRICTION_LEVEL | USPOOF_MIXED_NUMBERS, &status);
	spoof.set_level(made, USPOOF_HIGHLY_RESTRICTIVE);
	folding = casemap.open("", U_FOLD_CASE_DEFAULT, &status);
	checker = U_SUCCESS(status) ? made : NULL;
}

static bool is_ascii(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] > 0x7F)
			return false;
	return true;
}

static bool is_mixed(struct str word)
{
	UErrorCode status = U_ZERO_ERROR;

	if (is_ascii(word))
		return false;
	if (checker == NULL)
		return true;
	return spoof.check(checker, word.at, (int32_t)word.len, NULL, &status) != 0 ||
	       U_FAILURE(status);
}

bool name_mixes_scripts(struct str name)
{
	struct str rest = str_sub(name, 0, NAME_MAX_LEN), word;

	pthread_once(&loaded, load);
	while (str_next(&rest, ' ', &word))
		if (is_mixed(word))
			return true;
	return false;
}

/* Without what nobody remembers of a name. */
static struct str without_gaps(struct arena *arena, struct str name)
{
	static const struct str gaps = STR_INIT(" \t-_.,:;'\"!()[]/|");
	char *at = arena_alloc(arena, name.len + 1);
	struct str text = { at, 0 };

	for (size_t i = 0; i < name.len; i++)
		if (!str_has(gaps, name.at[i]))
			at[text.len++] = name.at[i];
	return text;
}

static struct str ascii_lower(struct arena *arena, struct str name)
{
	char *at = arena_alloc(arena, name.len + 1);

	for (size_t i = 0; i < name.len; i++) {
		bool is_capital = name.at[i] >= 'A' && name.at[i] <= 'Z';

		at[i] = (char)(is_capital ? name.at[i] + ('a' - 'A') : name.at[i]);
	}
	return (struct str){ at, name.len };
}

struct str name_skeleton(struct arena *arena, struct str name)
{
	struct str bare = without_gaps(arena, str_sub(name, 0, NAME_MAX_LEN));
	const int32_t room = NAME_MAX_LEN * 8;
	UErrorCode status = U_ZERO_ERROR;
	char *skeleton, *folded;
	int32_t len;

	pthread_once(&loaded, load);
	if (checker == NULL)
		return ascii_lower(arena, bare);
	skeleton = arena_alloc(arena, (size_t)room);
	folded = arena_alloc(arena, (size_t)room);
	len = casemap.fold(folding, folded, room, bare.at, (int32_t)bare.len, &status);
	len = spoof.skeleton(checker, 0, folded, len, skeleton, room, &status);
	if (U_FAILURE(status))
		return ascii_lower(arena, bare);
	return (struct str){ skeleton, (size_t)len };
}

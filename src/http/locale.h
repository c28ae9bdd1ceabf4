/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentences of the pages, one flat JSON object per language: "key": "text with
 * {placeholders}". English must be there and is the fall-back for a key that another language
 * lacks. Sentences are text, never markup; whoever writes them into a page escapes them
 * (http/template).
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "http/data.h"

struct task;
struct locale;
struct locale_set;

#define LOCALE_FILE_MAX (256 * 1024)

/*
 * Loads every *.json below dir. ERR_CONFIG: no en.json, not one flat object of texts, a key or a
 * placeholder that English does not have (both are typing mistakes that a reader would meet
 * first).
 */
MUST_CHECK enum err locale_set_load(struct task *task, struct str dir, struct locale_set **ret_set);
void locale_set_free(struct locale_set **set);

/*
 * The best language for ui_locales (space-separated, may be STR_NONE), then Accept-Language,
 * else English.
 */
const struct locale *locale_choose(const struct locale_set *set, struct str ui_locales,
				   struct str accept_language);
/* BCP 47 tag such as "de", and "rtl" or "ltr" (the sentence "direction"). */
struct str locale_tag(const struct locale *locale);
struct str locale_direction(const struct locale *locale);

/* The raw sentence with its placeholders; STR_NONE for an unknown key. */
struct str locale_find(const struct locale *locale, struct str key);
/*
 * A cursor over a raw sentence: takes the next piece of *rest; *ret_is_name says whether it is a
 * placeholder's name. A brace that opens no placeholder is text. False at the end.
 */
bool locale_next(struct str *rest, struct str *ret_piece, bool *ret_is_name);
/*
 * The sentence as text (not HTML), with placeholders filled from data (may be NULL); in task
 * memory. An unknown key answers the key.
 */
struct str locale_text(struct task *task, const struct locale *locale, struct str key,
		       const struct data *data);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logic-less page templates that always escape: there is no way to write raw markup from data.
 *
 *   {{name}}  {{a.b}}             the value, HTML-escaped; absent writes nothing
 *   {{#name}} … {{/name}}         for each item of an array, or once for an object, true, or a non-empty text
 *   {{^name}} … {{/name}}         when absent, false, empty
 *   {{>partial}}                  another template of the set, with the same data
 *   {{t key}}                     a sentence of the locale; its {placeholders} are filled from the data, escaped
 *
 * Names are looked up in the innermost section first, then outwards. Templates are compiled once at start;
 * a broken one is ERR_CONFIG with file and line.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct task;
struct template_set;
struct locale;

/* Loads every *.html below dir. */
MUST_CHECK enum err template_set_load(struct task *task, struct str dir,
				      struct template_set **ret_set);
void template_set_free(struct template_set **set);
/* Page name ("consent" for consent.html) with data; at most max bytes. */
MUST_CHECK enum err template_render(struct task *task, const struct template_set *set,
				    struct str name, const json_t *data,
				    const struct locale *locale, size_t max, struct str *ret_html);

struct locale_set;

/* Loads every *.json below dir ("en.json": one flat object of sentences). English must be there and is the
 * fall-back for a key that another language lacks. */
MUST_CHECK enum err locale_set_load(struct task *task, struct str dir, struct locale_set **ret_set);
void locale_set_free(struct locale_set **set);
/* The best language for ui_locales (space-separated, may be STR_NONE), then Accept-Language, else English. */
const struct locale *locale_choose(const struct locale_set *set, struct str ui_locales,
				   struct str accept_language);
/* BCP 47 tag such as "de", and "rtl" or "ltr". */
struct str locale_tag(const struct locale *locale);
struct str locale_direction(const struct locale *locale);
/* The sentence as text (not HTML), with placeholders filled from data (may be NULL); in task memory. An unknown key answers the key. */
struct str locale_text(struct task *task, const struct locale *locale, struct str key,
		       const json_t *data);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logic-less page templates that always escape: there is no way to write raw markup from data.
 *
 *   {{name}} {{a.b}} {{.}}   the value (the item itself), escaped for where it stands
 *   {{#name}} … {{/name}}    for each item of an array; once for an object, true, a text
 *   {{^name}} … {{/name}}    when absent, false, empty
 *   {{>partial}}             another template of the set, with the same data
 *   {{t key}}                a sentence of the locale, {placeholders} filled from the data
 *
 * Names are looked up in the innermost section first, then outwards. Templates are compiled once
 * at start, and the compiler follows the markup: it knows for each value whether it stands in
 * text, in an attribute or in an address, and it refuses what no escaping makes safe: values in
 * <script>, <style>, comments, tags and attributes without double quotes; on… and style
 * attributes; sections that end in another place of the markup than they began. A value that
 * begins an address (href, src, action) is written only if it is http, https or a path of our
 * own; a later part of an address is percent-encoded. A broken template is ERR_CONFIG with file
 * and line.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "http/data.h"

struct task;
struct template_set;
struct locale;

#define TEMPLATE_FILE_MAX (64 * 1024)

/* Loads every *.html below dir. */
MUST_CHECK enum err template_set_load(struct task *task, struct str dir,
				      struct template_set **ret_set);
void template_set_free(struct template_set **set);
struct template_view {
	struct str name; /* "consent" for consent.html */
	const struct data *data;
	const struct locale *locale;
	size_t max; /* bytes */
};

/* In task memory. ERR_TOO_LARGE. */
MUST_CHECK enum err template_render(struct task *task, const struct template_set *set,
				    const struct template_view *view, struct str *ret_html);

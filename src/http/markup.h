/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the HTML of a template from byte to byte, as strictly as we write it: enough to know
 * where a value would stand. Not a parser of other people's HTML. Part of http/template.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

enum markup_place {
	MARKUP_TEXT,
	MARKUP_TAG,	 /* inside <…>, outside of values */
	MARKUP_EQUALS,	 /* behind `name=`: a double quote must follow */
	MARKUP_VALUE,	 /* in a double-quoted value */
	MARKUP_URL,	 /* in a double-quoted address that has begun */
	MARKUP_URL_HEAD, /* in a double-quoted address, nothing written yet */
	MARKUP_COMMENT,	 /* also <!doctype …> */
	MARKUP_RAW,	 /* in <script> or <style> */
};

#define MARKUP_NAME_MAX 32

struct markup {
	enum markup_place place;
	char tag[MARKUP_NAME_MAX]; /* of the tag we are in, lower case */
	size_t tag_len;
	bool in_tag_name;
	char name[MARKUP_NAME_MAX]; /* of the attribute; the last bytes of a comment or raw text */
	size_t name_len;
	bool is_dashed;	   /* a comment that ends with --> */
	const char *error; /* why the markup is refused; NULL: fine */
};

/* Moves on over a literal. False when it is refused; markup->error says why. */
bool markup_read(struct markup *markup, struct str literal);
/* True if both stand at the same place: what a section must leave as it found it. */
bool markup_same(const struct markup *a, const struct markup *b);

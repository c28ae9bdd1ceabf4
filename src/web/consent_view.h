/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question as it stands on the consent page. Every sentence of it goes through one function
 * that puts it before the person and keeps it, so that what is kept with the decision is what was
 * shown (GDPR Art. 7(1)).
 */
#pragma once

#include "authority/consent.h"
#include "web/page.h"

#define CONSENT_VERSION                                                                            \
	"2" /* of the page's form; goes up when the order of its sentences changes */

struct question {
	struct page *page;
	const struct consent_view *view;
	struct json_writer *kept; /* array: each sentence, in order */
	/* array, borrowed from the page's data: what each checkbox says */
	struct data *scopes;
	struct str sentences;	/* what is kept, as JSON text */
	struct str fingerprint; /* of that, in its language: the form carries it back */
};

/* Adds the question to the page's data (member "question") and collects its sentences. */
MUST_CHECK enum err question_build(struct page *page, const struct consent_view *view,
				   struct question *question);
/*
 * {"title", "can", "cannot"} of one scope, as shown, when it is allowed until ends_at; {} for one
 * that was not asked.
 */
MUST_CHECK enum err question_words(const struct question *question, struct str scope,
				   int64_t ends_at, struct str *ret_json);

/* Puts text before the person, and keeps it. */
void question_say(const struct question *question, struct data *object, const char *key,
		  struct str text);
void question_say_item(const struct question *question, struct data *array, struct str text);
/* A sentence of the page's locale. */
struct str question_text(const struct question *question, const char *key, const struct data *data);
/*
 * What it wants: every scope with its words and its box; where who asks is allowed some of it
 * already, that apart.
 */
void question_add_wants(const struct question *question, struct data *data);

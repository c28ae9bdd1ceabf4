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
	"1" /* of the page's form; goes up when the order of its sentences changes */

struct question {
	struct page *page;
	const struct consent_view *view;
	struct json_writer *kept; /* array: each sentence, in order */
	/* array, borrowed from the page's data: what each checkbox says */
	json_t *scopes;
	struct str sentences;	/* what is kept, as JSON text */
	struct str fingerprint; /* of that, in its language: the form carries it back */
};

/* Adds the question to the page's data (member "question") and collects its sentences. */
MUST_CHECK enum err question_build(struct page *page, const struct consent_view *view,
				   struct question *question);
/* {"title", "can", "cannot"} of one scope, as shown; {} for one that was not asked. */
MUST_CHECK enum err question_words(const struct question *question, struct str scope,
				   struct str *ret_json);

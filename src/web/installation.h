/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One installation of an agent as its person sees it: what is known of it, and the question whether
 * it may do more. What that question says is kept with a yes, as on the consent page (GDPR Art.
 * 7(1)).
 */
#pragma once

#include "authority/installation.h"
#include "web/page.h"

#define INSTALLATION_VERSION "2" /* goes up when the order of the sentences changes */

struct installation_view {
	struct grant grant;
	struct family family;
	struct client client;
	const struct resource *resource; /* NULL: not offered any more */
	/* array: each sentence of the question, in order */
	struct data *kept;
	struct data *offers;	/* array, borrowed from the page: one per scope */
	struct str sentences;	/* what is kept, as JSON text */
	struct str fingerprint; /* of that, in its language: the form carries it back */
};

/*
 * Reads it and fills the page's members "agent" and "installation". ERR_NOT_FOUND for one that is
 * not this person's, or is over.
 */
MUST_CHECK enum err installation_view_open(struct page *page, struct installation_view *view);
/* With the tokens of its forms. */
MUST_CHECK enum err installation_send(struct page *page, const struct installation_view *view,
				      unsigned status);
/* What the question's form is for: these very words. */
struct str installation_purpose(struct arena *arena, const struct family *family,
				struct str fingerprint);
/* {"title", "can", "cannot"} of an offered scope, as shown; {} for another. */
MUST_CHECK enum err installation_words(const struct page *page,
				       const struct installation_view *view, struct str scope,
				       struct str *ret_json);

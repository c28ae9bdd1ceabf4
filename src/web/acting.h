/* SPDX-License-Identifier: Apache-2.0 */
/* A person who changes something on their own pages, and the line that says it was done. */
#pragma once

#include "authority/account.h"
#include "web/page.h"

struct actor acting_person(const struct page *page);
/* The sentence for ?done=WORD, where the word is one of ours, as the page's member "done". */
MUST_CHECK enum err acting_add_done(struct page *page);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form is answered only by the browser and session that it was made for, and only for its own
 * purpose. The token is a MAC over the three, so nothing is stored; where a browser says which
 * page sent a form (Origin, Sec-Fetch-Site), that page must be ours.
 */
#pragma once

#include "web/page.h"

/* purpose names the form: "consent:req_…". */
struct str csrf_token(const struct page *page, struct str purpose);
/* csrf_token as the page's member "csrf". */
void csrf_add(struct page *page, struct str purpose);
/* ERR_FORBIDDEN. A refused form of who is signed in leaves an event. */
MUST_CHECK enum err csrf_check(const struct page *page, const struct form *form,
			       struct str purpose);
/* Whether the browser says that the form came from elsewhere. */
bool csrf_is_foreign(const struct request *request, struct str issuer);

/* The purpose of the sign-in form, whose token knows no session. */
#define CSRF_LOGIN "login"

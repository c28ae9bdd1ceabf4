/* SPDX-License-Identifier: Apache-2.0 */
#include "web/csrf.h"

#include "authority/events.h"
#include "crypto/base64.h"
#include "crypto/digest.h"

/*
 * Keyed by what only this browser holds: a random cookie of 256 bits that no page and no other host
 * can read or set (__Host-, HttpOnly), and of which the database has a hash. So a copy of the
 * database forges no form, and neither does who puts a cookie of his own into a browser: he does
 * not know its session (before there is one, at the sign-in, Origin and __Host- must do, as they
 * must with any key: a token for his cookie he can always have from us).
 */
struct str csrf_token(const struct page *page, struct str purpose)
{
	struct arena *arena = &page->task->arena;
	bool has_session = page->is_signed_in && !str_equals(purpose, STR(CSRF_LOGIN));
	struct str session = has_session ? page->session.hash : STR("");
	uint8_t tag[SHA256_LEN];
	struct str input;

	input = STR_JOIN(arena, STR("grantd v1 csrf\n"), base64url_encode(arena, session),
			 STR("\n"), purpose);
	hmac_sha256(page->browser, input, tag);
	return base64url_encode(arena, (struct str){ (const char *)tag, sizeof(tag) });
}

void csrf_add(struct page *page, struct str purpose)
{
	data_str(page->data, "csrf", csrf_token(page, purpose));
}

bool csrf_is_foreign(const struct request *request, struct str issuer)
{
	struct str site = request_field(request, STR("Sec-Fetch-Site"));
	size_t origins = request_field_count(request, STR("Origin"));

	if (origins > 1 || request_field_count(request, STR("Sec-Fetch-Site")) > 1)
		return true;
	if (origins == 1 && !str_equals(request_field(request, STR("Origin")), issuer))
		return true; /* "null" too */
	return site.len > 0 && !str_equals(site, STR("same-origin")) &&
	       !str_equals(site, STR("none"));
}

static enum err refuse(const struct page *page, struct str purpose, struct str why)
{
	struct event event = event_new(page->task, STR("form.refused"), STR("system"));

	task_note(page->task, ERR_FORBIDDEN, why);
	log_warning(page->task, "form.refused", LOG_STR("form", purpose));
	if (!page->is_signed_in)
		return ERR_FORBIDDEN; /* anybody could fill the log of events */
	event.user_id = page->user.id;
	event.request_id = page->exchange->request_id;
	event_record(page->task, page->authority, &event);
	return ERR_FORBIDDEN;
}

enum err csrf_check(const struct page *page, const struct form *form, struct str purpose)
{
	struct str issuer = authority_config(page->authority)->issuer;

	if (csrf_is_foreign(&page->exchange->request, issuer))
		return refuse(page, purpose, STR("the form was sent by another site"));
	if (!secret_equals(csrf_token(page, purpose), form_get(form, "csrf")))
		return refuse(page, purpose, STR("the form is not of this browser and session"));
	return OK;
}

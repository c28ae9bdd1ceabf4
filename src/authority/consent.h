/* SPDX-License-Identifier: Apache-2.0 */
/* The heart: what the person is asked, and what becomes of the answer. */
#pragma once

#include "authority/authority.h"
#include "authority/difference.h"
#include "authority/recognise.h"
#include "authority/request.h"
#include "model/auth_request.h"
#include "model/client.h"
#include "model/family.h"
#include "model/grant.h"
#include "model/session.h"
#include "model/user.h"

#define CONSENT_INSTALLATIONS 5 /* how many are shown */
/*
 * Ceiling of the details of a consent's event: the scopes that were asked for, those allowed, who
 * may act through the agent, the authorization details, and what is short.
 */
#define CONSENT_SCOPES_MAX  (SCOPES_MAX * (SCOPE_NAME_MAX + 1))
#define CONSENT_DETAILS_MAX (3 * CONSENT_SCOPES_MAX + DETAILS_KEPT_MAX + 2048)

/* All that the page shows, and what is kept as shown. */
struct consent_view {
	struct auth_request request;
	struct client client;
	const struct resource
		*resource; /* NULL: OpenID Connect only, or removed since: then refuse */
	struct user user;
	struct grant grant; /* the live grant that a yes would add to; id absent: none */
	/* of that grant, live, newest first: let in already, and vouch for nobody (PAGES.md) */
	struct family *installations;
	size_t installation_count;
	/* of client.delegates_to, in its order: who may act through the agent */
	struct client *delegates;
	struct recognised who;	      /* asks */
	struct difference difference; /* to what it is allowed, where it proves who it is */
	struct str user_code;	      /* XXXX-XXXX, of a device; STR_NONE */
	/* the device asked from another network than the person is in */
	bool is_from_elsewhere;
	bool redirect_is_loopback;
	struct str redirect_host;
	int64_t duration_max; /* ms; 0: no ceiling */
};

/* Who is asked, in which browser, which request. */
struct consent_asked {
	struct str request_id;
	struct str browser; /* value of the browser cookie */
	struct str source;  /* address */
	/* NULL: nobody is signed in in it, and nobody can be asked */
	const struct session *session;
	const struct user *user;
};

/*
 * For the page: checks that the request is still pending, this browser's and (once shown) this
 * person's, and that client, redirect URI and resource still stand (RU-028). ERR_NOT_FOUND,
 * ERR_FORBIDDEN (another browser, or somebody else was asked), ERR_LOGIN_REQUIRED (prompt=login or
 * max_age: sign in again first), ERR_CONFLICT (answered).
 */
MUST_CHECK enum err consent_show(struct task *task, const struct authority *authority,
				 const struct consent_asked *asked, struct consent_view *ret_view);
/*
 * The same for a request that has just been opened and is not kept yet. The page may stand before
 * it is: wish->request says then that this person is shown it. ERR_LOGIN_REQUIRED.
 */
MUST_CHECK enum err consent_show_new(struct task *task, const struct authority *authority,
				     const struct consent_asked *asked, struct authorize_wish *wish,
				     struct consent_view *ret_view);
/*
 * Remembers that this person is shown it now; the page goes out afterwards, in then(task, result,
 * view). ERR_PARKED; result: ERR_CONFLICT when it was answered meanwhile or is another person's.
 * view lies in task memory.
 */
MUST_CHECK enum err consent_shown(struct task *task, const struct authority *authority,
				  struct consent_view *view, then_fn *then);
/*
 * For the answer: the same checks, without showing and without the list of installations; also when
 * it was answered already (request.state).
 */
MUST_CHECK enum err consent_reopen(struct task *task, const struct authority *authority,
				   const struct consent_asked *asked,
				   struct consent_view *ret_view);

struct consent_answer {
	bool allow;
	struct scope_set scope; /* ticked */
	struct str duration;	/* "1h", … */
	struct str language;	/* of the page */
	struct str version;	/* of the page's words */
	/*
	 * JSON array, the sentences as they stood on the page, in order: kept sealed with the event
	 */
	struct str sentences;
	/* per ticked scope: JSON of its title, can and cannot as shown; parallel to scope */
	const struct str *words;
	struct str address, user_agent; /* kept sealed with the event */
};

/* An answer on its way; it and what it points to lie in task memory. */
struct consent_decision {
	const struct consent_view *view;
	const struct session *session; /* looked at before the task parks, not after */
	struct consent_answer answer;
	/*
	 * afterwards: carries code or error to the client; of a device: a page that sends back to
	 * it
	 */
	struct str location;
	/* for the rules */
	then_fn *then;
	struct deciding *work;
};

/*
 * The decision: grant, permissions, code and event in one transaction; then(task, result, decision)
 * after the commit. The same decision within 60 s has the same location. A no, and an account
 * disabled meanwhile, are locations with access_denied. ERR_PARKED, or at once: OK (answered the
 * same before); ERR_CONFLICT: answered otherwise or longer ago (a page; it may also be the result);
 * ERR_REQUEST: sooner than 700 ms after showing, nothing ticked, a scope that was not asked,
 * another duration; ERR_FORBIDDEN, ERR_NOT_FOUND as consent_show.
 */
MUST_CHECK enum err consent_decide(struct task *task, const struct authority *authority,
				   struct consent_decision *decision, then_fn *then);

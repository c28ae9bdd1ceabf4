/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One arrival of a well-known client, played from outside as share/arrivals says it is: what each
 * step found. Metadata (RFC 8414 3, RFC 9728 3), registration and its end (RFC 7591 3, RFC 7592
 * 2.3) or a document (draft-ietf-oauth-client-id-metadata-document 3), the question (RFC 6749 4.1.1
 * with RFC 7636 4.3 and RFC 8707 2) and a token request (RFC 6749 4.1.3). What it registers is
 * removed in any case; nothing stays behind but a question that nobody answers. Texts and findings
 * are task memory unless it says otherwise.
 */
#pragma once

#include "base/json.h"
#include "base/task.h"
#include "http/client.h"

struct words;

/* Where somebody answered; what is written in its answers is its word, and no more. */
struct visit_server {
	struct str origin;
	enum address_reach reach;
};

struct visit {
	struct task *task;
	const struct words *words; /* how the daemon's operator is heard */
	const json_t *profile;	   /* what the client sends, from share/arrivals */
	struct str name;	   /* of the profile */
	struct str issuer;
	struct str ca_file;  /* STR_NONE: the system's authorities */
	struct str resource; /* URL of a protected resource; STR_NONE: none was named */
	struct str audience; /* what it sends as `resource`, until the resource says another */

	json_t *findings; /* array of {client, result, check, text}, borrowed */
	size_t failures;

	/* on the way */
	struct visit_server server; /* at the issuer */
	json_t *metadata;	    /* its; owned: visit_run gives it back */
	bool is_document;	    /* the client describes itself; else it registers */
	struct str challenged;	    /* scope of the resource's challenge; STR_NONE: none */
	struct str scopes;	    /* that the resource has; STR_NONE: it names none */
	struct str client_id;
	struct str kept_types; /* the grant types that it was registered with */
	struct str management; /* address of its registration; STR_NONE: there is none */
	struct str management_token;
	bool is_known; /* its codes and tokens are judged: it is registered, or pinned */
};

/* The whole way up to the sign-in page, and token requests. What it found is in findings. */
void visit_run(struct visit *visit);

/* --- visit_find.c --- */

void visit_finds(struct visit *visit, const char *result, const char *check, struct str text);
/* "FAIL", with what to change; answers ERR_CONFLICT, so that the visit ends there. */
MUST_CHECK enum err visit_fails(struct visit *visit, const char *check, struct str text);
/* A member of the profile's part "registration" or "document", whichever is its way. */
const json_t *visit_described(const struct visit *visit, const char *member);
/* profile[step][member], a text: STR_NONE when it is none. */
struct str visit_text(const struct visit *visit, const char *step, const char *member);
bool visit_sends(const struct visit *visit, const char *step, const char *member);
/* Is the text in the list? */
bool visit_lists(const json_t *list, struct str value);
/* Is the text in the list that the metadata have under this name? */
bool visit_offers(const struct visit *visit, const char *member, struct str value);
/* The texts of a list with spaces between them; STR_NONE for an empty one, or one too long. */
struct str visit_joined(const struct visit *visit, const json_t *list);
/* `scope` as this client sends it, by where it takes it from; STR_NONE: it sends none. */
struct str visit_scope(const struct visit *visit);
/* "; in its own settings: …", if the client can be told what to ask for; else "". */
struct str visit_scope_advice(const struct visit *visit);

/* --- visit_ask.c --- */

struct visit_request {
	const char *method;
	struct str url;
	const struct visit_server *told_by; /* whose word the URL is; NULL: the operator's */
	struct str body;		    /* STR_NONE: none */
	const char *field;		    /* a header line, or NULL */
	struct str bearer, cookie;	    /* STR_NONE */
	bool must_finish;		    /* ^C does not end it: it changes something */
};

/*
 * Fails the check when nothing answers, and without a call when told_by leads to another origin
 * that lies further inside than itself.
 */
MUST_CHECK enum err visit_ask(struct visit *visit, const char *check,
			      const struct visit_request *request, struct http_answer *ret_answer);
/* The operator wants no more of it (^C): nothing is called any more but to clean up. */
bool visit_is_over(void);

/* --- visit_resource.c --- */

/* What the protected resource says of itself (RFC 9728): audience and scopes. */
MUST_CHECK enum err visit_resource(struct visit *visit);

/* --- visit_known.c --- */

/* It registers (RFC 7591) or is read from its document: client_id. */
MUST_CHECK enum err visit_become_known(struct visit *visit);
/* Removes what it registered, and says so. */
void visit_take_back(struct visit *visit);

/* --- visit_question.c --- */

/* The authorization request, followed as a browser does: is a person asked to sign in? */
MUST_CHECK enum err visit_question(struct visit *visit, struct str verifier);

/* --- visit_token.c --- */

/* A code and a refresh token that are made up: is that what is refused, and nothing else? */
MUST_CHECK enum err visit_token(struct visit *visit, struct str verifier);
MUST_CHECK enum err visit_refresh(struct visit *visit);

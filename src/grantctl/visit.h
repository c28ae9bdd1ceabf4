/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One arrival of a well-known client, played from outside as share/arrivals says it is: what each
 * step found. Nothing stays behind but a question that nobody answers.
 */
#pragma once

#include "base/json.h"
#include "base/task.h"

struct visit {
	struct task *task;
	const json_t *profile; /* what the client sends, from share/arrivals */
	struct str name;       /* of the profile */
	struct str issuer;
	struct str ca_file;  /* STR_NONE: the system's authorities */
	struct str resource; /* URL of a protected resource; STR_NONE: none was named */
	struct str audience; /* what it sends as `resource`, until the resource says another */

	json_t *findings; /* array of {client, result, check, text}, borrowed */
	size_t failures;

	/* on the way */
	json_t *metadata; /* owned: visit_run gives it back */
	struct str scope; /* STR_NONE: the resource names none */
	struct str client_id;
	struct str management; /* address of its registration; STR_NONE: there is none */
	struct str management_token;
};

/* The whole way up to the sign-in page, and a token request. What it found is in findings. */
void visit_run(struct visit *visit);

/* --- visit_find.c --- */

void visit_finds(struct visit *visit, const char *result, const char *check, struct str text);
/* "FAIL", with what to change; answers ERR_CONFLICT, so that the visit ends there. */
MUST_CHECK enum err visit_fails(struct visit *visit, const char *check, struct str text);
/* A member of the profile's part "registration" or "document", whichever it has. */
const json_t *visit_described(const struct visit *visit, const char *member);
bool visit_is_document(const struct visit *visit);
/* profile[step][member], a text: STR_NONE when it is none. */
struct str visit_text(const struct visit *visit, const char *step, const char *member);
bool visit_sends(const struct visit *visit, const char *step, const char *member);
/* Is the text in the list that the metadata have under this name? */
bool visit_offers(const struct visit *visit, const char *member, struct str value);

struct visit_request {
	const char *method;
	struct str url;
	struct str body;   /* STR_NONE: none */
	const char *field; /* a header line, or NULL */
	struct str bearer; /* STR_NONE */
	struct str wanted; /* a field of the answer; STR_NONE */
};

struct http_answer;
/* Fails the check when nothing answers. */
MUST_CHECK enum err visit_ask(struct visit *visit, const char *check,
			      const struct visit_request *request, struct http_answer *ret_answer);

/* --- visit_resource.c --- */

/* What the protected resource says of itself (RFC 9728): audience and scope. */
MUST_CHECK enum err visit_resource(struct visit *visit);

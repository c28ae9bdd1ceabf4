/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of a visit: which are made, and what is said when nothing comes back. */
#include <signal.h>

#include "base/url.h"
#include "grantctl/visit.h"

#define ANSWER_MAX (256 * 1024)
#define TIMEOUT_MS 10000
#define FIELDS_MAX 4
#define URL_SHOWN  400

bool visit_is_over(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGHUP) == 1);
}

/* To its own origin a server may send whom it likes: the operator named it. */
static bool is_led(struct arena *arena, const struct visit_request *request)
{
	struct url url;

	if (request->told_by == NULL)
		return false;
	return url_parse(request->url, &url) != OK ||
	       !str_equals_nocase(url_origin(arena, &url), request->told_by->origin);
}

/* What the operator can do about it, by how the reason begins. */
static struct str advice_for(struct str reason)
{
	static const struct {
		struct str beginning, advice;
	} advices[] = {
		{ STR_INIT("the certificate of "),
		  STR_INIT("If it is of an authority of your own: --ca FILE. Programs on other "
			   "computers have to trust it as well") },
		{ STR_INIT("the CA file "), STR_INIT("See --ca") },
		{ STR_INIT("the name "), STR_INIT("Is it spelled right, and known to DNS?") },
		{ STR_INIT("nothing answers at "),
		  STR_INIT("Does it run, and does what stands in front of it let this computer "
			   "through?") },
		{ STR_INIT("\""), STR_INIT("Clients want https; http only on this computer, as "
					   "127.0.0.1") },
		{ STR_INIT("the header of the answer "),
		  STR_INIT("Clients and proxies would not take that either") },
	};

	for (size_t i = 0; i < COUNT_OF(advices); i++)
		if (str_starts_with(reason, advices[i].beginning))
			return advices[i].advice;
	return STR("Is it reachable from here?");
}

static enum err refuse(struct visit *visit, const char *check, const struct visit_request *request,
		       bool was_led)
{
	struct arena *arena = &visit->task->arena;
	struct str reason = visit->task->reason, advice = advice_for(reason);

	if (visit_is_over())
		return fail(visit->task, ERR_CONFLICT, "interrupted");
	if (was_led)
		return visit_fails(
			visit, check,
			STR_JOIN(arena, request->told_by->origin, STR(" names "),
				 str_sub(request->url, 0, URL_SHOWN),
				 STR(", which was not called: "), reason,
				 STR(". No server may lead who asks it further inside than it is "
				     "itself; clients elsewhere would not get there either")));
	/* such a reason begins with the address */
	if (str_starts_with(reason, STR("\"")))
		return visit_fails(visit, check, STR_JOIN(arena, reason, STR(". "), advice));
	return visit_fails(visit, check,
			   STR_JOIN(arena, str_sub(request->url, 0, URL_SHOWN), STR(": "), reason,
				    STR(". "), advice));
}

enum err visit_ask(struct visit *visit, const char *check, const struct visit_request *request,
		   struct http_answer *ret_answer)
{
	struct arena *arena = &visit->task->arena;
	struct str fields[FIELDS_MAX] = { STR("Accept-Language: en") };
	bool led = is_led(arena, request);
	struct http_call call = { .method = str_from_c(request->method),
				  .url = request->url,
				  .ca_file = visit->ca_file,
				  .fields = fields,
				  .field_count = 1,
				  .body = request->body,
				  .allow_loopback_http = !led || request->told_by->reach ==
									 ADDRESS_LOOPBACK,
				  .is_led = led,
				  .led_from = led ? request->told_by->reach : ADDRESS_PUBLIC,
				  .is_given_up = request->must_finish ? NULL : visit_is_over,
				  .answer_max = ANSWER_MAX,
				  .timeout_ms = TIMEOUT_MS };
	enum err err;

	if (request->field != NULL)
		fields[call.field_count++] = str_from_c(request->field);
	if (request->bearer.at != NULL)
		fields[call.field_count++] = STR_JOIN(arena, STR("Authorization: Bearer "),
						      request->bearer);
	if (request->cookie.at != NULL)
		fields[call.field_count++] = STR_JOIN(arena, STR("Cookie: "), request->cookie);
	err = http_client_call(visit->task, &call, ret_answer);
	return err == OK ? OK : refuse(visit, check, request, led && err == ERR_REQUEST);
}

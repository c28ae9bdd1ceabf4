/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/device.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/task.h"
#include "grant_cli/say.h"

#define LINE_MAX_LEN 8192
#define SLOWER	     5 /* seconds more at each slow_down (RFC 8628 3.5) */

static enum err show_json(struct task *task, const struct device_answer *asked)
{
	struct buf text = buf_in(&task->arena, LINE_MAX_LEN);
	struct json_writer json = json_write_to(&text);
	struct str line;

	json_open_object(&json);
	json_member_str(&json, "verification_uri", asked->verification_uri);
	if (asked->verification_uri_complete.at != NULL)
		json_member_str(&json, "verification_uri_complete",
				asked->verification_uri_complete);
	json_member_str(&json, "user_code", asked->user_code);
	json_member_int(&json, "expires_in", asked->expires_in);
	json_close(&json);
	TRY(buf_finish(&text, &line));
	return say_line(task, line);
}

static enum err show(struct task *task, const struct wish *wish, const struct device_answer *asked)
{
	if (wish->json)
		return show_json(task, asked);
	fprintf(stderr,
		"Open this address in a browser, on any device:\n\n\t%.*s\n\n"
		"and type this code there:\n\n\t%.*s\n\nWaiting for your answer.\n",
		STR_FMT(asked->verification_uri), STR_FMT(asked->user_code));
	return OK;
}

/* An answer that got lost on the way says nothing: the next question does. */
static bool may_ask_again(enum err err)
{
	return err == ERR_PENDING || err == ERR_SLOW_DOWN || err == ERR_BUSY || err == ERR_PAUSED ||
	       err == ERR_IO || err == ERR_TIMEOUT;
}

static bool is_answered(enum err err)
{
	return err == ERR_PENDING || err == ERR_SLOW_DOWN;
}

/* The code is dead: as after an answer of which nothing arrived, or for another reason. */
static enum err refuse_dead(struct task *task, bool may_be_lost)
{
	return failf(task, ERR_GRANT,
		     "%s%.*s; start again with `grant login --device` and the same words",
		     may_be_lost ? "the answer was probably lost on the way: " : "",
		     STR_FMT(task->reason));
}

static enum err poll(struct task *task, const struct wish *wish, const struct issuer *issuer,
		     const struct device_answer *asked, struct tokens *ret_tokens)
{
	const struct parameter parameters[] = {
		{ "grant_type", STR("urn:ietf:params:oauth:grant-type:device_code") },
		{ "device_code", asked->device_code },
		{ "client_id", wish->client },
	};
	const struct endpoint endpoint = { .url = issuer->token_endpoint,
					   .ca_file = wish->ca_file };
	int64_t ends_at = clock_monotonic() + asked->expires_in * SECOND_MS;
	/* as it is told: who asks sooner only learns that it was too soon (RFC 8628 3.5) */
	int64_t interval = asked->interval;
	bool may_be_lost = false;

	/* once more after its end: a late yes is kept for a minute */
	while (clock_monotonic() < ends_at) {
		enum err err;

		sleep((unsigned)interval);
		task->now = clock_wall(task->clock);
		err = endpoint_tokens(task, &endpoint, parameters, COUNT_OF(parameters),
				      ret_tokens);
		if (err == ERR_GRANT)
			return refuse_dead(task, may_be_lost);
		if (!may_ask_again(err))
			return err;
		task_forgive(task);
		may_be_lost = may_be_lost || !is_answered(err);
		if (err != ERR_PENDING)
			interval += SLOWER;
	}
	return fail(task, ERR_EXPIRED, "nobody answered in time; start again");
}

enum err device_tokens(struct task *task, const struct wish *wish, const struct issuer *issuer,
		       struct tokens *ret_tokens)
{
	const struct parameter parameters[] = {
		{ "client_id", wish->client },
		{ "scope", wish->scope },
		{ "resource", wish->resource },
	};
	const struct endpoint endpoint = { .url = issuer->device_endpoint,
					   .ca_file = wish->ca_file };
	struct device_answer asked;

	if (issuer->device_endpoint.at == NULL)
		return failf(task, ERR_FORBIDDEN,
			     "%.*s does not let agents ask from devices without a browser",
			     STR_FMT(issuer->name));
	TRY(endpoint_device(task, &endpoint, parameters, COUNT_OF(parameters), &asked));
	if (asked.interval > asked.expires_in)
		return failf(task, ERR_FORBIDDEN,
			     "%.*s wants to be asked less often than its code lasts",
			     STR_FMT(issuer->name));
	TRY(show(task, wish, &asked));
	return poll(task, wish, issuer, &asked, ret_tokens);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant exchange: a narrower token for a sub-agent (RFC 8693). It is not kept: it has no refresh.
 */
#include <stddef.h>

#include "base/json.h"
#include "base/task.h"
#include "grant_cli/endpoint.h"
#include "grant_cli/prove.h"
#include "grant_cli/say.h"
#include "grant_cli/token.h"
#include "grant_cli/wish.h"

#define TOKEN_MAX  (64 * 1024)
#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:token-exchange"
#define TOKEN_TYPE "urn:ietf:params:oauth:token-type:access_token"

static enum err ask(struct task *task, const struct login *login, const struct wish *wish,
		    struct tokens *ret_tokens)
{
	const struct parameter parameters[] = {
		{ "grant_type", STR(GRANT_TYPE) },
		{ "client_id", login->client_id },
		{ "subject_token", login->access_token },
		{ "subject_token_type", STR(TOKEN_TYPE) },
		{ "requested_token_type", STR(TOKEN_TYPE) },
		{ "actor_label", wish->label },
		{ "scope", wish->scope },
	};
	const struct endpoint endpoint = { .url = login->token_endpoint,
					   .ca_file = login->ca_file,
					   .dpop_key = login->dpop_key };
	enum err err = endpoint_tokens(task, &endpoint, parameters, COUNT_OF(parameters),
				       ret_tokens);

	if (err != ERR_IO)
		return err;
	/* the answer may have been lost: the same exchange again has the same token */
	task_forgive(task);
	return endpoint_tokens(task, &endpoint, parameters, COUNT_OF(parameters), ret_tokens);
}

static enum err print_json(struct task *task, const struct login *login,
			   const struct tokens *tokens)
{
	struct buf text = buf_in(&task->arena, TOKEN_MAX);
	struct json_writer json = json_write_to(&text);
	struct str line = STR_NONE;

	json_open_object(&json);
	json_member_str(&json, "access_token", tokens->access_token);
	json_member_str(&json, "token_type",
			login_type_is_dpop(tokens->token_type) ? STR("DPoP") : STR("Bearer"));
	json_member_str(&json, "expires_at", clock_format(&task->arena, tokens->expires_at));
	if (login->resource.at != NULL)
		json_member_str(&json, "resource", login->resource);
	if (tokens->scope.at != NULL)
		json_member_str(&json, "scope", tokens->scope);
	json_close(&json);
	TRY(buf_finish(&text, &line));
	return say_line(task, line);
}

static enum err exchange_run(struct task *task, const struct wish *wish)
{
	CLEANUP(wallet_close) struct wallet wallet = WALLET_CLOSED;
	struct login login;
	struct tokens tokens;

	TRY(wallet_open(task, wish->home, false, &wallet));
	TRY(wallet_find(task, &wallet, wish->resource, &login));
	TRY(token_own(task, &wallet, &login));
	TRY(ask(task, &login, wish, &tokens));
	return wish->json ? print_json(task, &login, &tokens) : say_line(task, tokens.access_token);
}

static const struct wish_option options[] = {
	{ "--label", "NAME", "which part of the agent is to act; people read it",
	  offsetof(struct wish, label) },
	{ "--scope", "'NAME NAME'", "what of the agent's scopes; without it all",
	  offsetof(struct wish, scope) },
	{ "--resource", "URI", "of the log-in for this resource (or its last path segment)",
	  offsetof(struct wish, resource) },
	WISH_JSON,
	WISH_HELP,
	{ NULL },
};

const struct verb verb_exchange = { "exchange", "print a narrower token for a sub-agent", options,
				    exchange_run, NULL };

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant token: a fresh access token, from the store or by a refresh (RFC 6749 6), for any number
 * of processes.
 */
#include <stddef.h>

#include "base/json.h"
#include "base/task.h"
#include "grant_cli/endpoint.h"
#include "grant_cli/prove.h"
#include "grant_cli/say.h"
#include "grant_cli/token.h"
#include "grant_cli/wallet.h"
#include "grant_cli/wish.h"

#define FRESH_LEFT (30 * SECOND_MS)
#define TOKEN_MAX  (64 * 1024)

static bool is_fresh(const struct task *task, const struct login *login)
{
	/*
	 * a clock that was set back must not make an old token young: it is not from the future
	 * either
	 */
	return login->access_token.at != NULL &&
	       login->access_expires_at - task->now >= FRESH_LEFT &&
	       login->last_used_at - task->now <= FRESH_LEFT;
}

static enum err ask(struct task *task, const struct login *login, struct tokens *ret_tokens)
{
	const struct parameter parameters[] = {
		{ "grant_type", STR("refresh_token") },
		{ "refresh_token", login->refresh_token },
		{ "client_id", login->client_id },
	};
	const struct endpoint endpoint = { .url = login->token_endpoint,
					   .ca_file = login->ca_file,
					   .dpop_key = login->dpop_key };
	enum err err;

	err = endpoint_tokens(task, &endpoint, parameters, COUNT_OF(parameters), ret_tokens);
	if (err != ERR_IO)
		return err;
	/*
	 * the answer may have been lost on its way; asking again at once gets the same successor
	 */
	task_forgive(task);
	return endpoint_tokens(task, &endpoint, parameters, COUNT_OF(parameters), ret_tokens);
}

static struct login with_tokens(const struct task *task, const struct login *login,
				const struct tokens *tokens)
{
	struct login next = *login;

	next.access_token = tokens->access_token;
	next.access_expires_at = tokens->expires_at;
	next.token_type = tokens->token_type;
	next.last_used_at = task->now;
	if (tokens->refresh_token.at != NULL)
		next.refresh_token = tokens->refresh_token;
	if (tokens->scope.at != NULL)
		next.scope = tokens->scope;
	if (tokens->grant_expires_at != 0)
		next.expires_at = tokens->grant_expires_at;
	return next;
}

static enum err fail_ended(struct task *task, const struct login *login)
{
	struct str command = login_command(task, login);

	return failf(task, ERR_GRANT, "%.*s. To ask again: %.*s", STR_FMT(login->ended),
		     STR_FMT(command));
}

/*
 * The server says that the refresh token is dead. If another process has stored a newer one
 * meanwhile, that one is tried by the caller (OK); else the log-in has ended, and keeps the
 * reason instead of its tokens.
 */
static enum err bury(struct task *task, const struct wallet *wallet, struct login *login)
{
	struct str sent = login->refresh_token, why = task->reason;
	struct login stored;

	task_forgive(task);
	TRY(wallet_read(task, wallet, login->file, &stored));
	if (!str_equals(stored.refresh_token, sent)) {
		*login = stored;
		return OK;
	}
	stored.access_token = STR_NONE;
	stored.refresh_token = STR_NONE;
	stored.ended = why;
	TRY(wallet_replace(task, wallet, &stored, sent));
	return fail_ended(task, &stored);
}

/*
 * Another process may have been faster; then both tokens are good, and what is stored is the
 * newer.
 */
static enum err put_away(struct task *task, const struct wallet *wallet, const struct login *next,
			 struct str sent)
{
	enum err err = wallet_replace(task, wallet, next, sent);

	if (err != ERR_CONFLICT)
		return err;
	task_forgive(task);
	return OK;
}

static enum err refresh(struct task *task, const struct wallet *wallet, struct login *login)
{
	for (int tries = 0; tries < 3; tries++) {
		struct tokens tokens;
		enum err err;

		if (login->ended.at != NULL)
			return fail_ended(task, login);
		if (login->refresh_token.at == NULL)
			return failf(task, ERR_GRANT,
				     "the access token is over and there is no refresh token. "
				     "To ask again: %.*s",
				     STR_FMT(login_command(task, login)));
		err = ask(task, login, &tokens);
		if (err == OK) {
			struct login next = with_tokens(task, login, &tokens);
			struct str sent = login->refresh_token;

			*login = next;
			return put_away(task, wallet, &next, sent);
		}
		if (err != ERR_GRANT)
			return err;
		TRY(bury(task, wallet, login));
	}
	return fail(task, ERR_GRANT, "other processes refresh without end: try again");
}

/* Kept before the server hears of it: then no answer that got lost leaves us without the key. */
static enum err make_key(struct task *task, const struct wallet *wallet, struct login *login)
{
	if (login->refresh_token.at == NULL)
		return OK; /* and refresh says what to do */
	TRY(prove_new_key(task, &login->dpop_key));
	return wallet_replace(task, wallet, login, login->refresh_token);
}

static enum err refresh_in_turn(struct task *task, const struct wallet *wallet, struct login *login,
				bool bind)
{
	CLEANUP(wallet_unlock) int lock = wallet_lock(task, wallet, login->file);
	struct str former = login->access_token;

	TRY(wallet_read(task, wallet, login->file, login));
	task->now = clock_wall(task->clock);
	if (bind && login->dpop_key.at == NULL)
		TRY(make_key(task, wallet, login));
	else if (!str_equals(login->access_token, former) && is_fresh(task, login))
		return OK; /* somebody else did it while we waited */
	return refresh(task, wallet, login);
}

enum err token_ensure(struct task *task, const struct wallet *wallet, const struct wish *wish,
		      struct login *login)
{
	bool bind = wish->dpop && login->dpop_key.at == NULL;

	if (login->ended.at != NULL)
		return fail_ended(task, login);
	if (wish->fresh || bind || !is_fresh(task, login))
		return refresh_in_turn(task, wallet, login, bind);
	return OK;
}

/* Each caller's refresh is its own, so no two have the same token to exchange. */
enum err token_own(struct task *task, const struct wallet *wallet, struct login *login)
{
	CLEANUP(wallet_unlock) int lock = wallet_lock(task, wallet, login->file);

	TRY(wallet_read(task, wallet, login->file, login));
	task->now = clock_wall(task->clock);
	return refresh(task, wallet, login);
}

static enum err print_json(struct task *task, const struct login *login)
{
	struct buf text = buf_in(&task->arena, TOKEN_MAX);
	struct json_writer json = json_write_to(&text);
	struct str line = STR_NONE;

	json_open_object(&json);
	json_member_str(&json, "access_token", login->access_token);
	json_member_str(&json, "token_type",
			login_type_is_dpop(login->token_type) ? STR("DPoP") : STR("Bearer"));
	json_member_str(&json, "expires_at", clock_format(&task->arena, login->access_expires_at));
	if (login->resource.at != NULL)
		json_member_str(&json, "resource", login->resource);
	if (login->scope.at != NULL)
		json_member_str(&json, "scope", login->scope);
	json_close(&json);
	TRY(buf_finish(&text, &line));
	return say_line(task, line);
}

static enum err token_run(struct task *task, const struct wish *wish)
{
	CLEANUP(wallet_close) struct wallet wallet = WALLET_CLOSED;
	struct login login;

	TRY(wallet_open(task, wish->home, false, &wallet));
	TRY(wallet_find(task, &wallet, wish->resource, &login));
	TRY(token_ensure(task, &wallet, wish, &login));
	return wish->json ? print_json(task, &login) : say_line(task, login.access_token);
}

static const struct wish_option options[] = {
	{ "--resource", "URI", "the token for this resource (or its last path segment)",
	  offsetof(struct wish, resource) },
	{ "--fresh", NULL, "ask the server even if the stored token still lasts",
	  offsetof(struct wish, fresh) },
	{ "--dpop", NULL, "bind the log-in's tokens to a key from now on (DPoP): see grant curl",
	  offsetof(struct wish, dpop) },
	WISH_JSON,
	WISH_HELP,
	{ NULL },
};

const struct verb verb_token = { "token", "print a fresh access token, and nothing else", options,
				 token_run, NULL };

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant login: the authorization code flow of a native app (RFC 8252) with PKCE (RFC 7636) and
 * iss (RFC 9207).
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "grant_cli/browser.h"
#include "grant_cli/callback.h"
#include "grant_cli/device.h"
#include "grant_cli/endpoint.h"
#include "grant_cli/issuer.h"
#include "grant_cli/say.h"
#include "grant_cli/wallet.h"
#include "grant_cli/wish.h"

#define ADDRESS_MAX	8192
#define RANDOM_LEN	32
#define PERSON_DEADLINE (5 * MINUTE_MS)

/* What must not get out before the code is redeemed. */
struct proof {
	struct str state;
	struct str verifier;
	struct str challenge;
	struct str redirect_uri;
};

static struct str random_text(struct task *task)
{
	char bytes[RANDOM_LEN];

	random_bytes(bytes, sizeof(bytes));
	return base64url_encode(&task->arena, (struct str){ bytes, sizeof(bytes) });
}

static void make_proof(struct task *task, struct proof *proof)
{
	*proof = (struct proof){ 0 };
	proof->state = random_text(task);
	proof->verifier = random_text(task);
	proof->challenge = base64url_encode(&task->arena,
					    sha256_str(&task->arena, proof->verifier));
}

static enum err authorize_address(struct task *task, const struct wish *wish,
				  const struct issuer *issuer, const struct proof *proof,
				  struct str *ret_address)
{
	const struct parameter parameters[] = {
		{ "response_type", STR("code") },	 { "client_id", wish->client },
		{ "redirect_uri", proof->redirect_uri }, { "scope", wish->scope },
		{ "resource", wish->resource },		 { "state", proof->state },
		{ "code_challenge", proof->challenge },	 { "code_challenge_method", STR("S256") },
	};
	struct buf address = buf_in(&task->arena, ADDRESS_MAX);

	buf_add(&address, issuer->authorization_endpoint);
	buf_add_char(&address, str_has(issuer->authorization_endpoint, '?') ? '&' : '?');
	parameters_add(&address, parameters, COUNT_OF(parameters));
	return buf_finish(&address, ret_address);
}

/* Shows the person the way: in their browser, or as the address alone on stdout. */
static enum err show_address(struct task *task, const struct wish *wish, struct str address)
{
	if (wish->no_browser)
		return say_line(task, address);
	fprintf(stderr,
		"Opening your browser. If nothing appears, open this address yourself:\n%.*s\n",
		STR_FMT(address));
	if (browser_open(task, address, wish->environment) != OK) {
		fprintf(stderr, "(%.*s)\n", STR_FMT(task->reason));
		task_forgive(task);
	}
	return OK;
}

static enum err check_answer(struct task *task, const struct issuer *issuer,
			     const struct callback_answer *answer)
{
	/*
	 * RFC 9207 2.4: the answer of another server, mixed in, gets no code of ours and we none
	 * of its
	 */
	if (answer->iss.at == NULL && issuer->sends_iss)
		return fail(task, ERR_FORBIDDEN,
			    "the answer does not say which issuer it is from: not used");
	if (answer->iss.at != NULL && !str_equals(answer->iss, issuer->name))
		return failf(task, ERR_FORBIDDEN,
			     "the answer is from %.*s, not from %.*s: not used",
			     STR_FMT(answer->iss), STR_FMT(issuer->name));
	if (answer->error.at == NULL)
		return OK;
	if (str_equals(answer->error, STR("access_denied")))
		return fail(task, ERR_DENIED, "the person said no (access_denied)");
	return failf(task, ERR_DENIED, "the server refuses (%.*s%s%.*s)", STR_FMT(answer->error),
		     answer->error_description.at == NULL ? "" : ": ",
		     STR_FMT(answer->error_description));
}

static struct login login_of(struct task *task, const struct wish *wish,
			     const struct issuer *issuer, const struct tokens *tokens)
{
	return (struct login){
		.file = wallet_file(task, issuer->name, wish->client, wish->resource),
		.id = random_id(&task->arena, "log_"),
		.issuer = issuer->name,
		.client_id = wish->client,
		.resource = wish->resource,
		.scope = tokens->scope.at == NULL ? wish->scope : tokens->scope,
		.ca_file = wish->ca_file,
		.token_endpoint = issuer->token_endpoint,
		.revocation_endpoint = issuer->revocation_endpoint,
		.created_at = task->now,
		.expires_at = tokens->grant_expires_at,
		.last_used_at = task->now,
		.access_token = tokens->access_token,
		.access_expires_at = tokens->expires_at,
		.refresh_token = tokens->refresh_token,
		.token_type = tokens->token_type,
	};
}

static enum err redeem(struct task *task, const struct wish *wish, const struct issuer *issuer,
		       const struct proof *proof, struct str code, struct login *ret_login)
{
	const struct parameter parameters[] = {
		{ "grant_type", STR("authorization_code") }, { "code", code },
		{ "redirect_uri", proof->redirect_uri },     { "client_id", wish->client },
		{ "code_verifier", proof->verifier },	     { "resource", wish->resource },
	};
	const struct endpoint endpoint = { .url = issuer->token_endpoint,
					   .ca_file = wish->ca_file };
	struct tokens tokens;

	task->now = clock_wall(task->clock); /* the person took their time */
	TRY(endpoint_tokens(task, &endpoint, parameters, COUNT_OF(parameters), &tokens));
	*ret_login = login_of(task, wish, issuer, &tokens);
	return OK;
}

/*
 * Ends tokens that nobody keeps. If it fails, the person still sees the installation and can end
 * it.
 */
static void give_up(struct task *task, const struct login *login)
{
	const struct endpoint endpoint = { .url = login->revocation_endpoint,
					   .ca_file = login->ca_file };

	if (login->refresh_token.at == NULL || login->revocation_endpoint.at == NULL)
		return;
	if (endpoint_revoke(task, &endpoint, login->client_id, login->refresh_token) != OK)
		task_forgive(task);
}

/* Stores the new log-in and ends the one whose place it takes. */
static enum err keep(struct task *task, const struct wallet *wallet, const struct login *login)
{
	CLEANUP(wallet_unlock) int lock = wallet_lock(task, wallet, login->file);
	struct login former = { 0 };

	enum err err;

	if (wallet_read(task, wallet, login->file, &former) != OK)
		task_forgive(task);
	err = wallet_put(task, wallet, login);
	if (err != OK) {
		struct str why = task->reason;

		task_forgive(task);
		give_up(task, login);
		return failf(task, err, "%.*s", STR_FMT(why));
	}
	give_up(task, &former);
	return OK;
}

static enum err ask_person(struct task *task, const struct wish *wish, const struct issuer *issuer,
			   struct callback *callback, const struct proof *proof,
			   struct login *ret_login)
{
	struct str address = STR_NONE;
	struct callback_answer answer;

	TRY(authorize_address(task, wish, issuer, proof, &address));
	TRY(show_address(task, wish, address));
	TRY(callback_wait(task, callback, clock_monotonic() + PERSON_DEADLINE, &answer));
	TRY(check_answer(task, issuer, &answer));
	return redeem(task, wish, issuer, proof, answer.code, ret_login);
}

/* A path that means the same to the processes that refresh later, wherever they run. */
static enum err find_ca(struct task *task, struct str file, struct str *ret_path)
{
	char path[PATH_MAX];

	if (file.at != NULL && realpath(str_to_c(&task->arena, file), path) == NULL)
		return failf(task, ERR_STORE, "cannot find the CA file %.*s: %s", STR_FMT(file),
			     strerror(errno));
	*ret_path = file.at == NULL ? STR_NONE : str_copy(&task->arena, str_from_c(path));
	return OK;
}

static enum err login_by_browser(struct task *task, const struct wish *wish,
				 const struct issuer *issuer, const struct wallet *wallet,
				 struct login *ret_login)
{
	CLEANUP(callback_close) struct callback *callback = NULL;
	struct proof proof;
	enum err err;

	make_proof(task, &proof);
	TRY(callback_open(task, proof.state, &callback));
	proof.redirect_uri = callback_uri(task, callback);
	err = ask_person(task, wish, issuer, callback, &proof, ret_login);
	if (err == OK)
		err = keep(task, wallet, ret_login);
	if (err == OK)
		callback_finish(
			task, callback, "Signed in",
			"The program that sent you has what you allowed. You can close this "
			"page.");
	else
		callback_finish(task, callback, "Not signed in",
				"The program that sent you says why. You can close this page.");
	return err;
}

static enum err login_by_device(struct task *task, const struct wish *wish,
				const struct issuer *issuer, const struct wallet *wallet,
				struct login *ret_login)
{
	struct tokens tokens;

	TRY(device_tokens(task, wish, issuer, &tokens));
	*ret_login = login_of(task, wish, issuer, &tokens);
	return keep(task, wallet, ret_login);
}

static enum err login_run(struct task *task, const struct wish *asked)
{
	struct wish wish = *asked;

	CLEANUP(wallet_close) struct wallet wallet = WALLET_CLOSED;
	struct issuer issuer;
	struct login login;

	if (wish.issuer.at == NULL || wish.client.at == NULL)
		return fail(task, ERR_REQUEST, "grant login needs --issuer and --client");
	TRY(find_ca(task, wish.ca_file, &wish.ca_file));
	/* all that can be wrong on this side is found before the person is asked */
	TRY(wallet_open(task, wish.home, true, &wallet));
	TRY(issuer_discover(task, wish.issuer, wish.ca_file, &issuer));
	TRY(wish.device ? login_by_device(task, &wish, &issuer, &wallet, &login)
			: login_by_browser(task, &wish, &issuer, &wallet, &login));
	return wish.json ? say_login(task, &login)
			 : say_note("Logged in. `grant token` prints an access token.");
}

static const struct wish_option options[] = {
	{ "--issuer", "URL", "the authorization server, exactly as it calls itself",
	  offsetof(struct wish, issuer) },
	{ "--client", "ID", "the client id that its operator gave this program",
	  offsetof(struct wish, client) },
	{ "--resource", "URI", "what the token is for", offsetof(struct wish, resource) },
	{ "--scope", "'NAME NAME'", "what to ask the person for", offsetof(struct wish, scope) },
	{ "--ca", "FILE", "trust this certificate authority, and no other",
	  offsetof(struct wish, ca_file) },
	{ "--device", NULL, "show an address and a code for a browser elsewhere",
	  offsetof(struct wish, device) },
	{ "--no-browser", NULL, "print the address for the person, and nothing else",
	  offsetof(struct wish, no_browser) },
	WISH_JSON,
	WISH_HELP,
	{ NULL },
};

const struct verb verb_login = { "login", "ask a person for access to a resource, and keep it",
				 options, login_run, NULL };

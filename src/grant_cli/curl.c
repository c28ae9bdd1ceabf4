/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant curl: one call to a resource with the log-in's token, and with a proof where the token is
 * bound to a key (RFC 9449 7). The token is in nobody's arguments.
 */
#include <stddef.h>
#include <stdio.h>

#include "base/json.h"
#include "base/task.h"
#include "base/url.h"
#include "grant_cli/prove.h"
#include "grant_cli/say.h"
#include "grant_cli/token.h"
#include "http/client.h"

#define ANSWER_MAX (16 * 1024 * 1024)
#define TIMEOUT_MS 60000

static bool has_origin_of(struct arena *arena, const struct url *url, struct str other)
{
	struct url parsed;

	return other.at != NULL && url_parse(other, &parsed) == OK &&
	       str_equals_nocase(url_origin(arena, url), url_origin(arena, &parsed));
}

/* Without --resource a token goes to the server that its log-in is for, and to no other. */
static bool is_for(struct arena *arena, const struct login *login, const struct url *url)
{
	return has_origin_of(arena, url, login->resource) ||
	       has_origin_of(arena, url, login->issuer);
}

/* The resource itself or something in it; "/mail-archive" is not in "/mail". */
static bool is_below(struct str text, struct str resource)
{
	struct str rest;

	if (str_is_empty(resource) || !str_starts_with(text, resource))
		return false;
	rest = str_from(text, resource.len);
	return rest.len == 0 || resource.at[resource.len - 1] == '/' ||
	       str_has(STR("/?#"), rest.at[0]);
}

/* 0: not for that server; above 1: the longer the resource that the call is below. */
static size_t fit_of(struct arena *arena, const struct login *login, const struct url *url,
		     struct str text)
{
	if (!is_for(arena, login, url))
		return 0;
	return is_below(text, login->resource) ? 1 + login->resource.len : 1;
}

struct fitting {
	const struct login *login;
	size_t fit;
	size_t count;	  /* of those that fit as well */
	struct str names; /* theirs, for the user */
};

static void count_fitting(struct arena *arena, struct fitting *best, const struct login *login,
			  size_t fit)
{
	bool has_resource = login->resource.at != NULL;
	struct str name = STR_JOIN(arena, has_resource ? login->resource : login->issuer, STR(" ("),
				   login->client_id, STR(")"));

	if (fit == 0 || fit < best->fit)
		return;
	if (fit > best->fit)
		*best = (struct fitting){ .login = login, .fit = fit };
	best->names = best->count == 0 ? name : STR_JOIN(arena, best->names, STR(", "), name);
	best->count++;
}

/* The one with the longest resource that the call is below; else the only one of that server. */
static enum err find_login(struct task *task, const struct wallet *wallet, const struct wish *wish,
			   const struct url *url, struct login *ret_login)
{
	struct arena *arena = &task->arena;
	struct fitting best = { 0 };
	struct login *logins = NULL;
	size_t count = 0;

	if (wish->resource.at != NULL)
		return wallet_find(task, wallet, wish->resource, ret_login);
	TRY(wallet_list(task, wallet, &logins, &count));
	for (size_t i = 0; i < count; i++)
		count_fitting(arena, &best, &logins[i], fit_of(arena, &logins[i], url, wish->url));
	if (best.count == 0)
		return failf(task, ERR_NOT_FOUND,
			     "no log-in is for %.*s; to send a token there all the same, name its "
			     "log-in with --resource",
			     STR_FMT(url_origin(arena, url)));
	if (best.count > 1)
		return failf(task, ERR_CONFLICT,
			     "several log-ins are for that server: name one with --resource: %.*s",
			     STR_FMT(best.names));
	*ret_login = *best.login;
	return OK;
}

/* Who sends it takes dot segments out, and then it leads elsewhere than what was compared. */
static enum err check_url(struct task *task, struct str text, struct url *ret_url)
{
	if (text.at == NULL)
		return fail(task, ERR_REQUEST, "grant curl needs a URL");
	if (url_parse(text, ret_url) != OK)
		return failf(task, ERR_REQUEST, "\"%.*s\" is not a URL", STR_FMT(text));
	if (url_has_dot_segment(ret_url->path))
		return failf(task, ERR_REQUEST, "\"%.*s\" has a dot segment: write where it leads",
			     STR_FMT(text));
	return OK;
}

static enum err call(struct task *task, const struct wish *wish, const struct login *login,
		     struct str nonce, struct http_answer *ret_answer)
{
	bool is_bound = login_type_is_dpop(login->token_type);
	struct str method = wish->method.at == NULL ? STR("GET") : wish->method;
	const struct proof_wish proof = { .method = method,
					  .url = wish->url,
					  .nonce = nonce,
					  .access_token = login->access_token };
	struct str fields[2] = { STR_JOIN(&task->arena, STR("Authorization: "),
					  is_bound ? STR("DPoP ") : STR("Bearer "),
					  login->access_token) };
	const struct http_call http = { .method = method,
					.url = wish->url,
					.fields = fields,
					.field_count = is_bound ? 2 : 1,
					.ca_file = wish->ca_file.at == NULL ? login->ca_file
									    : wish->ca_file,
					.allow_loopback_http = true,
					.answer_max = ANSWER_MAX,
					.timeout_ms = TIMEOUT_MS };

	if (is_bound)
		TRY(prove_line(task, login->dpop_key, &proof, &fields[1]));
	return http_client_call(task, &http, ret_answer);
}

/* A refused token is asked for anew once, and a nonce that is wanted is signed. */
static enum err call_until_taken(struct task *task, const struct wallet *wallet,
				 const struct wish *wish, struct login *login,
				 struct http_answer *ret_answer)
{
	struct wish anew = *wish;
	struct http_answer answer;
	struct str nonce;

	TRY(call(task, wish, login, STR_NONE, &answer));
	nonce = http_answer_field(&answer, STR("DPoP-Nonce"));
	if (answer.status == 401 && nonce.at != NULL)
		TRY(call(task, wish, login, nonce, &answer));
	if (answer.status == 401) {
		anew.fresh = true;
		TRY(token_ensure(task, wallet, &anew, login));
		TRY(call(task, wish, login, nonce, &answer));
	}
	*ret_answer = answer;
	return OK;
}

static enum err print_json(struct task *task, const struct http_answer *answer)
{
	struct buf text = buf_in(&task->arena, 2 * ANSWER_MAX);
	struct json_writer json = json_write_to(&text);
	struct str line = STR_NONE;

	json_open_object(&json);
	json_member_int(&json, "status", answer->status);
	json_member_str(&json, "type", answer->type.at == NULL ? STR("") : answer->type);
	json_member_str(&json, "body", answer->body);
	json_close(&json);
	TRY(buf_finish(&text, &line));
	return say_line(task, line);
}

static enum err print_answer(struct task *task, const struct wish *wish,
			     const struct http_answer *answer)
{
	if (wish->json)
		return print_json(task, answer);
	if (fwrite(answer->body.at, 1, answer->body.len, stdout) != answer->body.len ||
	    fflush(stdout) != 0)
		return fail(task, ERR_STORE, "the answer cannot be written");
	return OK;
}

static enum err curl_run(struct task *task, const struct wish *wish)
{
	CLEANUP(wallet_close) struct wallet wallet = WALLET_CLOSED;
	struct http_answer answer;
	struct login login;
	struct url url;

	TRY(check_url(task, wish->url, &url));
	TRY(wallet_open(task, wish->home, false, &wallet));
	TRY(find_login(task, &wallet, wish, &url, &login));
	TRY(token_ensure(task, &wallet, wish, &login));
	TRY(call_until_taken(task, &wallet, wish, &login, &answer));
	TRY(print_answer(task, wish, &answer));
	if (answer.status >= 400)
		return failf(task, ERR_FORBIDDEN, "the resource answered %u", answer.status);
	return OK;
}

static const struct wish_option options[] = {
	{ "--resource", "URI", "with this log-in's token, wherever the URL leads",
	  offsetof(struct wish, resource) },
	{ "--method", "NAME", "another method than GET", offsetof(struct wish, method) },
	{ "--dpop", NULL, "bind the log-in's tokens to a key from now on (DPoP)",
	  offsetof(struct wish, dpop) },
	{ "--ca", "FILE", "trust this certificate authority, and no other",
	  offsetof(struct wish, ca_file) },
	WISH_JSON,
	WISH_HELP,
	{ NULL },
};

const struct verb verb_curl = { "curl", "make one call with a token, and print the answer", options,
				curl_run, "URL" };

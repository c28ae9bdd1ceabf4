/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An authorization server without its doors, for tests of the rules: a world with keys, a mail
 * resource, alice, an agent of hers (public) and a confidential one. Everything is real but HTTP.
 */
#pragma once

#include "world.h"

#include "authority/authority.h"
#include "authority/consent.h"
#include "authority/request.h"
#include "authority/token.h"
#include "authority/verify.h"

#define OFFICE_RESOURCE "https://grantd.test/r/mail"
#define OFFICE_BROWSER	"the-cookie-of-one-browser"
#define OFFICE_REDIRECT "http://127.0.0.1:5000/callback"
#define OFFICE_VERIFIER "a-verifier-of-forty-three-characters-or-more"
#define OFFICE_PASSWORD "correct horse battery staple"
#define OFFICE_SECRET	"a-client-secret-of-at-least-32-characters"

struct office {
	struct world world;
	const struct config *config;
	struct keyring *keys;
	struct config_live *live;
	struct authority authority;
	struct user alice;
};

void office_open(struct office *office);
void office_close(struct office *office);
/* A file of DIR: "grantd.conf", "resources/mail.json". */
void office_write(struct office *office, const char *name, const char *text);
/* The clock moves on; tasks begun later see it. */
void office_wait(struct office *office, int64_t ms);

/* A good authorization request of that client, as the door would hand it over. */
struct authorize_params office_params(struct office *office, const char *client, const char *scope);
/* auth_request_open to its end; what it remembers and how a refusal may be told are copied. */
enum err office_ask(struct office *office, const struct authorize_params *params,
		    struct auth_request *ret_request, struct authorize_refusal *ret_refusal);
/* consent_show, and that it was shown. */
enum err office_show(struct office *office, const struct consent_asked *asked,
		     struct consent_view *ret_view);
/* consent_decide to its end. */
enum err office_decide(struct office *office, const struct consent_asked *asked,
		       const struct consent_answer *answer, struct str *ret_location);
/* alice, signed in, lets `client` do `scope` for `duration`; answers the code. */
struct str office_code(struct office *office, const char *client, const char *scope,
		       const char *duration);
/* A wish of that client with the right verifier. */
struct token_wish office_wish(struct office *office, const char *client);

enum err office_redeem(struct office *office, struct token_wish *wish);
enum err office_refresh(struct office *office, struct token_wish *wish);
/* A code redeemed: the first tokens of a new family. */
struct token_answer office_tokens(struct office *office, const char *client, const char *scope);
/* A refresh by "agent" with that token; *wish has the answer. */
enum err office_refresh_with(struct office *office, struct str refresh_token,
			     struct token_wish *wish);
/* OK while the access token stands. */
enum err office_access(struct office *office, struct str access_token);
/* How many events of that kind there are. */
size_t office_events(struct office *office, const char *kind);
/* The live grant of alice for that client. */
struct grant office_grant(struct office *office, const char *client);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client metadata documents (draft-ietf-oauth-client-id-metadata-document): an agent that nobody
 * registered is the https URL at which it describes itself. Which URLs may be a client_id, and what
 * of the JSON there becomes a client. No fetching and no time here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/client.h"

struct task;

#define DOCUMENT_MAX	 (5 * 1024)
#define DOCUMENT_URL_MAX 512
#define DOCUMENT_KIND	 "document" /* of struct client */

/* True for what can only be meant as the URL of a document: no other client's id looks like it. */
bool document_is_meant(struct str client_id);
/*
 * Section 3: https, a host with a name (also localhost with allow_localhost: for tests), a path
 * without dot segments, plain or encoded; no user, no fragment. ERR_CLIENT_DOCUMENT with what is
 * wrong.
 */
MUST_CHECK enum err document_check_url(struct task *task, struct str url, bool allow_localhost);
/*
 * Where a client publishes its keys: by the same rules, at a host that is a public one by its name.
 * ERR_SYNTAX with what is wrong.
 */
MUST_CHECK enum err document_check_jwks_uri(struct task *task, struct str uri,
					    bool allow_localhost);
/* "app.example" or "app.example:8443"; the domain that policies name is without the port. */
struct str document_host(struct str url);
struct str document_domain(struct str url);
/* Is the domain that one, or below it? */
bool document_is_below(struct str domain, struct str above);

/* Section 4.1: application/json or a type that ends in +json, whatever its parameters. */
bool document_is_json(struct str content_type);

struct document {
	struct client client; /* id, name, kind, auth and alg, redirect URIs, grant types, keys */
	struct str keys;      /* its jwks or jwks_uri as JSON; STR_NONE: it has none */
	bool requires_par;    /* require_pushed_authorization_requests (RFC 9126 6) */
	bool is_bound;	      /* all its tokens to its DPoP key (RFC 9449 5.2) */
};

/*
 * Section 4: client_id is the URL byte for byte, no secret and no method that shares one, at least
 * one redirect URI that redirect_check accepts (others are left out), code among its response
 * types; members we do not know are ignored. Without a name it is called by its host. schemes as
 * redirect_check wants them. ERR_CLIENT_DOCUMENT with what to change.
 */
MUST_CHECK enum err document_parse(struct task *task, struct str url, struct str text,
				   const struct str *schemes, size_t scheme_count,
				   struct document *ret_document);

/*
 * For how long it may be believed, in ms: what Cache-Control and Age of its answer say (RFC 9111
 * 5.2.2, as a shared cache), within 5 minutes and a day; an hour when they say nothing.
 */
int64_t document_life(struct str cache_control, struct str age);

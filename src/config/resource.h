/* SPDX-License-Identifier: Apache-2.0 */
/* A protected API or MCP server (RFC 8707) as its file in DIR/resources describes it.
 * docs/resources.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct task;

#define RESOURCES_MAX	  256
#define RESOURCE_FILE_MAX (256 * 1024)

/* What authorization_details (RFC 9396) may name of a scope. */
struct resource_operation {
	struct str name;
	struct str title;	  /* "Search your mail" */
	const struct str *limits; /* that an agent may set on it: "per_day", … */
	size_t limit_count;
};

struct resource_scope {
	struct str name;
	struct str title; /* "Read your mail" */
	struct str risk;  /* "read", "write", "send", "delete" (as model/grant.h names them) */
	bool is_default;  /* part of the scope when the request names none */
	bool for_clients; /* "clients": true: an agent may have it for itself (client_credentials)
			   */
	const struct str *can; /* sentences */
	size_t can_count;
	const struct str *cannot;
	size_t cannot_count;
	const struct resource_operation *operations;
	size_t operation_count;
};

struct introspection_caller {
	struct str id;		/* Basic user of the resource server at /introspect */
	struct str secret_hash; /* SHA-256 of what stood in secret_file (without the newline) */
};

/* SHA-256, handed down by the caller: config and crypto stand beside one another. */
typedef void digest_fn(struct str data, uint8_t ret_digest[32]);
#define RESOURCE_DIGEST_LEN 32

struct resource {
	struct str name; /* file name without .json: a-z 0-9 - */
	struct str uri;	 /* canonical: lower-case scheme and host, no default port, no trailing
			    slash, no fragment */
	struct str title;
	bool enforced_by_gateway; /* false: "resource": somebody else's door */
	bool checks_locally;	  /* false: introspection */
	/* command and arguments with {username}, {client}, never a shell; or one https:// URL to
	 * post to */
	const struct str *on_stop;
	size_t on_stop_count;
	struct str token_typ; /* "at+jwt" or "JWT" */
	struct str token_alg; /* "ES256" or "RS256" */
	int64_t token_ms;     /* lifetime, <= 900 s; config_load puts its default where the file has
				 none */
	bool takes_dpop;      /* false: it cannot check proofs, so its tokens are bearer tokens */
	bool names_user;      /* "claims": its tokens say the username too */
	bool has_own_keys;    /* typ JWT: a signing key and JWKS of its own */
	const struct resource_scope *scopes;
	size_t scope_count;
	const struct introspection_caller *callers;
	size_t caller_count;
	struct str file_hash; /* SHA-256 of the file, in hex; STR_NONE without a digest */
};

/*
 * Checks one file's text. ERR_CONFIG names the member and what is allowed ("scopes[1].risk:
 * \"wirte\" is not one of read, write, send, delete"). secret files are read relative to dir, mode
 * as for root.key.
 */
MUST_CHECK enum err resource_parse(struct task *task, struct str name, struct str text,
				   struct str dir, digest_fn *digest,
				   struct resource *ret_resource);
/* True for a name that a resource file may have: a-z 0-9 and '-' inside, at most 64. */
bool resource_name_is_valid(struct str name);
/* The scope of that name, or NULL. */
const struct resource_scope *resource_find_scope(const struct resource *resource, struct str name);
/* The canonical form of a resource URI as asked (RFC 8707 2; MCP canonical URI). ERR_TARGET:
 * relative, fragment, userinfo. */
MUST_CHECK enum err resource_canonical(struct task *task, struct str uri, struct str *ret_uri);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as it came and an answer as it goes. All slices of a request point into its
 * connection's input or its task's memory and live as long as the exchange.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct exchange;

#define HTTP_FIELDS_MAX	 100
#define HTTP_HEAD_MAX	 (16 * 1024)
#define HTTP_TARGET_MAX	 (8 * 1024)
#define HTTP_BODY_MAX	 (64 * 1024)
#define REPLY_FIELDS_MAX 24

struct http_field {
	struct str name; /* as it came; compare without case */
	struct str value;
};

struct peer {
	struct str address; /* "127.0.0.1", "::1"; the client's, also behind a trusted proxy; "" on
			       a unix socket */
	/* then these are the kernel's word about the other side (SO_PEERCRED, SO_PEERGROUPS) */
	bool is_unix;
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* as long as the connection */
	size_t group_count;
	bool is_secure; /* TLS here or, as a trusted proxy says, in front of us */
};

struct request {
	struct str method;
	struct str target;	/* raw, before any decoding */
	struct str path;	/* raw part of the target before '?' */
	struct str query;	/* raw; STR_NONE without '?' */
	unsigned version_minor; /* HTTP/1.x */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t field_count;
	struct str body;
	struct str
		params[4]; /* what the route's {name} segments matched, decoded, in their order */
	struct peer peer;
};

/* The value of the only field of that name, trimmed. STR_NONE when absent or present more than
 * once. */
struct str request_field(const struct request *request, struct str name);
/* How often the field is there. */
size_t request_field_count(const struct request *request, struct str name);
/* True if Content-Type's media type (parameters aside) equals type, without case. */
bool request_has_type(const struct request *request, struct str type);
/* True if the client names that media type among those it takes (RFC 9110 12.5.1), without q=0. */
bool request_accepts(const struct request *request, struct str type);

struct reply {
	unsigned status; /* 0: nothing decided yet */
	struct http_field fields[REPLY_FIELDS_MAX];
	size_t field_count;
	struct str body;
	bool close; /* end the connection after this answer */
};

/*
 * Adds a header field; a value with CR, LF or NUL, or a field past REPLY_FIELDS_MAX, is our own
 * mistake and asserts. Names are written as given. Content-Length, Date and Connection are the
 * connection's affair.
 */
void reply_field(struct exchange *exchange, struct str name, struct str value);
/* The whole answer but for extra fields; type is the Content-Type. Body must live in task memory or
 * longer. */
void reply_with(struct exchange *exchange, unsigned status, struct str type, struct str body);
/* 303 (or 302 for GET-to-GET) with Location; never 307. Location is ASCII without controls,
 * checked. */
void reply_redirect(struct exchange *exchange, unsigned status, struct str location);
/* The reason phrase of a status. */
struct str reply_phrase(unsigned status);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs as OAuth needs them: taken apart strictly by RFC 3986 (never repaired as browsers do),
 * percent coding, and the two questions that redirect URIs ask of a host. Comparison of redirect
 * URIs is on bytes and stays with model/redirect.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct task;

/* Slices of the text. Absent parts have at == NULL. */
struct url {
	struct str scheme;
	struct str userinfo;
	struct str host;  /* an IPv6 literal keeps its brackets */
	struct str port;  /* digits */
	struct str path;  /* never absent, maybe empty */
	struct str query; /* without '?' */
	struct str fragment;
};

/*
 * ERR_SYNTAX unless the text is an absolute URI of RFC 3986 characters only: no space, control,
 * backslash, non-ASCII byte or broken percent sign. An authority, where there is one, has a host of
 * letters, digits, '-' and '.', or a bracketed IPv6 literal, and a port of 1..65535.
 */
MUST_CHECK enum err url_parse(struct str text, struct url *ret_url);

/* 127.0.0.1, [::1] or localhost, spelled exactly so. */
bool url_is_loopback(const struct url *url);

/*
 * The host is a name that others can resolve, as far as its spelling tells: no address in whatever
 * form, no name of this computer or a local network.
 */
bool url_is_public(const struct url *url);
/*
 * A DNS name that nobody can take for an address: at least two labels of a-z, 0-9 and '-' (no
 * capitals, for then two spellings were one host), the last one not a number, also no hexadecimal
 * one, and no dot at the end. "localhost" is none.
 */
bool url_host_is_name(struct str host);

/* A "." or ".." among the path's segments, also spelled with %2e. */
bool url_has_dot_segment(struct str path);

/* "https://host:port", the serialised origin (the port only if it was written). */
struct str url_origin(struct arena *arena, const struct url *url);

/*
 * Percent-decoding in task memory; '+' becomes a space when form is true (WHATWG form encoding).
 * ERR_SYNTAX for a broken percent sign, a raw space or control, or a result that is not text
 * (str_is_text).
 */
MUST_CHECK enum err url_decode(struct task *task, struct str text, bool form, struct str *ret_text);
/* Everything but RFC 3986 unreserved characters as %XX. */
void url_encode(struct buf *buf, struct str text);

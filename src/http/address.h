/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses a URL from outside may lead to (RFC 6890 and the registries it began, read so
 * that what is doubtful is refused): only those of the public internet. Everything else is somebody
 * else's inside: ours, our cloud's, our neighbours'. One pure function; who connects asks it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

enum address_reach {
	ADDRESS_PUBLIC,
	ADDRESS_LOOPBACK, /* 127.0.0.0/8 and ::1 */
	ADDRESS_SPECIAL,  /* private, link-local, multicast, documentation, translation, reserved */
};

/*
 * bytes: an IPv4 address (4) or an IPv6 one (16) in network order; any other length is special. Of
 * IPv6 only global unicast (2000::/3) can be public, without what is set apart in it; what carries
 * an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) is special whatever it
 * carries.
 */
enum address_reach address_reach(const uint8_t *bytes, size_t len);

struct sockaddr;
/* The same of a socket's address; special for families other than IPv4 and IPv6. */
enum address_reach address_reach_of(const struct sockaddr *address);
/* The same of an address as it is written; special for other texts. */
enum address_reach address_reach_written(struct arena *arena, struct str address);
/*
 * What counts as one stranger: the /24 of an IPv4 address, which neighbours may share, the /64 of
 * an IPv6 one, in one spelling. By less one person counts as many. Other texts are themselves.
 */
struct str address_network(struct arena *arena, struct str address);
/*
 * May what a server at `from` says lead us to an address at `to`? Never further inside than it is
 * itself: from the public internet only to there, from a network of somebody's also into that, from
 * this machine anywhere.
 */
bool address_may_lead(enum address_reach from, enum address_reach to);
/* As it is written, without brackets and port; "?" for other families. */
struct str address_text(struct arena *arena, const struct sockaddr *address);

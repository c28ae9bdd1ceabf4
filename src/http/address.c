/* SPDX-License-Identifier: Apache-2.0 */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/compiler.h"

#define V4_LEN 4
#define V6_LEN 16

struct block {
	uint8_t bytes[V6_LEN];
	unsigned bits;
	enum address_reach reach;
};

/* IANA's special-purpose registry of IPv4; what is in none of these is public. */
static const struct block v4_blocks[] = {
	{ { 0 }, 8, ADDRESS_SPECIAL },	      /* this network */
	{ { 10 }, 8, ADDRESS_SPECIAL },	      /* private (RFC 1918) */
	{ { 100, 64 }, 10, ADDRESS_SPECIAL }, /* shared by carriers (RFC 6598) */
	{ { 127 }, 8, ADDRESS_LOOPBACK },
	{ { 169, 254 }, 16, ADDRESS_SPECIAL },	   /* link-local, and clouds' metadata */
	{ { 172, 16 }, 12, ADDRESS_SPECIAL },	   /* private */
	{ { 192, 0, 0 }, 24, ADDRESS_SPECIAL },	   /* IETF protocols, DS-Lite, NAT64 discovery */
	{ { 192, 0, 2 }, 24, ADDRESS_SPECIAL },	   /* documentation */
	{ { 192, 31, 196 }, 24, ADDRESS_SPECIAL }, /* AS112 (RFC 7535) */
	{ { 192, 52, 193 }, 24, ADDRESS_SPECIAL }, /* AMT (RFC 7450) */
	{ { 192, 88, 99 }, 24, ADDRESS_SPECIAL },  /* 6to4 relays (RFC 7526) */
	{ { 192, 168 }, 16, ADDRESS_SPECIAL },	   /* private */
	{ { 192, 175, 48 }, 24, ADDRESS_SPECIAL }, /* AS112 (RFC 7534) */
	{ { 198, 18 }, 15, ADDRESS_SPECIAL },	   /* benchmarks (RFC 2544) */
	{ { 198, 51, 100 }, 24, ADDRESS_SPECIAL }, /* documentation */
	{ { 203, 0, 113 }, 24, ADDRESS_SPECIAL },  /* documentation */
	{ { 224 }, 4, ADDRESS_SPECIAL },	   /* multicast */
	{ { 240 }, 4, ADDRESS_SPECIAL },	   /* reserved, and broadcast */
};

/* The first that fits counts; the last one fits all. */
static const struct block v6_blocks[] = {
	{ { [15] = 1 }, 128, ADDRESS_LOOPBACK },
	{ { 0x20, 0x01, 0x00 }, 23, ADDRESS_SPECIAL }, /* IETF protocols: Teredo, ORCHID, … */
	{ { 0x20, 0x01, 0x0D, 0xB8 }, 32, ADDRESS_SPECIAL },		 /* documentation */
	{ { 0x20, 0x02 }, 16, ADDRESS_SPECIAL },			 /* 6to4 */
	{ { 0x26, 0x20, 0x00, 0x4F, 0x80, 0x00 }, 48, ADDRESS_SPECIAL }, /* AS112 */
	{ { 0x3F, 0xFE }, 16, ADDRESS_SPECIAL },			 /* the old 6bone */
	{ { 0x3F, 0xFF }, 20, ADDRESS_SPECIAL }, /* documentation (RFC 9637) */
	{ { 0x20 }, 3, ADDRESS_PUBLIC },	 /* global unicast */
	{ { 0 }, 0, ADDRESS_SPECIAL },
};

static bool is_in(const uint8_t *bytes, const struct block *block)
{
	unsigned whole = block->bits / 8, rest = block->bits % 8;
	unsigned mask = 0xFFU << (8 - rest) & 0xFFU;

	if (memcmp(bytes, block->bytes, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] & mask) == block->bytes[whole];
}

static enum address_reach find(const uint8_t *bytes, const struct block *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_in(bytes, &blocks[i]))
			return blocks[i].reach;
	return ADDRESS_PUBLIC;
}

/* RFC 5214: an interface id that hides an IPv4 address, in whatever network. */
static bool is_isatap(const uint8_t *bytes)
{
	return (bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE;
}

enum address_reach address_reach(const uint8_t *bytes, size_t len)
{
	if (len == V4_LEN)
		return find(bytes, v4_blocks, COUNT_OF(v4_blocks));
	if (len != V6_LEN || is_isatap(bytes))
		return ADDRESS_SPECIAL;
	return find(bytes, v6_blocks, COUNT_OF(v6_blocks));
}

enum address_reach address_reach_of(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return address_reach((const uint8_t *)&v4->sin_addr, V4_LEN);
	if (address->sa_family == AF_INET6)
		return address_reach(v6->sin6_addr.s6_addr, V6_LEN);
	return ADDRESS_SPECIAL;
}

enum address_reach address_reach_written(struct arena *arena, struct str address)
{
	const char *text = str_to_c(arena, address);
	uint8_t bytes[V6_LEN];

	if (inet_pton(AF_INET6, text, bytes) == 1)
		return address_reach(bytes, V6_LEN);
	if (inet_pton(AF_INET, text, bytes) == 1)
		return address_reach(bytes, V4_LEN);
	return ADDRESS_SPECIAL;
}

bool address_may_lead(enum address_reach from, enum address_reach to)
{
	return to == ADDRESS_PUBLIC || from == ADDRESS_LOOPBACK || from == to;
}

struct str address_text(struct arena *arena, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	char text[INET6_ADDRSTRLEN] = "?";

	if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
	else if (address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
	return str_copy(arena, str_from_c(text));
}

struct str address_network(struct arena *arena, struct str address)
{
	static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };
	const char *text = str_to_c(arena, address);
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	uint8_t *bytes = v6.sin6_addr.s6_addr;

	if (inet_pton(AF_INET6, text, bytes) == 1) {
		if (memcmp(bytes, mapped, sizeof(mapped)) != 0) {
			memset(bytes + V6_LEN / 2, 0, V6_LEN / 2);
			return address_text(arena, (const struct sockaddr *)&v6);
		}
		memcpy(&v4.sin_addr, bytes + sizeof(mapped), V4_LEN);
	} else if (inet_pton(AF_INET, text, &v4.sin_addr) != 1) {
		return address;
	}
	v4.sin_addr.s_addr &= htonl(0xFFFFFF00);
	return address_text(arena, (const struct sockaddr *)&v4);
}

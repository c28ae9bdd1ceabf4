/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an address. What is public must be so by a reading of the registries of its own. */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool is_between(uint32_t at, uint32_t first, uint32_t last)
{
	return at >= first && at <= last;
}

static void check_v4(const uint8_t *data, enum address_reach reach)
{
	uint32_t at = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
		      data[3];

	expect((reach == ADDRESS_LOOPBACK) == is_between(at, 0x7F000000, 0x7FFFFFFF));
	if (reach != ADDRESS_PUBLIC)
		return;
	expect(at >= 0x01000000 && at < 0xE0000000);
	expect(!is_between(at, 0x0A000000, 0x0AFFFFFF) && !is_between(at, 0x64400000, 0x647FFFFF));
	expect(!is_between(at, 0xA9FE0000, 0xA9FEFFFF) && !is_between(at, 0xAC100000, 0xAC1FFFFF));
	expect(!is_between(at, 0xC0000000, 0xC00000FF) && !is_between(at, 0xC0000200, 0xC00002FF));
	expect(!is_between(at, 0xC0A80000, 0xC0A8FFFF) && !is_between(at, 0xC6120000, 0xC613FFFF));
}

static void check_v6(const uint8_t *data, enum address_reach reach)
{
	bool is_one = data[15] == 1;

	for (size_t i = 0; i < 15; i++)
		is_one = is_one && data[i] == 0;
	expect((reach == ADDRESS_LOOPBACK) == is_one);
	if (reach != ADDRESS_PUBLIC)
		return;
	expect(data[0] >= 0x20 && data[0] <= 0x3F);
	expect(data[0] != 0x20 || data[1] != 0x02);
	expect(data[0] != 0x20 || data[1] != 0x01 || data[2] >= 2);
	expect(data[0] != 0x20 || data[1] != 0x01 || data[2] != 0x0D || data[3] != 0xB8);
	expect((data[8] | 2) != 2 || data[9] != 0 || data[10] != 0x5E || data[11] != 0xFE);
}

static struct str network_of(struct arena *arena, struct str text)
{
	struct str network = address_network(arena, text);

	expect(str_equals(address_network(arena, network), network));
	return network;
}

/* Who changes the last byte of an address is still the same stranger. */
static void check_network(struct arena *arena, const uint8_t *data, size_t size, struct str text)
{
	int family = size == 4 ? AF_INET : AF_INET6;
	uint8_t other[16];
	char other_text[INET6_ADDRSTRLEN];

	memcpy(other, data, size);
	other[size - 1] ^= 1;
	expect(inet_ntop(family, other, other_text, sizeof(other_text)) != NULL);
	expect(str_equals(network_of(arena, text), network_of(arena, str_from_c(other_text))));
}

/* The same bytes in a socket's address and as they are written are judged the same. */
static void check_socket(struct arena *arena, const uint8_t *data, size_t size,
			 enum address_reach reach)
{
	struct sockaddr_storage storage = { 0 };
	struct str text;

	if (size == 4) {
		storage.ss_family = AF_INET;
		memcpy(&((struct sockaddr_in *)&storage)->sin_addr, data, size);
	} else if (size == 16) {
		storage.ss_family = AF_INET6;
		memcpy(&((struct sockaddr_in6 *)&storage)->sin6_addr, data, size);
	}
	expect(address_reach_of((const struct sockaddr *)&storage) == reach);
	text = address_text(arena, (const struct sockaddr *)&storage);
	expect(address_reach_written(arena, text) == reach);
	if (size == 4 || size == 16)
		check_network(arena, data, size, text);
	else
		expect(str_equals(text, STR("?")));
}

/* Whatever is written has a network, but what is no address has none besides itself. */
static void check_text(struct arena *arena, struct str text)
{
	struct str network = network_of(arena, text);

	if (address_reach_written(arena, text) == ADDRESS_PUBLIC)
		expect(network.len > 0 && !str_equals(network, STR("::")));
}

/* Nobody leads further inside than they are themselves. */
static void check_lead(enum address_reach one, enum address_reach other)
{
	expect(address_may_lead(one, one) && address_may_lead(one, ADDRESS_PUBLIC));
	expect(one == other || !(address_may_lead(one, other) && address_may_lead(other, one)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum address_reach reach = address_reach(data, size);
	struct arena arena = { 0 };

	if (size == 4)
		check_v4(data, reach);
	else if (size == 16)
		check_v6(data, reach);
	else
		expect(reach == ADDRESS_SPECIAL);
	check_socket(&arena, data, size, reach);
	check_text(&arena, (struct str){ (const char *)data, size });
	check_lead(reach, address_reach(data, size < 4 ? size : 4));
	arena_free(&arena);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "http/address.h"

/* First and last address of each block, and its neighbours outside. */
static const struct {
	const char *text;
	enum address_reach reach;
} addresses[] = {
	{ "0.0.0.0", ADDRESS_SPECIAL },
	{ "0.255.255.255", ADDRESS_SPECIAL },
	{ "1.0.0.0", ADDRESS_PUBLIC },
	{ "9.255.255.255", ADDRESS_PUBLIC },
	{ "10.0.0.0", ADDRESS_SPECIAL },
	{ "10.255.255.255", ADDRESS_SPECIAL },
	{ "11.0.0.0", ADDRESS_PUBLIC },
	{ "100.63.255.255", ADDRESS_PUBLIC },
	{ "100.64.0.0", ADDRESS_SPECIAL },
	{ "100.127.255.255", ADDRESS_SPECIAL },
	{ "100.128.0.0", ADDRESS_PUBLIC },
	{ "126.255.255.255", ADDRESS_PUBLIC },
	{ "127.0.0.0", ADDRESS_LOOPBACK },
	{ "127.0.0.1", ADDRESS_LOOPBACK },
	{ "127.255.255.255", ADDRESS_LOOPBACK },
	{ "128.0.0.0", ADDRESS_PUBLIC },
	{ "169.253.255.255", ADDRESS_PUBLIC },
	{ "169.254.0.0", ADDRESS_SPECIAL },
	{ "169.254.169.254", ADDRESS_SPECIAL },
	{ "169.254.255.255", ADDRESS_SPECIAL },
	{ "169.255.0.0", ADDRESS_PUBLIC },
	{ "172.15.255.255", ADDRESS_PUBLIC },
	{ "172.16.0.0", ADDRESS_SPECIAL },
	{ "172.31.255.255", ADDRESS_SPECIAL },
	{ "172.32.0.0", ADDRESS_PUBLIC },
	{ "191.255.255.255", ADDRESS_PUBLIC },
	{ "192.0.0.0", ADDRESS_SPECIAL },
	{ "192.0.0.170", ADDRESS_SPECIAL },
	{ "192.0.1.0", ADDRESS_PUBLIC },
	{ "192.0.2.0", ADDRESS_SPECIAL },
	{ "192.0.2.255", ADDRESS_SPECIAL },
	{ "192.0.3.0", ADDRESS_PUBLIC },
	{ "192.31.196.1", ADDRESS_SPECIAL },
	{ "192.52.193.1", ADDRESS_SPECIAL },
	{ "192.88.99.1", ADDRESS_SPECIAL },
	{ "192.167.255.255", ADDRESS_PUBLIC },
	{ "192.168.0.0", ADDRESS_SPECIAL },
	{ "192.168.255.255", ADDRESS_SPECIAL },
	{ "192.169.0.0", ADDRESS_PUBLIC },
	{ "192.175.48.1", ADDRESS_SPECIAL },
	{ "198.17.255.255", ADDRESS_PUBLIC },
	{ "198.18.0.0", ADDRESS_SPECIAL },
	{ "198.19.255.255", ADDRESS_SPECIAL },
	{ "198.20.0.0", ADDRESS_PUBLIC },
	{ "198.51.100.1", ADDRESS_SPECIAL },
	{ "203.0.113.1", ADDRESS_SPECIAL },
	{ "203.0.114.0", ADDRESS_PUBLIC },
	{ "223.255.255.255", ADDRESS_PUBLIC },
	{ "224.0.0.0", ADDRESS_SPECIAL },
	{ "239.255.255.255", ADDRESS_SPECIAL },
	{ "240.0.0.0", ADDRESS_SPECIAL },
	{ "255.255.255.255", ADDRESS_SPECIAL },

	{ "::", ADDRESS_SPECIAL },
	{ "::1", ADDRESS_LOOPBACK },
	{ "::2", ADDRESS_SPECIAL },
	{ "::8.8.8.8", ADDRESS_SPECIAL },
	{ "::ffff:127.0.0.1", ADDRESS_SPECIAL },
	{ "::ffff:10.0.0.1", ADDRESS_SPECIAL },
	{ "::ffff:8.8.8.8", ADDRESS_SPECIAL },
	{ "::ffff:0:10.0.0.1", ADDRESS_SPECIAL },
	{ "64:ff9b::10.0.0.1", ADDRESS_SPECIAL },
	{ "64:ff9b::8.8.8.8", ADDRESS_SPECIAL },
	{ "64:ff9b:1::10.0.0.1", ADDRESS_SPECIAL },
	{ "100::1", ADDRESS_SPECIAL },
	{ "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_SPECIAL },
	{ "2000::", ADDRESS_PUBLIC },
	{ "2001::1", ADDRESS_SPECIAL },
	{ "2001:0:a00:1::", ADDRESS_SPECIAL },
	{ "2001:20::1", ADDRESS_SPECIAL },
	{ "2001:1ff:ffff::1", ADDRESS_SPECIAL },
	{ "2001:200::1", ADDRESS_PUBLIC },
	{ "2001:db7:ffff::1", ADDRESS_PUBLIC },
	{ "2001:db8::1", ADDRESS_SPECIAL },
	{ "2001:db9::1", ADDRESS_PUBLIC },
	{ "2001:4860:4860::8888", ADDRESS_PUBLIC },
	{ "2002:a00:1::1", ADDRESS_SPECIAL },
	{ "2002:808:808::1", ADDRESS_SPECIAL },
	{ "2003::1", ADDRESS_PUBLIC },
	{ "2620:4f:8000::1", ADDRESS_SPECIAL },
	{ "2620:4f:8001::1", ADDRESS_PUBLIC },
	{ "2606:4700::5efe:a00:1", ADDRESS_SPECIAL },
	{ "2606:4700::200:5efe:a00:1", ADDRESS_SPECIAL },
	{ "2606:4700::1111", ADDRESS_PUBLIC },
	{ "3ffe::1", ADDRESS_SPECIAL },
	{ "3fff::1", ADDRESS_SPECIAL },
	{ "3fff:fff:ffff::1", ADDRESS_SPECIAL },
	{ "3fff:1000::1", ADDRESS_PUBLIC },
	{ "4000::1", ADDRESS_SPECIAL },
	{ "5f00::1", ADDRESS_SPECIAL },
	{ "fc00::1", ADDRESS_SPECIAL },
	{ "fdff:ffff::1", ADDRESS_SPECIAL },
	{ "fe80::1", ADDRESS_SPECIAL },
	{ "fec0::1", ADDRESS_SPECIAL },
	{ "ff02::1", ADDRESS_SPECIAL },
};

static void each_block_ends_where_the_registry_says(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		const char *text = addresses[i].text;
		enum address_reach reach;

		if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
			reach = address_reach_of((const struct sockaddr *)&v4);
		} else {
			assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
			reach = address_reach_of((const struct sockaddr *)&v6);
		}
		CHECK_ROW(reach == addresses[i].reach, "%s is taken for %d\n", text, (int)reach);
		reach = address_reach_written(&arena, str_from_c(text));
		CHECK_ROW(reach == addresses[i].reach, "%s reads as %d\n", text, (int)reach);
	}
	CHECK(address_reach_written(&arena, STR("localhost")) == ADDRESS_SPECIAL);
	CHECK(address_reach_written(&arena, STR_NONE) == ADDRESS_SPECIAL);
	arena_free(&arena);
}

static void a_server_may_lead_no_further_inside_than_it_is(void **state)
{
	static const bool may[3][3] = {
		[ADDRESS_PUBLIC] = { [ADDRESS_PUBLIC] = true },
		[ADDRESS_SPECIAL] = { [ADDRESS_PUBLIC] = true, [ADDRESS_SPECIAL] = true },
		[ADDRESS_LOOPBACK] = { true, true, true },
	};

	(void)state;
	for (int from = 0; from < 3; from++)
		for (int to = 0; to < 3; to++)
			CHECK_ROW(address_may_lead((enum address_reach)from,
						   (enum address_reach)to) == may[from][to],
				  "from %d to %d\n", from, to);
}

static void what_is_no_ip_address_is_special(void **state)
{
	const uint8_t bytes[32] = { 8, 8, 8, 8 };
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/run/s" };

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++)
		if (len != 4)
			assert_int_equal(address_reach(bytes, len), ADDRESS_SPECIAL);
	assert_int_equal(address_reach_of((const struct sockaddr *)&path), ADDRESS_SPECIAL);
}

static void an_address_is_written_as_it_is_read(void **state)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr other = { .sa_family = AF_UNIX };
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &v6.sin6_addr), 1);
	CHECK_STR(address_text(&arena, (const struct sockaddr *)&v4), STR("192.0.2.7"));
	CHECK_STR(address_text(&arena, (const struct sockaddr *)&v6), STR("2001:db8::7"));
	CHECK_STR(address_text(&arena, &other), STR("?"));
	arena_free(&arena);
}

static void a_network_has_one_spelling(void **state)
{
	static const struct {
		struct str address, network;
	} rows[] = {
		{ STR_INIT("192.0.2.7"), STR_INIT("192.0.2.0") },
		{ STR_INIT("192.0.2.255"), STR_INIT("192.0.2.0") },
		{ STR_INIT("192.0.3.7"), STR_INIT("192.0.3.0") },
		{ STR_INIT("::ffff:192.0.2.7"), STR_INIT("192.0.2.0") },
		{ STR_INIT("2001:db8:1:2:3:4:5:6"), STR_INIT("2001:db8:1:2::") },
		{ STR_INIT("2001:db8:1:2::6"), STR_INIT("2001:db8:1:2::") },
		/* where the two colons stand for parts of the network, too */
		{ STR_INIT("2001:db8::7"), STR_INIT("2001:db8::") },
		{ STR_INIT("2001:db8:0:0:1::8"), STR_INIT("2001:db8::") },
		{ STR_INIT("2001:db8:0:1::8"), STR_INIT("2001:db8:0:1::") },
		{ STR_INIT("::1"), STR_INIT("::") },
		{ STR_INIT("cli_abc"), STR_INIT("cli_abc") },
		{ STR_INIT(""), STR_INIT("") },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str network = address_network(&arena, rows[i].address);

		CHECK_ROW(str_equals(network, rows[i].network), "%s: %.*s\n", rows[i].address.at,
			  STR_FMT(network));
	}
	arena_free(&arena);
}

int main(void)
{
	return RUN(cmocka_unit_test(each_block_ends_where_the_registry_says),
		   cmocka_unit_test(a_server_may_lead_no_further_inside_than_it_is),
		   cmocka_unit_test(what_is_no_ip_address_is_special),
		   cmocka_unit_test(an_address_is_written_as_it_is_read),
		   cmocka_unit_test(a_network_has_one_spelling));
}

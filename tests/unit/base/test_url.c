/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include "base/task.h"
#include "check.h"

static void a_url_is_taken_apart(void **state)
{
	struct url url;

	(void)state;
	CHECK_ERR(url_parse(STR("https://u:p@app.example:8443/a/b?c=d&e#f?g"), &url), OK);
	CHECK_STR(url.scheme, STR("https"));
	CHECK_STR(url.userinfo, STR("u:p"));
	CHECK_STR(url.host, STR("app.example"));
	CHECK_STR(url.port, STR("8443"));
	CHECK_STR(url.path, STR("/a/b"));
	CHECK_STR(url.query, STR("c=d&e"));
	CHECK_STR(url.fragment, STR("f?g"));
}

static void absent_and_empty_parts_are_told_apart(void **state)
{
	struct url url;

	(void)state;
	CHECK_ERR(url_parse(STR("https://a"), &url), OK);
	CHECK(url.path.at != NULL && url.path.len == 0);
	CHECK(url.query.at == NULL && url.fragment.at == NULL);
	CHECK(url.port.at == NULL && url.userinfo.at == NULL);
	CHECK_ERR(url_parse(STR("https://@a/?#"), &url), OK);
	CHECK(url.query.at != NULL && url.query.len == 0);
	CHECK(url.fragment.at != NULL && url.fragment.len == 0);
	CHECK(url.userinfo.at != NULL && url.userinfo.len == 0);
	CHECK_ERR(url_parse(STR("com.example.app:/cb"), &url), OK);
	CHECK(url.host.at == NULL);
	CHECK_STR(url.path, STR("/cb"));
}

static void an_ipv6_literal_keeps_its_brackets(void **state)
{
	struct url url;

	(void)state;
	CHECK_ERR(url_parse(STR("http://[::1]:8080/cb"), &url), OK);
	CHECK_STR(url.host, STR("[::1]"));
	CHECK_STR(url.port, STR("8080"));
	CHECK(url_is_loopback(&url));
}

static const struct str refused[] = {
	STR_INIT(""),
	STR_INIT("/path"),
	STR_INIT("//host/path"),
	STR_INIT("host"),
	STR_INIT(":"),
	STR_INIT("://a"),
	STR_INIT("1a://b"),
	STR_INIT("-a://b"),
	STR_INIT("ht tp://a"),
	STR_INIT("\tjavascript:alert(1)"),
	STR_INIT("java\nscript:alert(1)"),
	STR_INIT(" https://a"),
	STR_INIT("https://a "),
	STR_INIT("https://a/ b"),
	STR_INIT("https://a/\tb"),
	STR_INIT("https://a/\r\nX: y"),
	STR_INIT("https://a/\0"),
	STR_INIT("https://a\0.example/"),
	STR_INIT("https:\\\\evil.example"),
	STR_INIT("https://app.example\\@evil.example"),
	STR_INIT("https://a/\\"),
	STR_INIT("https://"),
	STR_INIT("https:///path"),
	STR_INIT("https://:443/"),
	STR_INIT("https://u@/"),
	STR_INIT("https://a:/"),
	STR_INIT("https://a:0/"),
	STR_INIT("https://a:65536/"),
	STR_INIT("https://a:0443/"),
	STR_INIT("https://a:-1/"),
	STR_INIT("https://a:4 3/"),
	STR_INIT("https://a:1:2/"),
	STR_INIT("https://a@b@c/"),
	STR_INIT("http://localhost:8090%25@evil.com@a/"),
	STR_INIT("https://a%2eb/"),
	STR_INIT("https://a_b/"),
	STR_INIT("https://f\xC3\xBCr.example/"),
	STR_INIT("https://app\xEF\xBC\x8E"
		 "example/"),
	STR_INIT("https://a/\xC2\xA0"),
	STR_INIT("\xEF\xBB\xBFhttps://a/"),
	STR_INIT("https://a/%"),
	STR_INIT("https://a/%2"),
	STR_INIT("https://a/%zz"),
	STR_INIT("https://a/?%g0"),
	STR_INIT("https://a/#%"),
	STR_INIT("https://a/#b#c"),
	STR_INIT("https://a/<script>"),
	STR_INIT("https://a/\"b"),
	STR_INIT("https://a/?x={y}"),
	STR_INIT("https://a/|"),
	STR_INIT("https://a/^`"),
	STR_INIT("http://[::1/"),
	STR_INIT("http://[]/"),
	STR_INIT("http://[:::::]/"),
	STR_INIT("http://[127.0.0.1]/"),
	STR_INIT("http://[::1]x/"),
	STR_INIT("http://[::1]x:80/"),
	STR_INIT("http://[::1]:/"),
	STR_INIT("http://[fe80::1%25eth0]/"),
	STR_INIT("http://[v1.a]/"),
	STR_INIT("http://[12345::]/"),
	STR_INIT("http://[1:2:3:4:5:6:7:8:9]/"),
	STR_INIT("http://[00000000000000000000000000000000000000000000000000000000000001::]/"),
	STR_INIT("http://::1/"),
	STR_INIT("http://a]/"),
};

static void what_rfc_3986_does_not_allow_is_refused(void **state)
{
	struct url url = { .scheme = STR_INIT("untouched") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		CHECK_ERR(url_parse(refused[i], &url), ERR_SYNTAX);
		CHECK_STR(url.scheme, STR("untouched"));
	}
}

static const struct str accepted[] = {
	STR_INIT("https://a.example/cb/..;/evil"),
	STR_INIT("https://a.example/%2e%2e/%252f"),
	STR_INIT("http://127.0.0.1:65535/"),
	STR_INIT("http://[1:2:3:4:5:6:7:8]/"),
	STR_INIT("http://[::ffff:127.0.0.1]/"),
	STR_INIT("urn:ietf:params:oauth:request_uri:abc"),
	STR_INIT("cursor://anysphere.cursor/cb"),
	STR_INIT("A+-.9://b"),
	STR_INIT("https://a/?a=b/?:@!$&'()*+,;="),
};

/* Parsing answers what the parts are; whether they are welcome is asked elsewhere. */
static void what_rfc_3986_allows_is_parsed_and_not_repaired(void **state)
{
	struct url url;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(accepted); i++)
		CHECK_ERR(url_parse(accepted[i], &url), OK);
	CHECK_ERR(url_parse(accepted[0], &url), OK);
	CHECK_STR(url.path, STR("/cb/..;/evil"));
	CHECK_ERR(url_parse(accepted[1], &url), OK);
	CHECK_STR(url.path, STR("/%2e%2e/%252f"));
}

static const struct {
	struct str text;
	bool is_loopback;
} hosts[] = {
	{ STR_INIT("http://127.0.0.1:1/"), true },
	{ STR_INIT("http://localhost/"), true },
	{ STR_INIT("http://[::1]/"), true },
	{ STR_INIT("http://127.1/"), false },
	{ STR_INIT("http://127.0.0.2/"), false },
	{ STR_INIT("http://0x7f.1/"), false },
	{ STR_INIT("http://2130706433/"), false },
	{ STR_INIT("http://[::ffff:127.0.0.1]/"), false },
	{ STR_INIT("http://[0:0:0:0:0:0:0:1]/"), false },
	{ STR_INIT("http://127.0.0.1.evil.com/"), false },
	{ STR_INIT("http://localhost.evil.com/"), false },
	{ STR_INIT("http://LOCALHOST/"), false },
	{ STR_INIT("http://localhost./"), false },
	{ STR_INIT("http://127.0.0.1:80@evil.com/"), false },
	{ STR_INIT("http://localhost:8090%25@evil.com/"), false },
	{ STR_INIT("localhost:80"), false },
};

static void loopback_is_three_spellings_of_the_host_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct url url;

		CHECK_ERR(url_parse(hosts[i].text, &url), OK);
		CHECK(url_is_loopback(&url) == hosts[i].is_loopback);
	}
}

static const struct {
	struct str text;
	bool is_public;
} places[] = {
	{ STR_INIT("https://app.example/"), true },
	{ STR_INIT("https://a1.b2.c3/"), true },
	{ STR_INIT("https://localhost.example/"), true },
	{ STR_INIT("https://localhost/"), false },
	{ STR_INIT("https://app.localhost/"), false },
	{ STR_INIT("https://APP.LocalHost/"), false },
	{ STR_INIT("https://intranet/"), false },
	{ STR_INIT("https://db.internal/"), false },
	{ STR_INIT("https://printer.local/"), false },
	{ STR_INIT("https://nas.home.arpa/"), false },
	{ STR_INIT("https://127.0.0.1/"), false },
	{ STR_INIT("https://1.2.3.0x7f/"), false },
	{ STR_INIT("https://2130706433/"), false },
	{ STR_INIT("https://[::1]/"), false },
	{ STR_INIT("https://app.example./"), false },
};

static void a_public_host_is_a_name_that_others_can_resolve(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct url url;

		CHECK_ERR(url_parse(places[i].text, &url), OK);
		CHECK(url_is_public(&url) == places[i].is_public);
	}
}

static void the_origin_has_the_port_only_if_it_was_written(void **state)
{
	struct task *task = *state;
	struct url url;

	CHECK_ERR(url_parse(STR("https://u@a.example:443/x?y"), &url), OK);
	CHECK_STR(url_origin(&task->arena, &url), STR("https://a.example:443"));
	CHECK_ERR(url_parse(STR("https://a.example"), &url), OK);
	CHECK_STR(url_origin(&task->arena, &url), STR("https://a.example"));
}

static const struct {
	struct str text;
	bool form;
	struct str decoded; /* absent: refused */
} codings[] = {
	{ STR_INIT(""), true, STR_INIT("") },
	{ STR_INIT("a+b"), true, STR_INIT("a b") },
	{ STR_INIT("a+b"), false, STR_INIT("a+b") },
	{ STR_INIT("a%20b%2B"), true, STR_INIT("a b+") },
	{ STR_INIT("%C3%A9%c3%a9"), true, STR_INIT("\xC3\xA9\xC3\xA9") },
	{ STR_INIT("%0A"), true, STR_INIT("\n") },
	{ STR_INIT("%2525"), true, STR_INIT("%25") },
	{ STR_INIT("\xC3\xA9"), true, STR_INIT("\xC3\xA9") },
	{ STR_INIT("a b"), true, { NULL, 0 } },
	{ STR_INIT("a\nb"), true, { NULL, 0 } },
	{ STR_INIT("a\x7F"), true, { NULL, 0 } },
	{ STR_INIT("a\0"), true, { NULL, 0 } },
	{ STR_INIT("%00"), true, { NULL, 0 } },
	{ STR_INIT("a%00b"), false, { NULL, 0 } },
	{ STR_INIT("%"), true, { NULL, 0 } },
	{ STR_INIT("%2"), true, { NULL, 0 } },
	{ STR_INIT("%zz"), true, { NULL, 0 } },
	{ STR_INIT("%+1"), true, { NULL, 0 } },
	{ STR_INIT("% 1"), true, { NULL, 0 } },
	{ STR_INIT("%C0%AF"), true, { NULL, 0 } },
	{ STR_INIT("%ED%A0%80"), true, { NULL, 0 } },
	{ STR_INIT("%FF"), true, { NULL, 0 } },
	{ STR_INIT("%C3"), true, { NULL, 0 } },
	{ STR_INIT("\xC3"), true, { NULL, 0 } },
};

static void decoding_gives_text_or_an_error(void **state)
{
	for (size_t i = 0; i < COUNT_OF(codings); i++) {
		struct str text = STR("untouched");
		bool ok = codings[i].decoded.at != NULL;

		CHECK_ERR(url_decode(*state, codings[i].text, codings[i].form, &text),
			  ok ? OK : ERR_SYNTAX);
		CHECK_STR(text, ok ? codings[i].decoded : STR("untouched"));
	}
}

static void a_triplet_cut_by_the_slice_is_not_completed_from_behind_it(void **state)
{
	struct str text;

	CHECK_ERR(url_decode(*state, str_sub(STR("a%41"), 0, 3), true, &text), ERR_SYNTAX);
	CHECK_ERR(url_decode(*state, str_sub(STR("a%41"), 0, 4), true, &text), OK);
}

static void encoding_leaves_only_unreserved_characters(void **state)
{
	struct task *task = *state;
	struct buf buf = buf_in(&task->arena, 1000);
	struct str text;

	url_encode(&buf, STR("aZ0-._~ +&=%/\0\n\xC3\xA9"));
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("aZ0-._~%20%2B%26%3D%25%2F%00%0A%C3%A9"));
}

static void what_is_encoded_decodes_to_itself(void **state)
{
	struct task *task = *state;
	char byte = 1;

	do {
		struct buf buf = buf_in(&task->arena, 10);
		struct str text, back;

		url_encode(&buf, (struct str){ &byte, 1 });
		CHECK_ERR(buf_finish(&buf, &text), OK);
		CHECK_ERR(url_decode(task, text, true, &back), OK);
		CHECK_STR(back, ((struct str){ &byte, 1 }));
	} while (++byte < 0x7F);
}

static const struct {
	struct str host;
	bool is_name;
} names[] = {
	{ STR_INIT("app.example"), true },
	{ STR_INIT("a.b.c.example"), true },
	{ STR_INIT("xn--bcher-kva.example"), true },
	{ STR_INIT("1.1.1.1.example"), true },
	{ STR_INIT("app.0xample"), true },
	{ STR_INIT("localhost"), false },
	{ STR_INIT("example"), false },
	{ STR_INIT(""), false },
	{ STR_INIT("app.example."), false },
	{ STR_INIT(".example"), false },
	{ STR_INIT("app..example"), false },
	{ STR_INIT("App.example"), false },
	{ STR_INIT("-app.example"), false },
	{ STR_INIT("app-.example"), false },
	{ STR_INIT("app_1.example"), false },
	{ STR_INIT("127.0.0.1"), false },
	{ STR_INIT("127.1"), false },
	{ STR_INIT("2130706433"), false },
	{ STR_INIT("0x7f000001"), false },
	{ STR_INIT("127.0.0.0x1"), false },
	{ STR_INIT("127.0.0.0x"), false },
	{ STR_INIT("app.017"), false },
	{ STR_INIT("[::1]"), false },
	{ STR_INIT("a23456789012345678901234567890123456789012345678901234567890123.example"),
	  true },
	{ STR_INIT("a234567890123456789012345678901234567890123456789012345678901234.example"),
	  false },
};

static void a_host_that_could_be_an_address_is_no_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		CHECK_ROW(url_host_is_name(names[i].host) == names[i].is_name, "%s\n",
			  names[i].host.at);
}

static void a_dot_segment_is_one_however_its_dots_are_spelled(void **state)
{
	static const struct str with[] = { STR_INIT("/a/../b"),	 STR_INIT("/.."),
					   STR_INIT("."),	 STR_INIT("/a/./b"),
					   STR_INIT("/%2e"),	 STR_INIT("/.%2E/b"),
					   STR_INIT("/%2e%2e/"), STR_INIT("/%2E./") };
	static const struct str without[] = { STR_INIT(""),	   STR_INIT("/"),
					      STR_INIT("/a//b"),   STR_INIT("/..."),
					      STR_INIT("/a..b"),   STR_INIT("/.a"),
					      STR_INIT("/%2fa/%"), STR_INIT("/%2e%2e%2e"),
					      STR_INIT("/a%2e") };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(with); i++)
		CHECK_ROW(url_has_dot_segment(with[i]), "%s\n", with[i].at);
	for (size_t i = 0; i < COUNT_OF(without); i++)
		CHECK_ROW(!url_has_dot_segment(without[i]), "%s\n", without[i].at);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(TEST(a_url_is_taken_apart), TEST(absent_and_empty_parts_are_told_apart),
		   TEST(an_ipv6_literal_keeps_its_brackets),
		   TEST(what_rfc_3986_does_not_allow_is_refused),
		   TEST(what_rfc_3986_allows_is_parsed_and_not_repaired),
		   TEST(loopback_is_three_spellings_of_the_host_alone),
		   TEST(a_public_host_is_a_name_that_others_can_resolve),
		   TEST(a_host_that_could_be_an_address_is_no_name),
		   TEST(a_dot_segment_is_one_however_its_dots_are_spelled),
		   TEST(the_origin_has_the_port_only_if_it_was_written),
		   TEST(decoding_gives_text_or_an_error),
		   TEST(a_triplet_cut_by_the_slice_is_not_completed_from_behind_it),
		   TEST(encoding_leaves_only_unreserved_characters),
		   TEST(what_is_encoded_decodes_to_itself));
}

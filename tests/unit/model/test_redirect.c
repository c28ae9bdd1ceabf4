/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "model/redirect.h"

static const struct str listed[] = { STR_INIT("cursor"), STR_INIT("vscode") };

static enum err check(struct str uri)
{
	struct check_clock clock;
	struct task task;
	enum err err;

	check_clock_start(&clock);
	task_begin(&task, &clock.clock, NULL);
	err = redirect_check(&task, uri, listed, COUNT_OF(listed));
	task_end(&task);
	return err;
}

static void https_loopback_and_private_schemes_may_be_registered(void **state)
{
	static const struct str good[] = {
		STR_INIT("https://app.example/cb"),
		STR_INIT("https://app.example:8443/cb?x=1"),
		STR_INIT("http://127.0.0.1/callback"),
		STR_INIT("http://127.0.0.1:33418/"),
		STR_INIT("http://[::1]:9/cb"),
		STR_INIT("http://localhost:3334/oauth/callback"),
		STR_INIT("com.example.app:/cb"),
		STR_INIT("cursor://anysphere.cursor-retrieval/oauth/callback"),
		STR_INIT("vscode://vendor.extension/cb"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK_ERR(check(good[i]), OK);
}

static void what_a_thief_would_register_is_refused(void **state)
{
	static const struct str bad[] = {
		STR_INIT(""),
		STR_INIT("/cb"),
		STR_INIT("app.example/cb"),
		STR_INIT("https:///cb"),
		STR_INIT("https:/cb"),
		STR_INIT("http://app.example/cb"),
		STR_INIT("http://127.0.0.1.evil.com/cb"),
		STR_INIT("http://127.1/cb"),
		STR_INIT("http://0x7f.1/cb"),
		STR_INIT("http://2130706433/cb"),
		STR_INIT("http://[::ffff:127.0.0.1]/cb"),
		STR_INIT("http://127.0.0.1:80@evil.com/cb"),
		STR_INIT("http://localhost:8090%25@evil.com/cb"),
		STR_INIT("https://user@app.example/cb"),
		STR_INIT("https://app.example/cb#frag"),
		STR_INIT("https://app.example/cb#"),
		STR_INIT("https://*.example/cb"),
		STR_INIT("https://app.example/*"),
		STR_INIT("https://app.example/cb/../evil"),
		STR_INIT("https://app.example/./cb"),
		STR_INIT("https://app.example/cb/.."),
		STR_INIT("https://app.example/cb/.%2e/evil"),
		STR_INIT("https://app.example/cb/%2e%2e/evil"),
		STR_INIT("https://app.example/cb/%252f"),
		STR_INIT("https://app.example/cb%2Fevil"),
		STR_INIT("https:\\\\evil.com"),
		STR_INIT("https://app.example\\@evil.com"),
		STR_INIT("https://app.example/c b"),
		STR_INIT(" https://app.example/cb"),
		STR_INIT("https://app.example/cb\r\n"),
		STR_INIT("https://app.example/\tcb"),
		STR_INIT("https://app\xEF\xBC\x8E"
			 "example/cb"),
		STR_INIT("javascript:alert(1)"),
		STR_INIT("JaVaScRiPt:alert(1)"),
		STR_INIT("data:text/html,x"),
		STR_INIT("vbscript:x"),
		STR_INIT("blob:https://app.example/x"),
		STR_INIT("file:///etc/passwd"),
		STR_INIT("about:blank"),
		STR_INIT("myapp:/cb"),
		STR_INIT("Cursor://x/cb"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ERR(check(bad[i]), ERR_REQUEST);
}

static void only_the_port_of_a_loopback_address_is_free(void **state)
{
	(void)state;
	CHECK(redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:5000/cb")));
	CHECK(redirect_matches(STR("http://127.0.0.1:1/cb"), STR("http://127.0.0.1/cb")));
	CHECK(redirect_matches(STR("http://[::1]/cb"), STR("http://[::1]:5000/cb")));
	CHECK(redirect_matches(STR("http://localhost:3/cb?a=b"), STR("http://localhost:4/cb?a=b")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:5000/other")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:5000/cb/")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:5000/cb?x=1")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:5000/cb#f")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://u@127.0.0.1:5000/cb")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:0/cb")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:99999/cb")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://127.0.0.1:05/cb")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("https://127.0.0.1:5000/cb")));
	CHECK(!redirect_matches(STR("http://127.0.0.1/cb"), STR("http://localhost:5000/cb")));
	CHECK(!redirect_matches(STR("http://localhost/cb"), STR("http://127.0.0.1:5000/cb")));
	CHECK(!redirect_matches(STR("http://localhost/cb"), STR("http://[::1]:5000/cb")));
}

static void other_addresses_match_byte_for_byte(void **state)
{
	static const struct str registered = STR_INIT("https://app.example/cb");
	static const struct str others[] = {
		STR_INIT("https://app.example/cb/"),
		STR_INIT("https://app.example:443/cb"),
		STR_INIT("https://APP.example/cb"),
		STR_INIT("HTTPS://app.example/cb"),
		STR_INIT("https://app.example/CB"),
		STR_INIT("http://app.example/cb"),
		STR_INIT("https://app.example/cb?x=1"),
		STR_INIT("https://app.example/cb#f"),
		STR_INIT("https://app.example/cb/..;/evil"),
		STR_INIT("https://app.example.evil.com/cb"),
		STR_INIT("https://appXexample/cb"),
		STR_INIT("https://app.example/c%62"),
		STR_INIT("https://app.example:8443/cb"),
		STR_INIT(""),
	};

	(void)state;
	CHECK(redirect_matches(registered, registered));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		CHECK(!redirect_matches(registered, others[i]));
}

static void the_page_shows_where_the_answer_goes(void **state)
{
	(void)state;
	CHECK_STR(redirect_host(STR("https://app.example/cb")), STR("app.example"));
	CHECK_STR(redirect_host(STR("http://127.0.0.1:5000/cb")), STR("127.0.0.1:5000"));
	CHECK_STR(redirect_host(STR("com.example.app:/cb")), STR("com.example.app"));
	CHECK(redirect_is_loopback(STR("http://localhost:1/cb")));
	CHECK(!redirect_is_loopback(STR("https://localhost/cb")));
	CHECK(!redirect_is_loopback(STR("https://app.example/cb")));
}

int main(void)
{
	return RUN(cmocka_unit_test(https_loopback_and_private_schemes_may_be_registered),
		   cmocka_unit_test(what_a_thief_would_register_is_refused),
		   cmocka_unit_test(only_the_port_of_a_loopback_address_is_free),
		   cmocka_unit_test(other_addresses_match_byte_for_byte),
		   cmocka_unit_test(the_page_shows_where_the_answer_goes));
}

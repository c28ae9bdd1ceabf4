/* SPDX-License-Identifier: Apache-2.0 */
#include "one_task.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/document.h"

#define URL  "https://app.example/client.json"
#define HEAD "{\"client_id\":\"" URL "\",\"client_name\":\"App\","
#define BACK "\"redirect_uris\":[\"http://127.0.0.1/cb\"]"

static struct document document;

static const struct {
	struct str url;
	bool is_good;
} urls[] = {
	{ STR_INIT("https://app.example/"), true },
	{ STR_INIT("https://app.example/client.json"), true },
	{ STR_INIT("https://app.example:8443/a/b?v=1"), true },
	{ STR_INIT("https://app.example/%20"), true },
	{ STR_INIT("https://app.example/.well-known/...x"), true },
	{ STR_INIT("https://xn--bcher-kva.example/c"), true },
	{ STR_INIT("http://app.example/client.json"), false },
	{ STR_INIT("HTTPS://app.example/client.json"), false },
	{ STR_INIT("https://app.example"), false },
	{ STR_INIT("https://app.example?x"), false },
	{ STR_INIT("https://app.example/c#"), false },
	{ STR_INIT("https://app.example/c#at"), false },
	{ STR_INIT("https://a@app.example/c"), false },
	{ STR_INIT("https://@app.example/c"), false },
	{ STR_INIT("https://app.example/./c"), false },
	{ STR_INIT("https://app.example/a/../c"), false },
	{ STR_INIT("https://app.example/c/.."), false },
	{ STR_INIT("https://app.example/a/.%2E/c"), false },
	{ STR_INIT("https://app.example/a/.."), false },
	{ STR_INIT("https://app.example/a/%2e%2E/c"), false },
	{ STR_INIT("https://app.example/a/.%2e/c"), false },
	{ STR_INIT("https://app.example/a%2fc"), false },
	{ STR_INIT("https://app.example/a%5Cc"), false },
	{ STR_INIT("https://app.example/a\\c"), false },
	{ STR_INIT("https://app.example/a c"), false },
	{ STR_INIT("https://App.example/c"), false },
	{ STR_INIT("https://2130706433/c"), false },
	{ STR_INIT("https://0x7f000001/c"), false },
	{ STR_INIT("https://127.0.0.1/c"), false },
	{ STR_INIT("https://[::ffff:7f00:1]/c"), false },
	{ STR_INIT("https://[fe80::1%25eth0]/c"), false },
	{ STR_INIT("https://localhost/c"), false },
	{ STR_INIT("https:///c"), false },
	{ STR_INIT("https://app.example:0/c"), false },
	{ STR_INIT("app.example/c"), false },
	{ STR_INIT(""), false },
};

static void a_client_id_is_an_https_url_with_a_path_and_no_tricks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		enum err err = document_check_url(&task, urls[i].url, false);

		CHECK_ROW(err == (urls[i].is_good ? OK : ERR_CLIENT_DOCUMENT), "%s: %s\n",
			  urls[i].url.at, err_name(err));
		CHECK(urls[i].is_good || task.reason.len > 0);
		task_forgive(&task);
	}
}

static void a_client_id_has_512_bytes_at_most(void **state)
{
	struct str head = STR("https://app.example/");
	char url[DOCUMENT_URL_MAX + 1];

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, head.at, head.len);
	CHECK_ERR(document_check_url(&task, (struct str){ url, DOCUMENT_URL_MAX }, false), OK);
	CHECK_ERR(document_check_url(&task, (struct str){ url, sizeof(url) }, false),
		  ERR_CLIENT_DOCUMENT);
}

static void localhost_is_for_tests(void **state)
{
	(void)state;
	CHECK_ERR(document_check_url(&task, STR("https://localhost:9/c"), true), OK);
	CHECK_ERR(document_check_url(&task, STR("https://127.0.0.1/c"), true), ERR_CLIENT_DOCUMENT);
	CHECK_STR(document_host(STR("https://localhost:9/c")), STR("localhost:9"));
	CHECK_STR(document_domain(STR("https://localhost:9/c")), STR("localhost"));
	CHECK_STR(document_host(STR("https://app.example?c")), STR("app.example"));
}

static void a_domain_is_below_itself_and_its_parents(void **state)
{
	(void)state;
	CHECK(document_is_below(STR("app.example"), STR("app.example")));
	CHECK(document_is_below(STR("a.app.example"), STR("App.Example")));
	CHECK(!document_is_below(STR("badapp.example"), STR("app.example")));
	CHECK(!document_is_below(STR("example"), STR("app.example")));
	CHECK(!document_is_below(STR("xapp.example"), STR("app.example")));
}

static enum err parse(struct str text)
{
	task_forgive(&task);
	document = (struct document){ 0 };
	return document_parse(&task, STR(URL), text, NULL, 0, &document);
}

static void a_document_may_say_that_requests_are_pushed(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR(HEAD BACK "}")), OK);
	CHECK(!document.requires_par);
	CHECK_ERR(parse(STR(HEAD BACK ",\"require_pushed_authorization_requests\":true}")), OK);
	CHECK(document.requires_par);
	CHECK_ERR(parse(STR(HEAD BACK ",\"require_pushed_authorization_requests\":\"true\"}")),
		  ERR_CLIENT_DOCUMENT);
}

static void a_document_becomes_a_public_client(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR(HEAD BACK ",\"unknown\":{\"a\":[1]},\"client_uri\":7}")), OK);
	CHECK_STR(document.client.id, STR(URL));
	CHECK_STR(document.client.name, STR("App"));
	CHECK_STR(document.client.kind, STR("document"));
	CHECK(client_is_public(&document.client));
	CHECK(document.client.grant_types == GRANT_AUTHORIZATION_CODE);
	CHECK(document.client.redirect_count == 1 && document.keys.at == NULL);
	CHECK_STR(client_find_redirect(&document.client, STR("http://127.0.0.1:4711/cb")),
		  STR("http://127.0.0.1/cb"));
	CHECK(client_find_redirect(&document.client, STR("http://127.0.0.1/other")).at == NULL);
}

static void what_it_says_of_grants_and_keys_is_taken(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR(HEAD BACK ",\"grant_types\":[\"authorization_code\",\"refresh_token\","
				      "\"urn:x\"],\"response_types\":[\"code\"],"
				      "\"token_endpoint_auth_method\":\"none\","
				      "\"jwks\":{\"keys\":[]}}")),
		  OK);
	CHECK(document.client.grant_types == (GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN));
	CHECK_STR(document.keys, STR("{\"keys\":[]}"));
	CHECK_ERR(parse(STR(HEAD BACK ",\"jwks_uri\":\"https://app.example/k\"}")), OK);
	CHECK_STR(document.keys, STR("\"https://app.example/k\""));
}

static void keys_make_it_prove_itself(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR(HEAD BACK ",\"token_endpoint_auth_method\":\"private_key_jwt\","
				      "\"jwks\":{\"keys\":[7]}}")),
		  OK);
	CHECK(document.client.auth == CLIENT_AUTH_PRIVATE_KEY);
	CHECK_STR(document.client.jwks, STR("{\"keys\":[7]}"));
	CHECK_ERR(parse(STR(HEAD BACK ",\"token_endpoint_auth_method\":\"private_key_jwt\"}")),
		  ERR_CLIENT_DOCUMENT);
	CHECK_ERR(parse(STR(HEAD BACK ",\"token_endpoint_auth_method\":\"private_key_jwt\","
				      "\"jwks_uri\":\"https://app.example/k\"}")),
		  OK);
	CHECK(document.client.auth == CLIENT_AUTH_PRIVATE_KEY && document.client.jwks.at == NULL);
	CHECK_STR(document.client.jwks_uri, STR("https://app.example/k"));
	CHECK_ERR(parse(STR(HEAD BACK ",\"token_endpoint_auth_method\":\"private_key_jwt\","
				      "\"jwks_uri\":[\"https://app.example/k\"]}")),
		  ERR_CLIENT_DOCUMENT);
	CHECK_ERR(parse(STR(HEAD BACK ",\"jwks\":{\"keys\":[7]},"
				      "\"jwks_uri\":\"https://app.example/k\"}")),
		  ERR_CLIENT_DOCUMENT);
	CHECK_STR(task.reason, STR("jwks or jwks_uri, not both"));
}

static void keys_lie_at_a_public_host_by_https(void **state)
{
	static const struct str bad[] = {
		STR_INIT("http://app.example/k"),      STR_INIT("https://app.example"),
		STR_INIT("https://db.internal/k"),     STR_INIT("https://a.localhost/k"),
		STR_INIT("https://localhost/k"),       STR_INIT("https://app.example/../k"),
		STR_INIT("https://app.example/k#one"), STR_INIT("https://u@app.example/k"),
		STR_INIT("https://10.0.0.1/k"),	       STR_INIT("javascript:alert(1)"),
	};

	(void)state;
	CHECK_ERR(document_check_jwks_uri(&task, STR("https://app.example/k"), false), OK);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK_ERR(document_check_jwks_uri(&task, bad[i], false), ERR_SYNTAX);
		CHECK(str_starts_with(task.reason, STR("jwks_uri ")));
	}
	CHECK_ERR(document_check_jwks_uri(&task, STR("https://a.localhost/k"), true), OK);
	CHECK_ERR(document_check_jwks_uri(&task, STR("https://db.internal/k"), true), ERR_SYNTAX);
}

static void what_it_says_of_its_proofs_is_taken(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR(HEAD BACK "}")), OK);
	CHECK(!document.is_bound && document.client.auth_alg.at == NULL);
	CHECK_ERR(
		parse(STR(HEAD BACK ",\"token_endpoint_auth_method\":\"private_key_jwt\","
				    "\"token_endpoint_auth_signing_alg\":\"ES256\","
				    "\"dpop_bound_access_tokens\":true,\"jwks\":{\"keys\":[7]}}")),
		OK);
	CHECK(document.is_bound);
	CHECK_STR(document.client.auth_alg, STR("ES256"));
	CHECK_ERR(parse(STR(HEAD BACK ",\"dpop_bound_access_tokens\":false}")), OK);
	CHECK(!document.is_bound);
}

static void redirect_uris_that_nobody_may_have_are_left_out(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR(HEAD "\"redirect_uris\":[\"javascript:x\",\"http://evil.example/\","
				 "\"https://app.example/cb\",\"noscheme:/x\"]}")),
		  OK);
	CHECK(document.client.redirect_count == 1);
	CHECK_STR(document.client.redirect_uris[0], STR("https://app.example/cb"));
}

static void without_a_name_it_is_called_by_its_host(void **state)
{
	(void)state;
	CHECK_ERR(parse(STR("{\"client_id\":\"" URL "\"," BACK "}")), OK);
	CHECK_STR(document.client.name, STR("app.example"));
}

static const struct str bad[] = {
	STR_INIT(""),
	STR_INIT("null"),
	STR_INIT("[]"),
	STR_INIT("{}"),
	STR_INIT("{\"client_id\":\"" URL "\"," BACK "} x"),
	STR_INIT("{\"client_id\":\"" URL "\",\"client_id\":\"" URL "\"," BACK "}"),
	STR_INIT("{" BACK "}"),
	STR_INIT("{\"client_id\":7," BACK "}"),
	STR_INIT("{\"client_id\":\"https://APP.example/client.json\"," BACK "}"),
	STR_INIT("{\"client_id\":\"https://app.example:443/client.json\"," BACK "}"),
	STR_INIT("{\"client_id\":\"" URL "/\"," BACK "}"),
	STR_INIT(HEAD "\"client_secret\":\"s\"," BACK "}"),
	STR_INIT(HEAD "\"client_secret\":null," BACK "}"),
	STR_INIT(HEAD "\"client_secret_expires_at\":0," BACK "}"),
	STR_INIT(HEAD "\"token_endpoint_auth_method\":\"client_secret_basic\"," BACK "}"),
	STR_INIT(HEAD "\"token_endpoint_auth_method\":\"client_secret_post\"," BACK "}"),
	STR_INIT(HEAD "\"token_endpoint_auth_method\":\"client_secret_jwt\"," BACK "}"),
	STR_INIT(HEAD "\"token_endpoint_auth_method\":[\"none\"]," BACK "}"),
	STR_INIT(HEAD "\"grant_types\":[\"client_credentials\"]," BACK "}"),
	STR_INIT(HEAD "\"grant_types\":[]," BACK "}"),
	STR_INIT(HEAD "\"grant_types\":[\"authorization_code\",1]," BACK "}"),
	STR_INIT(HEAD "\"grant_types\":\"authorization_code\"," BACK "}"),
	STR_INIT(HEAD "\"response_types\":[\"token\"]," BACK "}"),
	STR_INIT(HEAD "\"response_types\":7," BACK "}"),
	STR_INIT("{\"client_id\":\"" URL "\",\"client_name\":\"\"," BACK "}"),
	STR_INIT("{\"client_id\":\"" URL "\",\"client_name\":\" \"," BACK "}"),
	STR_INIT("{\"client_id\":\"" URL "\",\"client_name\":7," BACK "}"),
	STR_INIT(HEAD "\"dpop_bound_access_tokens\":\"true\"," BACK "}"),
	STR_INIT(HEAD "\"dpop_bound_access_tokens\":1," BACK "}"),
	STR_INIT(HEAD "\"token_endpoint_auth_method\":\"private_key_jwt\","
		      "\"jwks\":{\"keys\":[7]},"
		      "\"token_endpoint_auth_signing_alg\":7," BACK "}"),
	STR_INIT("{\"client_id\":\"" URL "\",\"client_name\":\"a\\u202eb\"," BACK "}"),
	STR_INIT(HEAD "\"redirect_uris\":[]}"),
	STR_INIT(HEAD "\"redirect_uris\":\"http://127.0.0.1/cb\"}"),
	STR_INIT(HEAD "\"redirect_uris\":[7]}"),
	STR_INIT(HEAD "\"redirect_uris\":[\"javascript:x\"]}"),
	STR_INIT("{\"client_id\":\"" URL "\",\"client_name\":\"App\"}"),
};

static void a_document_that_breaks_a_rule_makes_no_client(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		enum err err = parse(bad[i]);

		CHECK_ROW(err == ERR_CLIENT_DOCUMENT, "%s: %s\n", bad[i].at, err_name(err));
		CHECK(task.reason.len > 0 && document.client.id.at == NULL);
	}
}

static void ceilings_are_kept(void **state)
{
	struct buf buf = buf_in(&task.arena, 64 * 1024);
	struct str text;

	(void)state;
	buf_add_c(&buf, HEAD "\"redirect_uris\":[");
	for (int i = 0; i < CLIENT_REDIRECTS; i++)
		buf_add(&buf, str_printf(&task.arena, "\"https://app.example/%d\",", i));
	buf_add_c(&buf, "\"https://app.example/one-more\"]}");
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(parse(text), ERR_CLIENT_DOCUMENT);
	buf = buf_in(&task.arena, 64 * 1024);
	buf_add_c(&buf, HEAD BACK);
	while (buf.len < DOCUMENT_MAX - 1)
		buf_add_char(&buf, ' ');
	buf_add_char(&buf, '}');
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(parse(text), OK);
	buf_add_char(&buf, ' ');
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(parse(text), ERR_CLIENT_DOCUMENT);
}

static void only_json_is_read(void **state)
{
	(void)state;
	CHECK(document_is_json(STR("application/json")));
	CHECK(document_is_json(STR("Application/JSON ; charset=utf-8")));
	CHECK(document_is_json(STR("application/oauth-client+json")));
	CHECK(!document_is_json(STR("text/html")));
	CHECK(!document_is_json(STR("application/octet-stream")));
	CHECK(!document_is_json(STR("application/jsonp")));
	CHECK(!document_is_json(STR("+json")));
	CHECK(!document_is_json(STR_NONE));
}

static void it_is_believed_for_five_minutes_to_a_day(void **state)
{
	static const struct {
		struct str cache_control, age;
		int64_t life;
	} rows[] = {
		{ { 0 }, { 0 }, HOUR_MS },
		{ STR_INIT("public"), { 0 }, HOUR_MS },
		{ STR_INIT("max-age=7200"), { 0 }, 2 * HOUR_MS },
		{ STR_INIT("public, Max-Age=\"7200\" , x=1"), { 0 }, 2 * HOUR_MS },
		{ STR_INIT("max-age=7200, s-maxage=600"), { 0 }, 10 * MINUTE_MS },
		{ STR_INIT("max-age=7200"), STR_INIT("3600"), HOUR_MS },
		{ STR_INIT("max-age=7200"), STR_INIT("-1"), 2 * HOUR_MS },
		{ STR_INIT("max-age=7200"), STR_INIT("99999"), 5 * MINUTE_MS },
		{ STR_INIT("max-age=1"), { 0 }, 5 * MINUTE_MS },
		{ STR_INIT("max-age=0"), { 0 }, 5 * MINUTE_MS },
		{ STR_INIT("max-age=abc"), { 0 }, 5 * MINUTE_MS },
		{ STR_INIT("max-age=99999999999999999999"), { 0 }, 5 * MINUTE_MS },
		{ STR_INIT("max-age=31536000"), { 0 }, DAY_MS },
		{ STR_INIT("no-store, max-age=7200"), { 0 }, 5 * MINUTE_MS },
		{ STR_INIT("max-age=7200, no-cache"), { 0 }, 5 * MINUTE_MS },
		{ STR_INIT("private"), { 0 }, 5 * MINUTE_MS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_ROW(document_life(rows[i].cache_control, rows[i].age) == rows[i].life,
			  "row %zu\n", i);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	return RUN(TEST(a_client_id_is_an_https_url_with_a_path_and_no_tricks),
		   TEST(a_client_id_has_512_bytes_at_most), TEST(localhost_is_for_tests),
		   TEST(a_domain_is_below_itself_and_its_parents),
		   TEST(a_document_may_say_that_requests_are_pushed),
		   TEST(a_document_becomes_a_public_client),
		   TEST(what_it_says_of_grants_and_keys_is_taken), TEST(keys_make_it_prove_itself),
		   TEST(keys_lie_at_a_public_host_by_https),
		   TEST(what_it_says_of_its_proofs_is_taken),
		   TEST(redirect_uris_that_nobody_may_have_are_left_out),
		   TEST(without_a_name_it_is_called_by_its_host),
		   TEST(a_document_that_breaks_a_rule_makes_no_client), TEST(ceilings_are_kept),
		   TEST(only_json_is_read), TEST(it_is_believed_for_five_minutes_to_a_day));
}

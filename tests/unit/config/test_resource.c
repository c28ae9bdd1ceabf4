/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "crypto/digest.h"
#include "place.h"

#define HEAD "{\"name\":\"mail\",\"uri\":\"https://a.example/r/mail\",\"title\":\"Mail\""
#define SCOPE                                                                                      \
	"{\"name\":\"mail.read\",\"title\":\"Read\",\"risk\":\"read\",\"default\":true,"           \
	"\"can\":[\"see mail\"],\"cannot\":[\"send\"]}"
#define SCOPES ",\"scopes\":[" SCOPE "]"
#define SECRET "0123456789abcdef0123456789abcdef"

static enum err parse(struct place *place, const char *text, struct resource *ret_resource)
{
	return resource_parse(&place->task, STR("mail"), str_from_c(text), place->dir, sha256,
			      ret_resource);
}

static void the_example_of_the_documentation_is_taken_whole(void **state)
{
	static const char text[] =
		"{ \"name\": \"mail\", \"uri\": \"HTTPS://Grantd.localhost:443/r/mail/\", "
		"\"title\": \"Mail of Example Ltd\","
		"\"enforced_by\": \"resource\", \"checks\": \"introspection\", \"on_stop\": "
		"\"doveadm kick {username}\","
		"\"token\": { \"typ\": \"at+jwt\", \"alg\": \"ES256\", \"lifetime\": 300 },"
		"\"scopes\": [" SCOPE
		"], \"introspection\": [ { \"id\": \"mail-rs\", \"secret_file\": \"secret\" } ] }";
	struct resource resource;
	struct place place;

	(void)state;
	place_start(&place);
	place_write(&place, "secret", SECRET "\n", 0600);
	CHECK_ERR(parse(&place, text, &resource), OK);
	CHECK_STR(resource.uri, STR("https://grantd.localhost/r/mail"));
	CHECK(!resource.enforced_by_gateway && !resource.checks_locally && !resource.has_own_keys);
	CHECK(resource.on_stop_count == 3);
	CHECK_STR(resource.on_stop[2], STR("{username}"));
	CHECK(resource.token_ms == 300 * SECOND_MS);
	CHECK(resource.scope_count == 1);
	CHECK(resource_find_scope(&resource, STR("mail.read"))->is_default);
	CHECK(resource_find_scope(&resource, STR("mail.rea")) == NULL);
	CHECK_STR(resource.callers[0].id, STR("mail-rs"));
	CHECK_STR(resource.callers[0].secret_hash, sha256_str(&place.task.arena, STR(SECRET)));
	place_end(&place);
}

static void a_resource_with_plain_jwt_or_rs256_has_keys_of_its_own(void **state)
{
	struct resource resource;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(parse(&place, HEAD SCOPES ",\"token\":{\"typ\":\"JWT\"}}", &resource), OK);
	CHECK(resource.has_own_keys);
	CHECK_ERR(parse(&place, HEAD SCOPES ",\"token\":{\"alg\":\"RS256\"}}", &resource), OK);
	CHECK(resource.has_own_keys && !resource.names_user);
	CHECK_ERR(parse(&place, HEAD SCOPES ",\"token\":{\"claims\":[\"username\"]}}", &resource),
		  OK);
	CHECK(resource.names_user && !resource.has_own_keys);
	CHECK_ERR(parse(&place, HEAD SCOPES ",\"token\":{\"claims\":[]}}", &resource), OK);
	CHECK(!resource.names_user);
	CHECK_ERR(parse(&place, HEAD SCOPES "}", &resource), OK);
	CHECK(!resource.has_own_keys && resource.token_ms == 0);
	place_end(&place);
}

static const struct {
	const char *text;
	const char *reason;
} refusals[] = {
	{ "[]", "must be an object" },
	{ "{", "not JSON: line 1" },
	{ HEAD ",\"title\":\"again\"" SCOPES "}", "not JSON" },
	{ HEAD "}", "scopes: is missing" },
	{ HEAD ",\"scopes\":[]}", "scopes: needs 1 to 64" },
	{ HEAD SCOPES ",\"scope\":[]}", "scope: no such member; did you mean \"scopes\"?" },
	{ HEAD SCOPES ",\"frobnicate\":[]}", "known are name, uri" },
	{ "{\"name\":\"post\",\"uri\":\"https://a/b\",\"title\":\"x\"" SCOPES "}",
	  "name: must be \"mail\"" },
	{ "{\"name\":\"mail\",\"uri\":\"/r/mail\",\"title\":\"x\"" SCOPES "}",
	  "uri: the resource is not" },
	{ "{\"name\":\"mail\",\"uri\":\"https://a/b#c\",\"title\":\"x\"" SCOPES "}", "fragment" },
	{ "{\"name\":\"mail\",\"uri\":\"https://u@a/b\",\"title\":\"x\"" SCOPES "}", "user part" },
	{ "{\"name\":\"mail\",\"uri\":\"https://a/../b\",\"title\":\"x\"" SCOPES "}",
	  "dot segment" },
	{ "{\"name\":\"mail\",\"uri\":\"http://a.example/b\",\"title\":\"x\"" SCOPES "}",
	  "https://" },
	{ "{\"name\":\"mail\",\"uri\":\"urn:a:b\",\"title\":\"x\"" SCOPES "}", "https://" },
	{ "{\"name\":\"mail\",\"uri\":\"https://a/b\",\"title\":\"\"" SCOPES "}",
	  "title: must be one line" },
	{ "{\"name\":\"mail\",\"uri\":\"https://a/b\",\"title\":\"a\\nb\"" SCOPES "}",
	  "title: must be one line" },
	{ HEAD SCOPES ",\"enforced_by\":\"us\"}", "not one of resource, gateway" },
	{ HEAD SCOPES ",\"enforced_by\":\"gateway\"}", "this version has no gateway" },
	{ HEAD SCOPES ",\"checks\":\"introspect\"}",
	  "checks: \"introspect\" is not one of introspection, local" },
	{ HEAD SCOPES ",\"token\":{\"typ\":\"at+JWT\"}}", "token.typ:" },
	{ HEAD SCOPES ",\"token\":{\"alg\":\"none\"}}", "not one of ES256, RS256" },
	{ HEAD SCOPES ",\"token\":{\"alg\":\"HS256\"}}", "did you mean \"ES256\"?" },
	{ HEAD SCOPES ",\"token\":{\"lifetime\":901}}", "30 to 900" },
	{ HEAD SCOPES ",\"token\":{\"claims\":\"username\"}}", "token.claims: must be a list" },
	{ HEAD SCOPES ",\"token\":{\"claims\":[\"usernam\"]}}", "did you mean \"username\"?" },
	{ HEAD SCOPES ",\"token\":{\"claims\":[\"username\",1]}}", "token.claims[1]:" },
	{ HEAD SCOPES ",\"token\":{\"lifetime\":29}}", "30 to 900" },
	{ HEAD SCOPES ",\"token\":{\"lifetime\":\"300\"}}",
	  "token.lifetime: must be a whole number" },
	{ HEAD ",\"scopes\":[{\"name\":\"a\",\"title\":\"t\",\"can\":[\"x\"],\"risk\":\"wirte\"}]}",
	  "scopes[0].risk: \"wirte\" is not one of write, read, send, delete; did you mean "
	  "\"write\"?" },
	{ HEAD ",\"scopes\":[" SCOPE "," SCOPE "]}",
	  "scopes[1].name: \"mail.read\" is there twice" },
	{ HEAD ",\"scopes\":[{\"name\":\"a b\",\"title\":\"t\",\"can\":[\"x\"]}]}",
	  "scopes[0].name:" },
	{ HEAD ",\"scopes\":[{\"name\":\"openid\",\"title\":\"t\",\"can\":[\"x\"]}]}", "OpenID" },
	{ HEAD ",\"scopes\":[{\"name\":\"a\",\"title\":\"t\",\"can\":[]}]}", "needs a sentence" },
	{ HEAD ",\"scopes\":[{\"name\":\"a\",\"title\":\"t\",\"can\":[1]}]}",
	  "scopes[0].can[0]: must be a text" },
	{ HEAD ",\"scopes\":[{\"name\":\"a\",\"title\":\"t\",\"can\":[\"x\"],\"default\":1}]}",
	  "true or false" },
	{ HEAD ",\"scopes\":[1]}", "scopes[0]: must be an object" },
	{ HEAD SCOPES ",\"on_stop\":\"sh -c 'x'\"}", "no shell reads this" },
	{ HEAD SCOPES ",\"on_stop\":\"kick {user}\"}", "only {username} and {client}" },
	{ HEAD SCOPES ",\"on_stop\":\"{username} x\"}", "not in the command itself" },
	{ HEAD SCOPES ",\"on_stop\":\"http://a.example/stop\"}", "must be https://" },
	{ HEAD SCOPES ",\"on_stop\":\"https://u:p@a.example/stop\"}", "no user or password" },
	{ HEAD SCOPES ",\"on_stop\":\"HTTPS://a.example/stop\"}", "must be https://" },
	{ HEAD SCOPES ",\"on_stop\":[\"ftp://a.example/stop\"]}", "must be https://" },
	{ HEAD SCOPES ",\"on_stop\":\"https:///stop\"}", "must be https://" },
	{ HEAD SCOPES ",\"on_stop\":\"https://a.example/stop {username}\"}", "a URL stands alone" },
	{ HEAD SCOPES ",\"on_stop\":\"https://a.example/{username}\"}", "only {username} and" },
	{ HEAD SCOPES ",\"on_stop\":[\"/bin/kick\",\"a\\u0000b\"]}", "" },
	{ HEAD SCOPES ",\"on_stop\":[\"/bin/kick\",\"a\\nb\"]}", "on_stop[1]: must be a text" },
	{ HEAD SCOPES ",\"on_stop\":[\"/bin/kick\",7]}", "on_stop[1]: must be a text" },
	{ HEAD SCOPES ",\"on_stop\":7}", "on_stop: must be a command" },
	{ HEAD SCOPES ",\"on_stop\":[]}", "needs 1 to 16 words" },
	{ HEAD SCOPES ",\"introspection\":[{\"id\":\"rs\"}]}",
	  "introspection[0].secret_file: is missing" },
	{ HEAD SCOPES ",\"introspection\":[{\"id\":\"r:s\",\"secret_file\":\"secret\"}]}",
	  "introspection[0].id:" },
	{ HEAD SCOPES ",\"introspection\":[{\"id\":\"rs\",\"secret_file\":\"nowhere\"}]}",
	  "no such file" },
	{ HEAD SCOPES
	  ",\"introspection\":[{\"id\":\"rs\",\"secret\":\"x\",\"secret_file\":\"secret\"}]}",
	  "introspection[0].secret: no such member" },
};

static void each_mistake_names_the_member_and_what_is_allowed(void **state)
{
	struct resource resource;
	struct place place;

	(void)state;
	place_start(&place);
	place_write(&place, "secret", SECRET, 0600);
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		CHECK_ERR(parse(&place, refusals[i].text, &resource), ERR_CONFIG);
		if (!str_contains(place.task.reason, str_from_c(refusals[i].reason)))
			print_error("%s: %.*s\n", refusals[i].text, STR_FMT(place.task.reason));
		CHECK(str_contains(place.task.reason, str_from_c(refusals[i].reason)));
	}
	place_end(&place);
}

static void add_times(struct buf *buf, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_c(buf, text);
}

/* 64 scopes, each of 512 bytes as they are kept if last is 7; quotes count twice. */
static enum err parse_words(struct place *place, size_t last)
{
	struct buf buf = buf_in(&place->task.arena, RESOURCE_FILE_MAX);
	struct resource resource;
	struct str text;

	buf_add_c(&buf, HEAD ",\"scopes\":[");
	for (size_t i = 0; i < 64; i++) {
		buf_add(&buf, str_printf(&place->task.arena, "%s{\"name\":\"s%zu\",\"title\":\"",
					 i > 0 ? "," : "", i));
		add_times(&buf, "\\\"", 98);
		buf_add_c(&buf, "\",\"can\":[\"");
		add_times(&buf, "x", 300);
		buf_add_c(&buf, "\"],\"cannot\":[\"");
		add_times(&buf, "y", i < 63 ? 7 : last);
		buf_add_c(&buf, "\"]}");
	}
	buf_add_c(&buf, "]}");
	CHECK_ERR(buf_finish(&buf, &text), OK);
	return resource_parse(&place->task, STR("mail"), text, place->dir, sha256, &resource);
}

static void more_words_than_a_question_takes_are_refused_with_the_file(void **state)
{
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(parse_words(&place, 7), OK);
	CHECK_ERR(parse_words(&place, 8), ERR_CONFIG);
	CHECK(str_starts_with(place.task.reason,
			      STR("scopes: their titles and sentences are 32769")));
	place_end(&place);
}

static void a_secret_that_others_can_read_or_guess_is_refused(void **state)
{
	static const char text[] = HEAD SCOPES
		",\"introspection\":[{\"id\":\"rs\",\"secret_file\":\"secret\"}]}";
	struct resource resource;
	struct place place;

	(void)state;
	place_start(&place);
	place_write(&place, "secret", SECRET, 0640);
	CHECK_ERR(parse(&place, text, &resource), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("chmod 600")));
	place_write(&place, "secret", "short", 0600);
	CHECK_ERR(parse(&place, text, &resource), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("openssl rand -hex 32")));
	CHECK(!str_contains(place.task.reason, STR("\"short\"")));
	place_write(&place, "secret", SECRET "\n" SECRET "\n", 0600);
	CHECK_ERR(parse(&place, text, &resource), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("one line")));
	place_write(&place, "secret", SECRET, 0600);
	CHECK_ERR(parse(&place, text, &resource), OK);
	place_end(&place);
}

static void two_files_must_not_share_uri_or_caller(void **state)
{
	static const char mail[] = HEAD SCOPES
		",\"introspection\":[{\"id\":\"rs\",\"secret_file\":\"secret\"}]}";
	static const char same_uri[] =
		"{\"name\":\"calendar\",\"uri\":\"https://A.example:443/r/mail/\","
		"\"title\":\"x\"" SCOPES "}";
	static const char same_caller[] =
		"{\"name\":\"calendar\",\"uri\":\"https://a.example/c\",\"title\":\"x\"" SCOPES
		",\"introspection\":[{\"id\":\"rs\",\"secret_file\":\"secret\"}]}";
	struct config_source source = { .digest = sha256 };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	source.dir = place.dir;
	place_write(&place, "grantd.conf", "issuer = https://grantd.localhost:8443\n", 0600);
	place_write(&place, "secret", SECRET, 0600);
	place_write(&place, "resources/mail.json", mail, 0600);
	place_write(&place, "resources/calendar.json", same_uri, 0600);
	CHECK_ERR(config_load(&place.task, &source, &config), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("calendar has the same one")));
	place_write(&place, "resources/calendar.json", same_caller, 0600);
	CHECK_ERR(config_load(&place.task, &source, &config), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("introspection[0].id: calendar")));
	place_drop(&place, "resources/calendar.json");
	CHECK_ERR(config_load(&place.task, &source, &config), OK);
	CHECK(config->resource_count == 1);
	CHECK(config->resources[0].token_ms == 300 * SECOND_MS);
	CHECK(config_find_resource(config, STR("https://a.example/r/mail")) != NULL);
	CHECK(config_find_resource(config, STR("https://a.example/r/mail/")) == NULL);
	CHECK(config_find_resource_named(config, STR("mail")) != NULL);
	config_free(&config);
	place_write(&place, "resources/Mail.json", mail, 0600);
	CHECK_ERR(config_load(&place.task, &source, &config), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("Mail.json: a resource's file name")));
	place_end(&place);
}

static void uris_have_one_canonical_form(void **state)
{
	static const struct {
		const char *asked, *canonical;
	} cases[] = {
		{ "https://a.example/r/mail", "https://a.example/r/mail" },
		{ "HTTPS://A.Example/r/mail", "https://a.example/r/mail" },
		{ "https://a.example:443/r/mail/", "https://a.example/r/mail" },
		{ "https://a.example:8443/", "https://a.example:8443" },
		{ "https://a.example/R/Mail", "https://a.example/R/Mail" },
		{ "https://[2001:DB8::1]/x", "https://[2001:db8::1]/x" },
		{ "https://a.example/x?b=1", "https://a.example/x?b=1" },
	};
	struct place place;
	struct str uri;

	(void)state;
	place_start(&place);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CHECK_ERR(resource_canonical(&place.task, str_from_c(cases[i].asked), &uri), OK);
		CHECK_STR(uri, str_from_c(cases[i].canonical));
	}
	place_end(&place);
}

/* RI-001 */
static void a_relative_uri_a_fragment_or_userinfo_is_no_target(void **state)
{
	static const char *const cases[] = { "",
					     "mail",
					     "/r/mail",
					     "//a.example/x",
					     "https://a.example/x#y",
					     "https://u:p@a.example/x",
					     "https://a.example/a/../b",
					     "https://a.example/ x" };
	struct place place;
	struct str uri = STR_NONE;

	(void)state;
	place_start(&place);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK_ERR(resource_canonical(&place.task, str_from_c(cases[i]), &uri), ERR_TARGET);
	CHECK(uri.at == NULL);
	place_end(&place);
}

int main(void)
{
	return RUN(cmocka_unit_test(the_example_of_the_documentation_is_taken_whole),
		   cmocka_unit_test(a_resource_with_plain_jwt_or_rs256_has_keys_of_its_own),
		   cmocka_unit_test(each_mistake_names_the_member_and_what_is_allowed),
		   cmocka_unit_test(more_words_than_a_question_takes_are_refused_with_the_file),
		   cmocka_unit_test(a_secret_that_others_can_read_or_guess_is_refused),
		   cmocka_unit_test(two_files_must_not_share_uri_or_caller),
		   cmocka_unit_test(uris_have_one_canonical_form),
		   cmocka_unit_test(a_relative_uri_a_fragment_or_userinfo_is_no_target));
}

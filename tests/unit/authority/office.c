/* SPDX-License-Identifier: Apache-2.0 */
#include "office.h"

#include <stdio.h>
#include <sys/stat.h>

#include "authority/clients.h"
#include "authority/login.h"
#include "authority/people.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/grants.h"
#include "store/key_rows.h"

static const char mail_file[] =
	"{\"name\":\"mail\",\"uri\":\"" OFFICE_RESOURCE "\",\"title\":\"Mail\","
	"\"enforced_by\":\"resource\",\"checks\":\"introspection\","
	"\"on_stop\":\"/bin/true {username}\","
	"\"scopes\":["
	"{\"name\":\"mail.read\",\"title\":\"Read your mail\",\"risk\":\"read\",\"default\":true,"
	"\"can\":[\"see folders and read messages\"],\"cannot\":[\"send anything\"]},"
	"{\"name\":\"mail.send\",\"title\":\"Send mail\",\"risk\":\"send\",\"can\":[\"send\"]},"
	"{\"name\":\"mail.report\",\"title\":\"Report\",\"risk\":\"read\",\"can\":[\"report\"],"
	"\"clients\":true}]}";
static const char other_file[] =
	"{\"name\":\"other\",\"uri\":\"https://grantd.test/r/other\",\"title\":\"Other\","
	"\"scopes\":[{\"name\":\"other.read\",\"title\":\"Read\",\"risk\":\"read\","
	"\"can\":[\"read\"]}]}";

void office_write(struct office *office, const char *name, const char *text)
{
	struct task *task = world_task(&office->world);
	struct str path = STR_JOIN(&task->arena, office->world.dir, STR("/"), str_from_c(name));
	FILE *file = fopen(path.at, "w");

	assert_non_null(file);
	CHECK(fputs(text, file) >= 0);
	CHECK(fclose(file) == 0);
}

static void load_config(struct office *office)
{
	struct task *task = world_task(&office->world);
	struct config_source source = { .dir = office->world.dir };
	struct str dir = STR_JOIN(&task->arena, office->world.dir, STR("/resources"));

	CHECK(mkdir(dir.at, 0700) == 0);
	office_write(office, "grantd.conf", "issuer = https://grantd.test\n");
	office_write(office, "resources/mail.json", mail_file);
	office_write(office, "resources/other.json", other_file);
	CHECK_ERR(config_load(task, &source, &office->config), OK);
}

static enum err insert_keys(struct task *task, struct db *db, void *arg)
{
	const struct key_record *records = arg;

	TRY(key_row_insert(task, db, &records[0]));
	return key_row_insert(task, db, &records[1]);
}

static void open_keys(struct office *office)
{
	struct task *task = world_task(&office->world);
	struct key_record records[2];
	struct str root = STR_JOIN(&task->arena, office->world.dir, STR("/root.key"));

	CHECK_ERR(keys_create_root(task, root), OK);
	CHECK_ERR(keys_open(task, root, STR("https://grantd.test"), &office->keys), OK);
	CHECK_ERR(keys_generate(task, office->keys, STR("access"), ALG_ES256, &records[0]), OK);
	CHECK_ERR(keys_generate(task, office->keys, STR("id"), ALG_RS256, &records[1]), OK);
	CHECK_ERR(world_write(&office->world, insert_keys, records), OK);
	CHECK_ERR(keys_load(task, office->keys, records, 2), OK);
}

static void create_clients(struct office *office)
{
	static const struct str redirects[] = { STR_INIT("http://127.0.0.1/callback") };
	struct task *task = world_task(&office->world);
	struct new_client wish = {
		.client = { .id = STR("agent"),
			    .name = STR("Mail agent"),
			    .redirect_uris = redirects,
			    .redirect_count = 1,
			    .grant_types = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN },
	};
	struct client client;
	struct str secret;

	CHECK_ERR(client_create(task, &office->authority, &wish, &client, &secret), OK);
	wish.client.id = STR("agent-2");
	CHECK_ERR(client_create(task, &office->authority, &wish, &client, &secret), OK);
	wish.client.id = STR("service");
	wish.client.auth = CLIENT_AUTH_POST;
	wish.client.grant_types |= GRANT_CLIENT_CREDENTIALS;
	wish.secret = STR(OFFICE_SECRET);
	wish.resource = STR("mail");
	CHECK_ERR(client_create(task, &office->authority, &wish, &client, &secret), OK);
}

void office_open(struct office *office)
{
	struct new_user alice = { .username = STR("alice"),
				  .email = STR("alice@example.org"),
				  .password = STR(OFFICE_PASSWORD) };

	*office = (struct office){ 0 };
	world_open(&office->world);
	load_config(office);
	office->live = config_live_new(office->config);
	open_keys(office);
	CHECK_ERR(authority_open(world_task(&office->world), &office->authority,
				 office->world.store, office->keys, office->live),
		  OK);
	CHECK_ERR(
		user_create(world_task(&office->world), &office->authority, &alice, &office->alice),
		OK);
	create_clients(office);
}

void office_close(struct office *office)
{
	authority_close(&office->authority);
	keys_free(&office->keys);
	config_live_free(&office->live);
	world_close(&office->world);
}

void office_wait(struct office *office, int64_t ms)
{
	office->world.clock.now += ms;
	world_task(&office->world);
}

struct authorize_params office_params(struct office *office, const char *client, const char *scope)
{
	struct task *task = world_task(&office->world);

	return (struct authorize_params){
		.client_id = str_from_c(client),
		.redirect_uri = STR(OFFICE_REDIRECT),
		.response_type = STR("code"),
		.scope = str_from_c(scope),
		.state = STR("xyz"),
		.resource = STR(OFFICE_RESOURCE),
		.resource_count = 1,
		.code_challenge = base64url_encode(&task->arena,
						   sha256_str(&task->arena, STR(OFFICE_VERIFIER))),
		.code_challenge_method = STR("S256"),
		.browser = STR(OFFICE_BROWSER),
		.source = STR("127.0.0.1"),
	};
}

static enum err finished(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

struct opening {
	const struct authority *authority;
	struct authorize_wish *wish;
};

static enum err open_wish(struct task *task, void *arg)
{
	const struct opening *opening = arg;

	TRY(auth_request_open(task, opening->authority, opening->wish));
	return auth_request_keep(task, opening->wish, finished);
}

enum err office_ask(struct office *office, const struct authorize_params *params,
		    struct auth_request *ret_request, struct authorize_refusal *ret_refusal)
{
	struct authorize_wish wish = { .params = *params };
	struct opening opening = { &office->authority, &wish };
	enum err err;

	world_task(&office->world);
	err = world_run(&office->world.home, open_wish, &opening);
	*ret_request = wish.request;
	*ret_refusal = wish.refusal;
	return err;
}

struct showing {
	const struct authority *authority;
	const struct consent_asked *asked;
	struct consent_view *view;
};

static enum err show(struct task *task, void *arg)
{
	const struct showing *showing = arg;

	TRY(consent_show(task, showing->authority, showing->asked, showing->view));
	return consent_shown(task, showing->authority, showing->view, finished);
}

enum err office_show(struct office *office, const struct consent_asked *asked,
		     struct consent_view *ret_view)
{
	struct showing showing = { &office->authority, asked, ret_view };

	world_task(&office->world);
	return world_run(&office->world.home, show, &showing);
}

struct deciding_step {
	const struct authority *authority;
	struct consent_decision *decision;
};

static enum err decide_step(struct task *task, void *arg)
{
	const struct deciding_step *step = arg;

	return consent_decide(task, step->authority, step->decision, finished);
}

enum err office_decide(struct office *office, const struct consent_asked *asked,
		       const struct consent_answer *answer, struct str *ret_location)
{
	struct consent_decision decision = { .session = asked->session, .answer = *answer };
	struct deciding_step step = { &office->authority, &decision };
	struct task *task = world_task(&office->world);
	struct consent_view view;
	enum err err;

	TRY(consent_reopen(task, &office->authority, asked, &view));
	decision.view = &view;
	err = world_run(&office->world.home, decide_step, &step);
	*ret_location = decision.location;
	return err;
}

static struct auth_request open_request(struct office *office, const char *client,
					const char *scope)
{
	struct authorize_params params = office_params(office, client, scope);
	struct authorize_refusal refusal;
	struct auth_request request;

	CHECK_ERR(office_ask(office, &params, &request, &refusal), OK);
	return request;
}

struct str office_code(struct office *office, const char *client, const char *scope,
		       const char *duration)
{
	struct auth_request request = open_request(office, client, scope);
	struct session session = { .user_id = office->alice.id,
				   .created_at = office->world.clock.now };
	struct consent_asked asked = { request.id, STR(OFFICE_BROWSER), STR("127.0.0.1"), &session,
				       &office->alice };
	struct str words[SCOPES_MAX] = { 0 };
	struct consent_answer answer = { .allow = true,
					 .scope = request.scope,
					 .duration = str_from_c(duration),
					 .language = STR("en"),
					 .version = STR("1"),
					 .sentences = STR("[\"Read your mail\"]"),
					 .words = words };
	struct consent_view view;
	struct str location;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		words[i] = STR("{}");
	CHECK_ERR(office_show(office, &asked, &view), OK);
	office_wait(office, 1000);
	CHECK_ERR(office_decide(office, &asked, &answer, &location), OK);
	location = str_from(location, sizeof(OFFICE_REDIRECT "?code=") - 1);
	return str_sub(location, 0, str_find(location, '&'));
}

struct token_wish office_wish(struct office *office, const char *client)
{
	struct token_wish wish = { .code_verifier = STR(OFFICE_VERIFIER),
				   .source = STR("127.0.0.1") };
	struct task *task = world_task(&office->world);

	CHECK_ERR(client_find(task, world_reader(&office->world), str_from_c(client), &wish.client),
		  OK);
	return wish;
}

struct step {
	const struct authority *authority;
	struct token_wish *wish;
};

static enum err redeem(struct task *task, void *arg)
{
	const struct step *step = arg;

	return token_redeem_code(task, step->authority, step->wish, finished);
}

static enum err refresh(struct task *task, void *arg)
{
	const struct step *step = arg;

	return token_refresh(task, step->authority, step->wish, finished);
}

enum err office_redeem(struct office *office, struct token_wish *wish)
{
	struct step step = { &office->authority, wish };

	world_task(&office->world);
	return world_run(&office->world.home, redeem, &step);
}

enum err office_refresh(struct office *office, struct token_wish *wish)
{
	struct step step = { &office->authority, wish };

	world_task(&office->world);
	return world_run(&office->world.home, refresh, &step);
}

struct token_answer office_tokens(struct office *office, const char *client, const char *scope)
{
	struct str code = office_code(office, client, scope, "30d");
	struct token_wish wish = office_wish(office, client);

	wish.code = code;
	CHECK_ERR(office_redeem(office, &wish), OK);
	return wish.answer;
}

enum err office_refresh_with(struct office *office, struct str refresh_token,
			     struct token_wish *wish)
{
	*wish = office_wish(office, "agent");
	wish->refresh_token = refresh_token;
	return office_refresh(office, wish);
}

enum err office_access(struct office *office, struct str access_token)
{
	static struct access access;

	return access_token_verify(world_task(&office->world), &office->authority, access_token,
				   &access);
}

size_t office_events(struct office *office, const char *kind)
{
	struct event_filter filter = { 0 };
	struct event *events = NULL;
	size_t count = 0, found = 0;

	CHECK_ERR(event_list(world_task(&office->world), world_reader(&office->world), &filter,
			     1000, &events, &count),
		  OK);
	for (size_t i = 0; i < count; i++)
		found += str_equals(events[i].kind, str_from_c(kind));
	return found;
}

struct grant office_grant(struct office *office, const char *client)
{
	struct grant grant;

	CHECK_ERR(grant_find_live(world_task(&office->world), world_reader(&office->world),
				  office->alice.id, str_from_c(client), STR(OFFICE_RESOURCE),
				  &grant),
		  OK);
	return grant;
}

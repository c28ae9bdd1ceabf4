/* SPDX-License-Identifier: Apache-2.0 */
#include "nouns.h"

const struct user alice = {
	.id = STR_INIT("usr_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.username = STR_INIT("alice"),
	.sealed_profile = STR_INIT("\x01\0sealed profile"),
	.wrapped_key = STR_INIT("\x02\0wrapped key"),
	.version = 1,
	.created_at = CHECK_NOW,
};

const struct user bob = {
	.id = STR_INIT("usr_bbbbbbbbbbbbbbbbbbbbbbbbbb"),
	.username = STR_INIT("bob"),
	.wrapped_key = STR_INIT("\x02\0another key"),
	.version = 1,
	.created_at = CHECK_NOW,
};

static const struct str redirect_uris[] = {
	STR_INIT("https://agent.example/callback"),
	STR_INIT("http://127.0.0.1/callback"),
};
static const struct str scopes[] = { STR_INIT("mail.read"), STR_INIT("mail.send") };

const struct client mail_agent = {
	.id = STR_INIT("mail-agent"),
	.name = STR_INIT("Mail agent \xe2\x9c\x89"),
	.kind = STR_INIT("operator"),
	.auth = CLIENT_AUTH_BASIC,
	.secret_hash = STR_INIT("\0\x01\x02 hash of a secret"),
	.redirect_uris = redirect_uris,
	.redirect_count = COUNT_OF(redirect_uris),
	.grant_types = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN,
	.scope = { scopes, COUNT_OF(scopes) },
	.resource = STR_INIT("https://grantd.localhost:8443/r/mail"),
	.created_at = CHECK_NOW,
};

static const struct permission permissions[] = {
	{
		.scope = STR_INIT("mail.read"),
		.mode = MODE_ALLOW,
		.expires_at = CHECK_NOW + DAY_MS,
		.words = STR_INIT("{\"can\":[\"read\"]}"),
		.consent_event = STR_INIT("evt_consent"),
		.granted_at = CHECK_NOW,
	},
	{
		.scope = STR_INIT("mail.send"),
		.mode = MODE_ASK,
		.expires_at = NEVER,
		.words = STR_INIT("{\"can\":[\"send\"]}"),
		.consent_event = STR_INIT("evt_consent"),
		.granted_at = CHECK_NOW,
	},
};

const struct grant alice_grant = {
	.id = STR_INIT("gra_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.user_id = STR_INIT("usr_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.client_id = STR_INIT("mail-agent"),
	.resource = STR_INIT("https://grantd.localhost:8443/r/mail"),
	.basis = STR_INIT("person"),
	.created_at = CHECK_NOW,
	.updated_at = CHECK_NOW,
	.expires_at = NEVER,
	.permissions = permissions,
	.permission_count = COUNT_OF(permissions),
};

const struct family alice_family = {
	.id = STR_INIT("fam_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.user_id = STR_INIT("usr_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.grant_id = STR_INIT("gra_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.client_id = STR_INIT("mail-agent"),
	.ceiling = { scopes, COUNT_OF(scopes) },
	.seed = STR_INIT("0123456789abcdef0123456789abcde\0"),
	.root_number = 1,
	.generation = 1,
	.marks = { { .at = CHECK_NOW, .generation = 1 } },
	.mark_count = 1,
	.auth_time = CHECK_NOW,
	.acr = STR_INIT("pwd"),
	.created_at = CHECK_NOW,
	.last_used_at = CHECK_NOW,
	.idle_expires_at = CHECK_NOW + 30 * DAY_MS,
};

const struct auth_request alice_request = {
	.id = STR_INIT("req_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
	.state = REQUEST_PENDING,
	.browser_hash = STR_INIT("\0browser"),
	.client_id = STR_INIT("mail-agent"),
	.resource = STR_INIT("https://grantd.localhost:8443/r/mail"),
	.scope = { scopes, COUNT_OF(scopes) },
	.redirect_uri = STR_INIT("http://127.0.0.1:4711/callback"),
	.oauth_state = STR_INIT(""),
	.code_challenge = STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
	.max_age = -1,
	.created_at = CHECK_NOW,
	.expires_at = CHECK_NOW + 10 * MINUTE_MS,
};

static enum err insert_all(struct task *task, struct db *db, void *arg)
{
	struct str id = STR_NONE;

	(void)arg;
	TRY(user_insert(task, db, &alice));
	TRY(user_insert(task, db, &bob));
	TRY(client_insert(task, db, &mail_agent));
	TRY(grant_put(task, db, &alice_grant, &id));
	return family_insert(task, db, &alice_family);
}

void nouns_insert(struct world *world)
{
	CHECK_ERR(world_write(world, insert_all, NULL), OK);
}

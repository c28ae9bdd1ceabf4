/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include "base/task.h"
#include "config/file.h"
#include "config/members.h"

#define PLACE(member) offsetof(struct config, member)

const struct setting settings[SETTINGS] = {
	{ "issuer", SETTING_TEXT, PLACE(issuer), NULL, 0,
	  "Who issues the tokens: https, a name of its own, no path. It never changes: tokens, "
	  "clients and\n"
	  "# people's browsers know it by this exact spelling." },
	{ "shared_loopback_host", SETTING_YES_NO, PLACE(shared_loopback_host), "no", 0,
	  "yes: accept localhost or an IP address as issuer although cookies know no ports, so "
	  "that any\n"
	  "# program listening on the same host could be sent people's session cookies." },
	{ "listen", SETTING_TEXT, PLACE(listen), "", 0,
	  "Where agents and browsers connect: ADDRESS:PORT or unix:PATH. Default: 127.0.0.1 and "
	  "the\n"
	  "# issuer's port." },
	{ "plain", SETTING_YES_NO, PLACE(plain), "no", 0,
	  "yes: speak plain HTTP, behind a proxy that does TLS; only on a loopback address or "
	  "unix socket." },
	{ "trusted_proxies", SETTING_WORDS, PLACE(trusted_proxies), "", 16,
	  "Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed;\n"
	  "# \"unix\": of whoever connects to a unix socket." },
	{ "ops_listen", SETTING_TEXT, PLACE(ops_listen), "", 0,
	  "Where /livez, /readyz and /metrics answer, in plain HTTP; never public. Empty: "
	  "nowhere." },
	{ "tls_cert", SETTING_PATH, PLACE(tls_cert), "tls/cert.pem", 0,
	  "Certificate chain and key (PEM). Replaced files are taken up by SIGHUP. Paths are "
	  "relative to DIR." },
	{ "tls_key", SETTING_PATH, PLACE(tls_key), "tls/key.pem", 0, NULL },
	{ "database", SETTING_TEXT, PLACE(database), "", 0,
	  "sqlite:PATH or postgresql://[HOST]/NAME?host=SOCKETDIR. Default: sqlite:grantd.db. A "
	  "password has\n"
	  "# no place here: use ~/.pgpass, peer authentication, or database_url_file." },
	{ "database_url_file", SETTING_PATH, PLACE(database_url_file), "", 0,
	  "Instead of database: a file (mode 0600) with the whole URL, which may then carry a "
	  "password." },
	{ "database_pool", SETTING_COUNT, PLACE(database_pool), "16", 256,
	  "PostgreSQL: how many connections write at the same time; 0: 16." },
	{ "database_queue", SETTING_COUNT, PLACE(database_queue), "16384", 1000000,
	  "How many changes may wait for the database before more are refused with 503; 0: "
	  "16384." },
	{ "root_key_file", SETTING_PATH, PLACE(root_key_file), "root.key", 0,
	  "The root key: whoever has it and the database has everything. Keep a copy apart from "
	  "the database." },
	{ "admin_socket", SETTING_PATH, PLACE(admin_socket), "admin.sock", 0,
	  "Where grantctl connects, and which group may besides root and grantd's own user." },
	{ "admin_group", SETTING_TEXT, PLACE(admin_group), "", 0, NULL },
	{ "share_dir", SETTING_PATH, PLACE(share_dir), GRANTD_SHARE_DIR, 0,
	  "Pages, style and languages as installed." },
	{ "extra_ca_file", SETTING_PATH, PLACE(extra_ca_file), "", 0,
	  "Certificate authorities (PEM) to trust beside the system's in calls out: on_stop as a "
	  "URL, agents'\n"
	  "# metadata documents and key sets." },
	{ "backup_dir", SETTING_PATH, PLACE(backup_dir), "backups", 0,
	  "Where grantctl backup may write: nowhere else. Made when it is missing." },
	{ "sandbox", SETTING_YES_NO, PLACE(sandbox), "yes", 0,
	  "no: for an emergency only, serve without the kernel's walls around the process that "
	  "faces the network." },
	{ "loops", SETTING_COUNT, PLACE(loops), "0", CONFIG_LOOPS_MAX,
	  "Event loops, up to 64; 0: one per core." },
	{ "log_level", SETTING_LEVEL, PLACE(log_level), "info", 0,
	  "debug, info, warning or error. No level ever logs tokens, codes, passwords or bodies." },
	{ "controller_name", SETTING_TEXT, PLACE(controller_name), "", 0,
	  "Who asks people for their consent (GDPR Art. 13), as the pages name it, with a mail "
	  "address or URL." },
	{ "controller_contact", SETTING_TEXT, PLACE(controller_contact), "", 0, NULL },
	{ "privacy_url", SETTING_TEXT, PLACE(privacy_url), "", 0, NULL },
	{ "support_url", SETTING_TEXT, PLACE(support_url), "", 0, NULL },
	{ "registration", SETTING_POLICY, PLACE(registration), "open", 0,
	  "Who may register an agent by POST /register (RFC 7591): open, everybody (people are "
	  "asked\n"
	  "# each time, and told that nobody vouches for it); token, with one of grantctl client\n"
	  "# register-token; off, nobody." },
	{ "registration_unused", SETTING_DURATION, PLACE(registration_unused_ms), "30d",
	  3660 * DAY_MS,
	  "A registration that nobody has allowed anything for so long is removed." },
	{ "registrations_max", SETTING_COUNT, PLACE(registrations_max), "10000", 1000000,
	  "So many registrations may be unused at a time; then the oldest one gives way." },
	{ "device_flow", SETTING_DEVICE_FLOW, PLACE(device_flow), "off", 0,
	  "Agents on devices without a browser (RFC 8628): a person types the device's code at "
	  "/device. off:\n"
	  "# none; on: those that you register with the grant type device_code; open: also agents "
	  "that register\n"
	  "# themselves or publish a document. Thieves send people codes of their own, so leave "
	  "it off where\n"
	  "# no agent needs it." },
	{ "access_token_lifetime", SETTING_DURATION, PLACE(access_token_ms), "300s",
	  900 * SECOND_MS,
	  "Life of an access token unless its resource says otherwise: 30s to 900s." },
	{ "require_dpop_nonce", SETTING_YES_NO, PLACE(require_dpop_nonce), "no", 0,
	  "yes: a DPoP proof must sign a nonce that we gave out less than five minutes ago; its "
	  "client asks\n"
	  "# once more for the first one." },
	{ "require_pushed_requests", SETTING_YES_NO, PLACE(require_pushed_requests), "no", 0,
	  "yes: every agent sends its requests to POST /par first (RFC 9126), and a browser only "
	  "carries\n"
	  "# where they are. no: those that grantctl client or their own registration says." },
	{ "refresh_idle", SETTING_DURATION, PLACE(refresh_idle_ms), "30d", 366 * DAY_MS,
	  "An installation that asks for no token that long must be allowed again by its person." },
	{ "grant_max", SETTING_DURATION, PLACE(grant_max_ms), "0", 3660 * DAY_MS,
	  "The longest that a person may allow: 1h, 7d, 90d, …; 0: until they revoke." },
	{ "signing_key_days", SETTING_COUNT, PLACE(signing_key_days), "90", 3650,
	  "A signing key that has signed so long is replaced by itself; 0: only by grantctl keys "
	  "rotate." },
	{ "signing_key_lead", SETTING_DURATION, PLACE(signing_key_lead_ms), "1d", 30 * DAY_MS,
	  "So long a new signing key is published before it signs: longer than any resource keeps "
	  "our keys." },
	{ "keep_events", SETTING_DURATION, PLACE(keep_events_ms), "2192d", 36600 * DAY_MS,
	  "How long events are kept, but for the consents that grants still rest on. Six years is "
	  "what\n"
	  "# HIPAA 164.316 asks for." },
	{ "keep_ended", SETTING_DURATION, PLACE(keep_ended_ms), "366d", 36600 * DAY_MS,
	  "How long grants and installations are kept after their end; their events stay longer." },
	{ "keep_sessions", SETTING_DURATION, PLACE(keep_sessions_ms), "90d", 3660 * DAY_MS,
	  "How long sign-ins are kept after their end; they tell which browsers a person used." },
	{ "redirect_schemes", SETTING_WORDS, PLACE(redirect_schemes),
	  "cursor vscode vscode-insiders windsurf", 32,
	  "Private-use URI schemes without a dot that clients may register (RFC 8252 7.1 asks for "
	  "a dot)." },
	{ "client_metadata", SETTING_YES_NO, PLACE(client_metadata), "yes", 0,
	  "Agents that nobody registered: their client_id is a URL, and what stands there says who "
	  "they\n"
	  "# are. It is read for people who have signed in. no: only what grantctl client pin "
	  "keeps." },
	{ "client_metadata_allow", SETTING_WORDS, PLACE(client_metadata_allow), "", 256,
	  "Their domains, with all below: only these, or none of those. No list: all." },
	{ "client_metadata_deny", SETTING_WORDS, PLACE(client_metadata_deny), "", 256, NULL },
	{ "client_metadata_loopback", SETTING_YES_NO, PLACE(client_metadata_loopback), "no", 0,
	  "yes: read them from this machine too. For tests; refused unless the issuer is one "
	  "that only\n"
	  "# this machine can mean (NAME.localhost)." },
};

size_t setting_find(struct str name)
{
	size_t index = 0;

	while (index < SETTINGS && !str_equals(name, str_from_c(settings[index].name)))
		index++;
	return index;
}

struct str setting_suggest(struct task *task, struct str name)
{
	const char *names[SETTINGS];

	for (size_t i = 0; i < SETTINGS; i++)
		names[i] = settings[i].name;
	return suggest(task, name, names, SETTINGS);
}

void problem_add(struct task *task, struct config_problems *problems, const char *setting,
		 struct str text)
{
	if (problems->count == CONFIG_PROBLEMS_MAX)
		return;
	problems->settings[problems->count] = setting;
	problems->texts[problems->count++] = str_copy(&task->arena, text);
}

bool config_is_wrong(const struct config_problems *problems, const char *setting)
{
	for (size_t i = 0; i < problems->count; i++)
		if (problems->settings[i] != NULL &&
		    str_equals(str_from_c(problems->settings[i]), str_from_c(setting)))
			return true;
	return false;
}

static enum err apply_yes_no(struct task *task, struct str value, bool *place)
{
	bool yes = str_equals(value, STR("yes")) || str_equals(value, STR("true"));

	if (!yes && !str_equals(value, STR("no")) && !str_equals(value, STR("false")))
		return failf(task, ERR_CONFIG, "\"%.*s\" is not yes or no", STR_FMT(value));
	*place = yes;
	return OK;
}

static enum err apply_count(struct task *task, struct str value, uint64_t max, unsigned *place)
{
	uint64_t number;

	if (!str_to_u64(value, max, &number))
		return failf(task, ERR_CONFIG, "\"%.*s\" is not a number from 0 to %u",
			     STR_FMT(value), (unsigned)max);
	*place = (unsigned)number;
	return OK;
}

static int64_t unit_of(struct str *value)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = { { 's', SECOND_MS }, { 'm', MINUTE_MS }, { 'h', HOUR_MS }, { 'd', DAY_MS } };

	for (size_t i = 0; value->len > 0 && i < COUNT_OF(units); i++) {
		if (value->at[value->len - 1] != units[i].letter)
			continue;
		value->len--;
		return units[i].ms;
	}
	return SECOND_MS;
}

static enum err apply_duration(struct task *task, struct str value, uint64_t max, int64_t *place)
{
	struct str digits = value;
	int64_t unit = unit_of(&digits);
	uint64_t number;

	if (!str_to_u64(digits, max / (uint64_t)unit, &number))
		return failf(task, ERR_CONFIG,
			     "\"%.*s\" is not a time such as 300s, 15m, 12h or 30d, up to %lld s",
			     STR_FMT(value), (long long)(max / (uint64_t)SECOND_MS));
	*place = (int64_t)number * unit;
	return OK;
}

struct words {
	const struct str *at;
	size_t count;
};

static enum err apply_words(struct task *task, struct str value, uint64_t max, void *place)
{
	struct str *words = NEW_ARRAY(&task->arena, struct str, max);
	struct words list = { words, 0 };
	struct str part, word;

	while (str_next(&value, ',', &part)) {
		while (str_next(&part, ' ', &word)) {
			if (str_trim(word).len == 0)
				continue;
			if (list.count == max)
				return failf(task, ERR_CONFIG, "at most %u of them", (unsigned)max);
			words[list.count++] = str_copy(&task->arena, str_trim(word));
		}
	}
	*(struct words *)place = list;
	return OK;
}

/* One of a few words, by its place in their list. */
static enum err apply_choice(struct task *task, struct str value, const char *const *words,
			     size_t count, void *place)
{
	struct str list = str_from_c(words[0]);

	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			list = STR_JOIN(&task->arena, list, i + 1 < count ? STR(", ") : STR(" or "),
					str_from_c(words[i]));
		if (!str_equals(value, str_from_c(words[i])))
			continue;
		*(unsigned *)place = i;
		return OK;
	}
	return failf(task, ERR_CONFIG, "\"%.*s\" is not %.*s%.*s", STR_FMT(value), STR_FMT(list),
		     STR_FMT(suggest(task, value, words, count)));
}

static enum err apply_level(struct task *task, struct str value, void *place)
{
	static const char *const levels[] = { "debug", "info", "warning", "error" };

	return apply_choice(task, value, levels, COUNT_OF(levels), place);
}

static enum err apply_policy(struct task *task, struct str value, void *place)
{
	static const char *const policies[] = { "off", "open", "token" };

	return apply_choice(task, value, policies, COUNT_OF(policies), place);
}

static enum err apply_device_flow(struct task *task, struct str value, void *place)
{
	static const char *const policies[] = { "off", "on", "open" };

	return apply_choice(task, value, policies, COUNT_OF(policies), place);
}

enum err setting_apply(struct task *task, const struct setting *setting, struct str dir,
		       struct str value, struct config *config)
{
	void *place = (char *)config + setting->offset;

	switch (setting->kind) {
	case SETTING_TEXT:
		*(struct str *)place = str_copy(&task->arena, value);
		return OK;
	case SETTING_PATH:
		*(struct str *)place = value.len == 0 ? STR("") : file_path(task, dir, value);
		return OK;
	case SETTING_YES_NO:
		return apply_yes_no(task, value, place);
	case SETTING_COUNT:
		return apply_count(task, value, setting->max, place);
	case SETTING_DURATION:
		return apply_duration(task, value, setting->max, place);
	case SETTING_WORDS:
		return apply_words(task, value, setting->max, place);
	case SETTING_LEVEL:
		return apply_level(task, value, place);
	case SETTING_POLICY:
		return apply_policy(task, value, place);
	case SETTING_DEVICE_FLOW:
		break;
	}
	return apply_device_flow(task, value, place);
}

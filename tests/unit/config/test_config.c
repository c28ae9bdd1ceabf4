/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config/config.h"
#include "config/settings.h"
#include "config/shared.h"
#include "crypto/digest.h"
#include "place.h"

#define ISSUER "issuer = https://grantd.localhost:8443\n"

static enum err load(struct place *place, const char *text, const char *const *environment,
		     const struct config **ret_config)
{
	struct config_source source = { .dir = place->dir,
					.digest = sha256,
					.environment = environment };

	place_write(place, "grantd.conf", text, 0600);
	return config_load(&place->task, &source, ret_config);
}

static void a_minimal_file_gets_every_default(void **state)
{
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(load(&place, ISSUER, NULL, &config), OK);
	CHECK_STR(config->issuer, STR("https://grantd.localhost:8443"));
	CHECK_STR(config->issuer_host, STR("grantd.localhost:8443"));
	CHECK_STR(config->listen, STR("127.0.0.1:8443"));
	CHECK_STR(config->ops_listen, STR(""));
	CHECK_STR(config->tls_cert, place_at(&place, "tls/cert.pem"));
	CHECK_STR(config->database,
		  STR_JOIN(&place.task.arena, STR("sqlite:"), place_at(&place, "grantd.db")));
	CHECK(!config->plain);
	CHECK(config->access_token_ms == 300 * SECOND_MS);
	CHECK(config->refresh_idle_ms == 30 * DAY_MS);
	CHECK(config->grant_max_ms == 0);
	CHECK(config->redirect_scheme_count == 4);
	CHECK(config->log_level == CONFIG_LOG_INFO);
	config_free(&config);
	CHECK(config == NULL);
	place_end(&place);
}

static void what_is_written_counts(void **state)
{
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(load(&place,
		       "# a comment\r\n" ISSUER "  listen = unix:public.sock\nplain=yes\n"
		       "trusted_proxies = 127.0.0.1, ::1\nloops = 3\nlog_level = debug\n"
		       "grant_max = 90d\naccess_token_lifetime = 10m\n"
		       "database = postgresql:///grantd?host=/run/postgresql\n",
		       NULL, &config),
		  OK);
	CHECK_STR(config->listen,
		  STR_JOIN(&place.task.arena, STR("unix:"), place_at(&place, "public.sock")));
	CHECK(config->plain);
	CHECK(config->trusted_proxy_count == 2);
	CHECK_STR(config->trusted_proxies[1], STR("::1"));
	CHECK(config->loops == 3);
	CHECK(config->log_level == CONFIG_LOG_DEBUG);
	CHECK(config->grant_max_ms == 90 * DAY_MS);
	CHECK(config->access_token_ms == 600 * SECOND_MS);
	CHECK_STR(config->database, STR("postgresql:///grantd?host=/run/postgresql"));
	config_free(&config);
	place_end(&place);
}

static void the_template_of_init_loads_and_says_the_same(void **state)
{
	const struct config *config = NULL;
	struct place place;
	struct str text;

	(void)state;
	place_start(&place);
	CHECK_ERR(
		config_template(&place.task, STR("https://id.example.org"), STR_NONE, false, &text),
		OK);
	CHECK_ERR(load(&place, text.at, NULL, &config), OK);
	CHECK_STR(config->issuer, STR("https://id.example.org"));
	CHECK_STR(config->listen, STR("127.0.0.1:443"));
	CHECK_STR(config->ops_listen, STR("127.0.0.1:8444"));
	config_free(&config);
	place_end(&place);
}

struct refusal {
	const char *text;
	const char *reason; /* must be in what is said */
};

static const struct refusal refusals[] = {
	{ "", "issuer: is missing" },
	{ "issuer = http://grantd.localhost\n", "grantd.conf:1: issuer:" },
	{ "issuer = https://grantd.localhost/\n", "not even a slash" },
	{ "issuer = https://grantd.localhost/a\n", "no path" },
	{ "issuer = https://grantd.localhost?a\n", "no user, query" },
	{ "issuer = https://u@grantd.localhost\n", "no user, query" },
	{ "issuer = https://Grantd.localhost\n", "lower case" },
	{ "issuer = https://grantd.localhost.\n", "dot at its end" },
	{ "issuer = https://grantd.localhost:443\n", "leave out :443" },
	{ "issuer = https://localhost:8443\n", "cookies know no" },
	{ "issuer = https://127.0.0.1:8443\n", "cookies know no" },
	{ "issuer = https://0x7f.1:8443\n", "cookies know no" },
	{ "issuer = https://[::1]:8443\n", "cookies know no" },
	{ ISSUER "isuer = x\n", "did you mean \"issuer\"?" },
	{ ISSUER "isuer = x\n", "grantd.conf:2:" },
	{ ISSUER ISSUER, "grantd.conf:2: issuer is written twice" },
	{ ISSUER "[grantd]\n", "no sections" },
	{ ISSUER "loops\n", "is not NAME = VALUE" },
	{ ISSUER "loops = many\n", "not a number" },
	{ ISSUER "loops = 65\n", "loops: \"65\" is not a number from 0 to 64" },
	{ ISSUER "loops = -1\n", "not a number" },
	{ ISSUER "plain = maybe\n", "not yes or no" },
	{ ISSUER "plain = yes\nlisten = 0.0.0.0:80\n", "plain HTTP only" },
	{ ISSUER "listen = localhost:8443\n", "not ADDRESS:PORT" },
	{ ISSUER "listen = 127.0.0.1:99999\n", "not ADDRESS:PORT" },
	{ ISSUER "listen = unix:\n", "1 to 107 bytes" },
	{ ISSUER "ops_listen = 8444\n", "ops_listen: is not ADDRESS:PORT" },
	{ ISSUER "trusted_proxies = proxy.example\n", "not an IP address" },
	{ ISSUER "log_level = warn\n", "not debug, info" },
	{ ISSUER "access_token_lifetime = 1h\n", "up to 900 s" },
	{ ISSUER "access_token_lifetime = 1s\n", "30s to 900s" },
	{ ISSUER "refresh_idle = 1m\n", "at least 1h" },
	{ ISSUER "grant_max = 1y\n", "not a time" },
	{ ISSUER "database = mysql://x\n", "not sqlite:PATH or postgresql" },
	{ ISSUER "database = postgresql://u:pw@h/d\n", "has a password; put it into ~/.pgpass" },
	{ ISSUER "database = postgresql://h/d?password=x\n", "has a password" },
	{ ISSUER "database = postgresql://h/d?pass%77ord=x\n", "has a password" },
	{ ISSUER "database = postgresql://h/d?%zz=1\n", "has a password" },
	{ ISSUER "database_url_file = nowhere\n", "no such file" },
	{ ISSUER "privacy_url = javascript:alert(1)\n", "not an https:// URL" },
	{ ISSUER "controller_contact = javascript:alert(1)\n", "not an https:// URL" },
	{ ISSUER "controller_name = \xff\n", "is not UTF-8 text" },
};

static void each_mistake_is_named_with_what_to_do(void **state)
{
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		CHECK_ERR(load(&place, refusals[i].text, NULL, &config), ERR_CONFIG);
		if (!str_contains(place.task.reason, str_from_c(refusals[i].reason)))
			print_error("\"%s\": %.*s\n", refusals[i].text, STR_FMT(place.task.reason));
		CHECK(str_contains(place.task.reason, str_from_c(refusals[i].reason)));
		CHECK(config == NULL);
	}
	place_end(&place);
}

/* What may be written there must not be what is run, read or believed at the next start. */
/* libinih would cut it, or take its end for a line of its own. */
static void a_line_has_198_bytes_at_most(void **state)
{
	static const char name[] = "controller_name = ";
	char text[sizeof(ISSUER) + 210];
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	for (size_t length = 190; length < 204; length++) {
		size_t at = strlen(ISSUER);

		memcpy(text, ISSUER, at);
		memset(text + at, 'x', length);
		memcpy(text + at, name, strlen(name));
		text[at + length] = '\0';
		CHECK_ERR(load(&place, text, NULL, &config), length <= 198 ? OK : ERR_CONFIG);
		if (config == NULL) {
			CHECK(str_contains(place.task.reason, STR("the line is too long")));
			continue;
		}
		CHECK(config->controller_name.len == length - strlen(name));
		config_free(&config);
	}
	place_end(&place);
}

static void backups_have_a_folder_of_their_own(void **state)
{
	static const char *const refused[] = {
		".",   "resources",    "resources/backups", "/",    "..",	 "backups/..",
		"tls", "share",	       "share/new",	    "link", "elsewhere", "db",
		"ca",  "new/../share",
	};
	static const char *const allowed[] = { "backups", "backups/deep", "elsewhere/new", "db/new",
					       "tls/new" };
	static const char *const folders[] = { "backups", "tls", "share", "elsewhere", "db", "ca" };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		CHECK(mkdir(place_at(&place, folders[i]).at, 0700) == 0);
	CHECK(symlink("share", place_at(&place, "link").at) == 0);
	for (size_t i = 0; i < COUNT_OF(refused) + COUNT_OF(allowed); i++) {
		bool is_refused = i < COUNT_OF(refused);
		const char *dir = is_refused ? refused[i] : allowed[i - COUNT_OF(refused)];
		struct str text = str_printf(
			&place.task.arena,
			"issuer = https://grantd.example\nshare_dir = share\n"
			"root_key_file = elsewhere/root.key\ndatabase = sqlite:db/grantd.db\n"
			"extra_ca_file = ca/extra.pem\nbackup_dir = %s\n",
			dir);
		enum err err = load(&place, text.at, NULL, &config);

		CHECK_ROW(err == (is_refused ? ERR_CONFIG : OK), "backup_dir = %s: %.*s\n", dir,
			  STR_FMT(place.task.reason));
		if (is_refused)
			CHECK(str_contains(place.task.reason, STR("backup_dir: ")));
		config_free(&config);
	}
	place_drop(&place, "link");
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		CHECK(rmdir(place_at(&place, folders[i]).at) == 0);
	place_end(&place);
}

static void all_problems_are_found_not_only_the_first(void **state)
{
	struct config_problems problems;
	struct config_source source = { .digest = sha256, .problems = &problems };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	source.dir = place.dir;
	place_write(&place, "grantd.conf", "issuer = http://x\nlops = 1\nplain = x\n", 0600);
	place_write(&place, "resources/mail.json", "{", 0600);
	CHECK_ERR(config_load(&place.task, &source, &config), ERR_CONFIG);
	CHECK(problems.count == 4);
	CHECK(str_contains(place.task.reason, STR("and 3 more: run grantd check")));
	place_end(&place);
}

static void the_environment_wins_over_the_file(void **state)
{
	static const char *const environment[] = { "HOME=/", "GRANTD_LOOPS=5", "GRANTDISH=1",
						   NULL };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(load(&place, ISSUER "loops = 3\n", environment, &config), OK);
	CHECK(config->loops == 5);
	config_free(&config);
	place_end(&place);
}

static void a_misspelt_variable_is_refused(void **state)
{
	static const char *const environment[] = { "GRANTD_LOPS=5", NULL };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(load(&place, ISSUER, environment, &config), ERR_CONFIG);
	CHECK_STR(place.task.reason,
		  STR("GRANTD_LOPS: no setting is called \"lops\"; did you mean \"loops\"?"));
	place_end(&place);
}

static void a_database_url_with_a_password_needs_a_private_file(void **state)
{
	static const char url[] = "postgresql://u:hunter2@h/d";
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	place_write(&place, "url", "postgresql://u:hunter2@h/d\n", 0644);
	CHECK_ERR(load(&place, ISSUER "database_url_file = url\n", NULL, &config), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("chmod 600")));
	CHECK(!str_contains(place.task.reason, STR("hunter2")));
	place_write(&place, "url", "postgresql://u:hunter2@h/d\n", 0600);
	CHECK_ERR(load(&place, ISSUER "database_url_file = url\n", NULL, &config), OK);
	CHECK_STR(config->database, str_from_c(url));
	config_free(&config);
	CHECK_ERR(load(&place, ISSUER "database_url_file = url\ndatabase = sqlite:x\n", NULL,
		       &config),
		  ERR_CONFIG);
	place_end(&place);
}

static void a_variable_can_name_a_file_with_its_value(void **state)
{
	const struct config *config = NULL;
	struct place place;
	const char *environment[2] = { NULL };

	(void)state;
	place_start(&place);
	place_write(&place, "url", "postgresql://u:hunter2@h/d", 0600);
	environment[0] = STR_JOIN(&place.task.arena, STR("GRANTD_DATABASE_FILE="),
				  place_at(&place, "url"))
				 .at;
	CHECK_ERR(load(&place, ISSUER, environment, &config), OK);
	CHECK_STR(config->database, STR("postgresql://u:hunter2@h/d"));
	config_free(&config);
	place_end(&place);
}

static void a_missing_directory_says_how_to_make_it(void **state)
{
	struct config_source source = { .dir = STR("/nonexistent/grantd"), .digest = sha256 };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(config_load(&place.task, &source, &config), ERR_CONFIG);
	CHECK(str_contains(place.task.reason, STR("grantd init --dir /nonexistent/grantd")));
	place_end(&place);
}

static void a_swapped_configuration_is_seen_and_the_old_one_stays_readable(void **state)
{
	const struct config *first = NULL, *second = NULL;
	struct config_live *live;
	struct place place;

	(void)state;
	place_start(&place);
	CHECK_ERR(load(&place, ISSUER "loops = 1\n", NULL, &first), OK);
	CHECK_ERR(load(&place, ISSUER "loops = 2\n", NULL, &second), OK);
	live = config_live_new(first);
	CHECK(config_current(live)->loops == 1);
	config_live_swap(live, second);
	CHECK(config_current(live)->loops == 2);
	CHECK(first->loops == 1);
	config_live_free(&live);
	CHECK(live == NULL);
	place_end(&place);
}

static void a_file_is_replaced_whole_and_a_stale_temporary_one_is_no_obstacle(void **state)
{
	struct place place;
	struct str text;

	(void)state;
	place_start(&place);
	place_write(&place, "other.new", "left by a crash", 0644);
	place_write(&place, "other", "first", 0600);
	CHECK(!file_exists(&place.task, place_at(&place, "other.new")));
	CHECK_ERR(file_read(&place.task, place_at(&place, "other"), 100, &text), OK);
	CHECK_STR(text, STR("first"));
	CHECK_ERR(file_check_private(&place.task, place_at(&place, "other")), OK);
	CHECK_ERR(file_read(&place.task, place_at(&place, "other"), 4, &text), ERR_CONFIG);
	CHECK_ERR(file_remove(&place.task, place_at(&place, "other")), OK);
	CHECK_ERR(file_remove(&place.task, place_at(&place, "other")), ERR_NOT_FOUND);
	place_end(&place);
}

/* Every one of them, so that a new setting is compared unless it is named here. */
static void what_nodes_are_compared_by_is_every_setting_that_is_not_a_node_s_own(void **state)
{
	static const struct str own = STR_INIT(
		" shared_loopback_host listen plain trusted_proxies ops_listen tls_cert tls_key"
		" database database_url_file database_pool database_queue root_key_file"
		" admin_socket admin_group share_dir extra_ca_file backup_dir sandbox loops"
		" log_level ");
	static const char *const values[] = {
		[SETTING_TEXT] = "x",		[SETTING_PATH] = "x",
		[SETTING_YES_NO] = "yes",	[SETTING_COUNT] = "7",
		[SETTING_DURATION] = "7",	[SETTING_WORDS] = "x",
		[SETTING_LEVEL] = "error",	[SETTING_POLICY] = "token",
		[SETTING_DEVICE_FLOW] = "open",
	};
	struct config plain = { 0 };
	struct place place;

	(void)state;
	place_start(&place);
	for (size_t i = 0; i < SETTINGS; i++) {
		struct arena *arena = &place.task.arena;
		struct buf before = buf_in(arena, 65536), after = buf_in(arena, 65536);
		struct config changed = plain;
		struct str name = STR_JOIN(arena, STR(" "), str_from_c(settings[i].name), STR(" "));
		struct str one, other;

		CHECK_ERR(setting_apply(&place.task, &settings[i], place.dir,
					str_from_c(values[settings[i].kind]), &changed),
			  OK);
		config_add_shared(&before, &plain);
		config_add_shared(&after, &changed);
		CHECK_ERR(buf_finish(&before, &one), OK);
		CHECK_ERR(buf_finish(&after, &other), OK);
		CHECK(str_equals(one, other) == str_contains(own, name));
	}
	place_end(&place);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_minimal_file_gets_every_default),
		   cmocka_unit_test(
			   what_nodes_are_compared_by_is_every_setting_that_is_not_a_node_s_own),
		   cmocka_unit_test(what_is_written_counts),
		   cmocka_unit_test(the_template_of_init_loads_and_says_the_same),
		   cmocka_unit_test(each_mistake_is_named_with_what_to_do),
		   cmocka_unit_test(a_line_has_198_bytes_at_most),
		   cmocka_unit_test(backups_have_a_folder_of_their_own),
		   cmocka_unit_test(all_problems_are_found_not_only_the_first),
		   cmocka_unit_test(the_environment_wins_over_the_file),
		   cmocka_unit_test(a_misspelt_variable_is_refused),
		   cmocka_unit_test(a_database_url_with_a_password_needs_a_private_file),
		   cmocka_unit_test(a_variable_can_name_a_file_with_its_value),
		   cmocka_unit_test(a_missing_directory_says_how_to_make_it),
		   cmocka_unit_test(a_swapped_configuration_is_seen_and_the_old_one_stays_readable),
		   cmocka_unit_test(
			   a_file_is_replaced_whole_and_a_stale_temporary_one_is_no_obstacle));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config/shared.h"

#include "config/settings.h"

/* By name, so that a new setting is shared unless somebody says that it is not. */
static const char *const own[] = {
	"shared_loopback_host", "listen",	 "plain",	   "trusted_proxies",
	"ops_listen",		"tls_cert",	 "tls_key",	   "database",
	"database_url_file",	"database_pool", "database_queue", "root_key_file",
	"admin_socket",		"admin_group",	 "share_dir",	   "extra_ca_file",
	"backup_dir",		"sandbox",	 "loops",	   "log_level",
};

struct words {
	const struct str *at;
	size_t count;
};

static bool is_own(const struct setting *setting)
{
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_equals(str_from_c(own[i]), str_from_c(setting->name)))
			return true;
	return false;
}

static void add_number(struct buf *text, int64_t number)
{
	buf_add_i64(text, number);
	buf_add_char(text, '\n');
}

static void add_line(struct buf *text, struct str line)
{
	buf_add(text, line);
	buf_add_char(text, '\n');
}

/* Its end is a line too: nothing moves from one list into the next. */
static void add_words(struct buf *text, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		add_line(text, words->at[i]);
	add_line(text, STR(""));
}

static void add_value(struct buf *text, const struct setting *setting, const void *place)
{
	switch (setting->kind) {
	case SETTING_TEXT:
	case SETTING_PATH:
		add_line(text, *(const struct str *)place);
		return;
	case SETTING_YES_NO:
		add_number(text, *(const bool *)place);
		return;
	case SETTING_DURATION:
		add_number(text, *(const int64_t *)place);
		return;
	case SETTING_WORDS:
		add_words(text, place);
		return;
	case SETTING_COUNT:
	case SETTING_LEVEL:
	case SETTING_POLICY:
	case SETTING_DEVICE_FLOW:
		break;
	}
	add_number(text, *(const unsigned *)place);
}

void config_add_shared(struct buf *text, const struct config *config)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (is_own(&settings[i]))
			continue;
		add_line(text, str_from_c(settings[i].name));
		add_value(text, &settings[i], (const char *)config + settings[i].offset);
	}
}

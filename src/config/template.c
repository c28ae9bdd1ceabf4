/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a new grantd.conf, made from the table of settings. */
#include "base/task.h"
#include "base/url.h"
#include "config/settings.h"

#define TEMPLATE_MAX (32 * 1024)

/* The port behind the issuer's: free wherever the issuer's own was chosen with care. */
static struct str ops_listen(struct task *task, struct str issuer)
{
	struct url url;
	uint64_t port;

	if (url_parse(issuer, &url) != OK || !str_to_u64(url.port, 65534, &port))
		return STR("127.0.0.1:8444");
	return str_printf(&task->arena, "127.0.0.1:%u", (unsigned)port + 1);
}

static void add_setting(struct buf *text, const struct setting *setting, struct str value)
{
	if (setting->help != NULL) {
		buf_add_c(text, "\n# ");
		buf_add_c(text, setting->help);
		buf_add_c(text, "\n");
	}
	if (value.at == NULL)
		buf_add_c(text, "#");
	buf_add_c(text, setting->name);
	buf_add_c(text, " =");
	if (value.at == NULL)
		value = str_from_c(setting->initial);
	if (value.len > 0)
		buf_add_char(text, ' ');
	buf_add(text, value);
	buf_add_c(text, "\n");
}

enum err config_template(struct task *task, struct str issuer, struct str database,
			 bool shared_loopback_host, struct str *ret_text)
{
	const struct {
		const char *name;
		struct str value;
	} chosen[] = { { "issuer", issuer },
		       { "database", database },
		       { "shared_loopback_host", shared_loopback_host ? STR("yes") : STR_NONE },
		       { "ops_listen", ops_listen(task, issuer) } };
	struct buf text = buf_in(&task->arena, TEMPLATE_MAX);

	buf_add_c(&text,
		  "# grantd.conf: what the operator decides; grantd(8), docs/operator.md.\n"
		  "# Lines that start with # show defaults. GRANTD_NAME in the environment wins "
		  "over a line\n"
		  "# here. `grantd check` says what is wrong; SIGHUP takes a change up.\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		struct str value = STR_NONE;

		for (size_t k = 0; k < COUNT_OF(chosen); k++)
			if (str_equals(str_from_c(settings[i].name), str_from_c(chosen[k].name)) &&
			    chosen[k].value.len > 0)
				value = chosen[k].value;
		add_setting(&text, &settings[i], value);
	}
	return buf_finish(&text, ret_text);
}

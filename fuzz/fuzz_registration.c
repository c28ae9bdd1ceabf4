/* SPDX-License-Identifier: Apache-2.0 */
/* An accepted registration keeps every promise of authority/registration_metadata.h. */
#include <stdint.h>
#include <stdlib.h>

#include "authority/registration_metadata.h"
#include "base/printable.h"
#include "base/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str schemes[] = { STR_INIT("cursor"), STR_INIT("vscode") };
static const struct registration_rules rules = { schemes, COUNT_OF(schemes), true, false };

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_client(struct task *task, struct client *client)
{
	client->id = STR("cli_aaaaaaaaaaaaaaaaaaaaaaaaaa");
	if (client->name.at == NULL)
		client->name = client->id;
	expect(client_check(task, client, schemes, COUNT_OF(schemes)) == OK);
	expect(client_allows(client, GRANT_AUTHORIZATION_CODE));
	expect(!client_allows(client, GRANT_CLIENT_CREDENTIALS));
	expect(client->scope.count <= SCOPES_MAX && str_is_printable(client->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str body = { (const char *)data, size };
	struct registration_wish wish = { 0 };
	json_t *kept = NULL;
	struct clock clock = { 0 };
	struct task task;
	enum err err;

	task_begin(&task, &clock, NULL);
	err = registration_parse(&task, &rules, body, &wish);
	if (err == OK) {
		check_client(&task, &wish.client);
		expect(json_parse(&task, wish.metadata, REGISTRATION_BODY_MAX, &kept) == OK);
		expect(json_get_str(kept, "application_type").len > 0);
		json_unref(&kept);
	} else {
		expect(err == ERR_METADATA || err == ERR_REDIRECT_URI ||
		       err == ERR_SOFTWARE_STATEMENT || err == ERR_TOO_LARGE);
		expect(task.reason.len > 0);
	}
	task_end(&task);
	return 0;
}

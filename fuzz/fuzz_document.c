/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line is a URL, the second what Cache-Control said, the rest the document there. What is
 * accepted is a client of that very URL, without a secret, that sends codes nowhere else than any
 * registered one.
 */
#include "model/document.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/task.h"
#include "base/url.h"
#include "model/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str schemes[] = { STR_INIT("listed") };

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool is_url(struct task *task, struct str text)
{
	struct url url;

	if (document_check_url(task, text, false) != OK) {
		expect(task->error == ERR_CLIENT_DOCUMENT && task->reason.len > 0);
		task_forgive(task);
		return false;
	}
	expect(document_is_meant(text) && text.len <= DOCUMENT_URL_MAX);
	expect(url_parse(text, &url) == OK && url_host_is_name(url.host));
	expect(url.path.len > 0 && url.fragment.at == NULL && url.userinfo.at == NULL);
	expect(str_equals(document_domain(text), url.host));
	expect(str_starts_with(document_host(text), url.host));
	expect(document_is_below(url.host, url.host) && !document_is_below(url.host, text));
	return true;
}

static void check_client(struct task *task, struct str url, const struct document *document)
{
	const struct client *client = &document->client;

	expect(str_equals(client->id, url) && client->secret_hash.at == NULL);
	expect((client->auth == CLIENT_AUTH_PRIVATE_KEY) ==
	       (client->jwks.at != NULL || client->jwks_uri.at != NULL));
	expect(client->jwks.at == NULL || client->jwks_uri.at == NULL);
	expect(!client_has_secret(client) && client_allows(client, GRANT_AUTHORIZATION_CODE));
	expect(!client_allows(client, GRANT_CLIENT_CREDENTIALS));
	expect(client->name.len > 0 && client->name.len <= DOCUMENT_URL_MAX);
	expect(client->redirect_count > 0 && client->redirect_count <= CLIENT_REDIRECTS);
	for (size_t i = 0; i < client->redirect_count; i++)
		expect(redirect_check(task, client->redirect_uris[i], schemes, COUNT_OF(schemes)) ==
		       OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str url = STR_NONE, cache_control = STR_NONE;
	struct str text = { (const char *)data, size };
	struct document document = { 0 };
	struct clock clock = { 0 };
	struct task task;
	int64_t life;

	task_begin(&task, &clock, NULL);
	(void)str_next(&text, '\n', &url);
	(void)str_next(&text, '\n', &cache_control);
	life = document_life(cache_control, url);
	expect(life >= 5 * MINUTE_MS && life <= DAY_MS);
	(void)document_is_json(cache_control);
	if (is_url(&task, url)) {
		enum err err = document_parse(&task, url, text, schemes, COUNT_OF(schemes),
					      &document);

		expect(err == OK || (err == ERR_CLIENT_DOCUMENT && task.reason.len > 0));
		if (err == OK)
			check_client(&task, url, &document);
	}
	task_end(&task);
	return 0;
}

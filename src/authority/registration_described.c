/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration_metadata.h"
#include "base/printable.h"
#include "base/task.h"
#include "base/url.h"

#define LINK_MAX     2048
#define WORD_MAX     256
#define CONTACTS_MAX 8

struct describing {
	struct task *task;
	const struct client *client;
	const json_t *said;
	json_t *kept;
};

struct str registration_text(const json_t *said, const char *name)
{
	struct str text = json_get_str(said, name);

	return text.len == 0 ? STR_NONE : text;
}

struct str registration_item(const json_t *list, size_t index)
{
	const json_t *item = json_array_get(list, index);

	return (struct str){ json_string_value(item), json_string_length(item) };
}

static struct str text_of(const struct describing *describing, const char *name)
{
	return registration_text(describing->said, name);
}

static void keep(const struct describing *describing, const char *name, struct str text)
{
	if (text.at != NULL)
		json_object_set_new(describing->kept, name, json_stringn(text.at, text.len));
}

/* Nobody fetches from it; but who follows it from a page should not be led inside. */
static enum err check_link(const struct describing *describing, const char *name)
{
	struct str link = text_of(describing, name);
	struct url url;

	if (link.at == NULL)
		return OK;
	if (link.len > LINK_MAX || url_parse(link, &url) != OK ||
	    !str_equals_nocase(url.scheme, STR("https")) || url.userinfo.at != NULL ||
	    !url_is_public(&url))
		return failf(describing->task, ERR_METADATA,
			     "%s must be an https URL of a public host", name);
	return OK;
}

static enum err take_links(const struct describing *describing)
{
	static const char *const links[] = { "client_uri", "logo_uri", "tos_uri", "policy_uri" };

	for (size_t i = 0; i < COUNT_OF(links); i++) {
		TRY(check_link(describing, links[i]));
		keep(describing, links[i], text_of(describing, links[i]));
	}
	return OK;
}

static enum err take_words(const struct describing *describing)
{
	static const char *const words[] = { "software_id", "software_version" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct str word = text_of(describing, words[i]);

		if (word.len > WORD_MAX || !str_is_printable(word))
			return failf(describing->task, ERR_METADATA,
				     "%s must have at most 256 bytes that people can see",
				     words[i]);
		keep(describing, words[i], word);
	}
	return OK;
}

static enum err take_contacts(const struct describing *describing)
{
	const json_t *list = json_object_get(describing->said, "contacts");
	json_t *kept;

	if (json_array_size(list) == 0)
		return OK;
	if (json_array_size(list) > CONTACTS_MAX)
		return fail(describing->task, ERR_METADATA, "contacts: at most 8");
	kept = json_array();
	json_object_set_new(describing->kept, "contacts", kept);
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str contact = registration_item(list, i);

		if (contact.len > WORD_MAX || !str_is_printable(contact))
			return fail(describing->task, ERR_METADATA,
				    "contacts: at most 256 bytes each that people can see");
		json_array_append_new(kept, json_stringn(contact.at, contact.len));
	}
	return OK;
}

/* OpenID Connect Registration 2: what it is, if it does not say, shows by where answers go. */
static enum err take_application_type(const struct describing *describing)
{
	struct str type = text_of(describing, "application_type");
	const struct client *client = describing->client;

	if (type.at == NULL) {
		type = STR("web");
		for (size_t i = 0; i < client->redirect_count; i++)
			if (!str_starts_with(client->redirect_uris[i], STR("https:")))
				type = STR("native");
	}
	if (!str_equals(type, STR("web")) && !str_equals(type, STR("native")))
		return fail(describing->task, ERR_METADATA,
			    "application_type must be web or native");
	keep(describing, "application_type", type);
	return OK;
}

static enum err take_signing(const struct describing *describing)
{
	struct str alg = text_of(describing, "id_token_signed_response_alg");

	if (alg.at != NULL && !str_equals(alg, STR("RS256")))
		return fail(describing->task, ERR_METADATA,
			    "id_token_signed_response_alg must be RS256");
	keep(describing, "id_token_signed_response_alg", alg);
	return OK;
}

enum err registration_describe(struct task *task, const json_t *said, const struct client *client,
			       json_t *kept)
{
	struct describing describing = { task, client, said, kept };

	TRY(take_links(&describing));
	TRY(take_words(&describing));
	TRY(take_contacts(&describing));
	TRY(take_application_type(&describing));
	return take_signing(&describing);
}

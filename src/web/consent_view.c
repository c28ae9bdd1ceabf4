/* SPDX-License-Identifier: Apache-2.0 */
#include "web/consent_view.h"

#include "crypto/base64.h"
#include "crypto/digest.h"
#include "web/agents.h"
#include "web/words.h"

/* what the words of a resource leave is enough for all others (config/resource.c) */
#define KEPT_MAX (64 * 1024)

void question_say(const struct question *question, struct data *object, const char *key,
		  struct str text)
{
	data_str(object, key, text);
	json_add_str(question->kept, text);
}

void question_say_item(const struct question *question, struct data *array, struct str text)
{
	data_item_str(array, text);
	json_add_str(question->kept, text);
}

struct str question_text(const struct question *question, const char *key, const struct data *data)
{
	return page_text(question->page, key, data);
}

/* Whose word we have for what an agent says of itself. */
struct claim {
	struct str kind;
	const char *heading;
	const char *proof;
};

static const struct claim *claim_of(const struct client *client)
{
	static const struct claim claims[] = {
		{ STR_INIT("operator"), "consent.heading", "consent.proof_operator" },
		/* also of a kind that nobody thought of here: nobody's */
		{ STR_INIT("registered"), "consent.heading_claims", "consent.proof_registered" },
	};

	for (size_t i = 0; i + 1 < COUNT_OF(claims); i++)
		if (str_equals(claims[i].kind, client->kind))
			return &claims[i];
	return &claims[COUNT_OF(claims) - 1];
}

/* Whose word there is for the name, and whether the answer can only reach them. */
static void add_proof(const struct question *question, struct data *data)
{
	const struct recognised *who = &question->view->who;
	const char *proof = claim_of(&question->view->client)->proof;
	struct data *publisher;

	if (who->host.at != NULL)
		proof = who->is_proven ? "consent.proof_published" : "consent.proof_claimed";
	/* a seal is for what somebody vouches for */
	data_str(data, "proof_icon",
		 who->is_operators || who->is_proven ? STR("seal") : STR("info"));
	data_str(data, "publisher_host", who->host.at == NULL ? STR("") : who->host);
	question_say(question, data, "proof", question_text(question, proof, data));
	if (str_is_empty(who->host))
		return;
	/* the host in three parts, so that who is behind it stands out: no sentence, but kept */
	publisher = data_object(data, "publisher");
	question_say(question, publisher, "word",
		     question_text(question, "consent.publisher", NULL));
	json_add_str(question->kept, who->host);
	data_str(publisher, "before",
		 str_sub(who->host, 0, (size_t)(who->domain.at - who->host.at)));
	data_str(publisher, "domain", who->domain);
	data_str(publisher, "behind",
		 str_from(who->host, (size_t)(who->domain.at - who->host.at) + who->domain.len));
}

/*
 * The answer leads to a device that the browser does not know: its code, who asked for it and when,
 * also when the address brought the code along (RFC 8628 3.3.1, 5.4). How long ago is no sentence,
 * as with installations.
 */
static void add_device(const struct question *question, struct data *data)
{
	const struct auth_request *request = &question->view->request;
	struct data *device = data_object(data, "device");

	data_str(data, "address", request->asked_from);
	question_say(question, device, "words", question_text(question, "consent.device", data));
	question_say(question, device, "code", question->view->user_code);
	question_say(question, device, "asked",
		     question_text(question, "consent.device_asked", data));
	words_time(question->page, data_object(device, "since"), request->created_at);
}

/* A name is only ever what the agent claims; whose word we have for it stands right below. */
static void add_agent(const struct question *question, struct data *data)
{
	const struct consent_view *view = question->view;
	const struct claim *claim = claim_of(&view->client);
	const char *heading = claim->heading;

	data_str(data, "agent_name", view->client.name);
	data_str(data, "agent_id", view->client.id);
	data_str(data, "user_name", view->user.username);
	data_str(data, "resource_title",
		 agents_resource_title(question->page, view->resource->uri));
	data_str(data, "host", view->redirect_host);
	words_monogram(question->page, data_object(data, "agent"), view->client.id,
		       view->client.name);
	question_say(question, data, "you", question_text(question, "consent.you", data));
	if (view->grant.id.len > 0)
		heading = "consent.heading_again";
	if (view->difference.is_same)
		heading = view->difference.already.count < view->request.scope.count
				  ? "consent.heading_more"
				  : "consent.heading_same";
	question_say(question, data, "switch", question_text(question, "consent.switch", NULL));
	question_say(question, data, "heading", question_text(question, heading, data));
	add_proof(question, data);
	if (view->difference.is_same)
		question_say(question, data, "same", question_text(question, "consent.same", data));
	if (auth_request_is_device(&view->request))
		return add_device(question, data);
	question_say(
		question, data, "sent",
		question_text(question,
			      view->redirect_is_loopback ? "consent.sent_loopback" : "consent.sent",
			      data));
}

/*
 * Answers can only go to a program on this computer, and nothing tells one from another: the secret
 * of who registered itself is anybody's who does the same.
 */
static bool is_anybody_here(const struct client *client)
{
	return client_has_only_loopback(client) &&
	       (client_is_public(client) || !client_is_operators(client));
}

/* Times of the request, not of the reading: who reads longer is asked the same. */
static bool is_new(const struct consent_view *view)
{
	return !client_is_operators(&view->client) && view->who.host.at == NULL &&
	       view->request.created_at - view->client.created_at < HOUR_MS;
}

static void add_warnings(const struct question *question, struct data *data)
{
	const struct consent_view *view = question->view;
	struct data *warnings = data_array(data, "warnings");

	if (auth_request_is_device(&view->request))
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_device", data));
	if (view->is_from_elsewhere)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_elsewhere", data));
	if (view->who.is_first)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_first", data));
	if (view->who.has_changed)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_changed", data));
	if (view->who.mixes_scripts)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_scripts", data));
	if (view->who.twin.at != NULL) {
		data_str(data, "twin_name", view->who.twin);
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_twin", data));
	}
	if (view->redirect_is_loopback)
		question_say_item(question, warnings,
				  question_text(question,
						is_anybody_here(&view->client)
							? "consent.warning_loopback_only"
							: "consent.warning_loopback",
						data));
	if (is_new(view))
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_new", data));
	if (view->grant.id.len > 0 && !view->difference.is_same)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_again", data));
	/* a yes un-pauses nothing */
	if (view->grant.operator_paused_at != 0)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_held", data));
	else if (grant_waits_after_restore(&view->grant))
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_restored", data));
	else if (view->grant.paused_at != 0)
		question_say_item(question, warnings,
				  question_text(question, "consent.warning_paused", data));
}

/*
 * Their times are no sentences: they change by themselves, and who reads longer must not be told
 * that the question is another one now.
 */
static void add_installations(const struct question *question, struct data *data)
{
	const struct consent_view *view = question->view;
	struct data *installed, *list;

	if (view->grant.id.len == 0 || view->difference.is_same)
		return;
	installed = data_object(data, "installed");
	question_say(question, installed, "words",
		     question_text(question, "consent.installed", data));
	question_say(question, installed, "since_word",
		     question_text(question, "agent.since", NULL));
	question_say(question, installed, "used_word", question_text(question, "agent.used", NULL));
	list = data_array(installed, "list");
	for (size_t i = 0; i < view->installation_count; i++) {
		const struct family *family = &view->installations[i];
		struct data *item = data_item(list);

		words_time(question->page, data_object(item, "since"), family->created_at);
		words_time(question->page, data_object(item, "used"), family->last_used_at);
	}
	if (data_count(list) == 0)
		data_str(installed, "none",
			 question_text(question, "agent.no_installations", NULL));
}

/* Who may act through the agent (RFC 8693): by name, as the operator registered them. */
static void add_delegates(const struct question *question, struct data *data)
{
	const struct consent_view *view = question->view;
	struct data *delegates, *list;

	if (view->client.delegates_to.count == 0)
		return;
	delegates = data_object(data, "delegates");
	question_say(question, delegates, "title",
		     question_text(question, "consent.delegates", NULL));
	question_say(question, delegates, "words",
		     question_text(question, "consent.delegates_words", data));
	list = data_array(delegates, "list");
	for (size_t i = 0; i < view->client.delegates_to.count; i++) {
		struct data *named = data_new_object(&question->page->task->arena);

		data_str(named, "name", view->delegates[i].name);
		data_str(named, "id", view->delegates[i].id);
		question_say_item(question, list,
				  question_text(question, "consent.delegate", named));
	}
}

static void add_durations(const struct question *question, struct data *data)
{
	int64_t max = question->view->duration_max;
	struct data *list = data_array(data, "durations");
	struct data *chosen = NULL;

	question_say(question, data, "how_long", question_text(question, "consent.how_long", data));
	for (size_t i = 0; i < duration_choice_count; i++) {
		const struct duration_choice *choice = &duration_choices[i];
		struct data *item;

		if (!duration_is_allowed(choice, max))
			continue;
		item = data_item(list);
		data_str(item, "value", str_from_c(choice->value));
		question_say(question, item, "text", question_text(question, choice->key, NULL));
		if (chosen == NULL || str_equals(str_from_c(choice->value), STR("7d")))
			chosen = item;
	}
	if (chosen != NULL)
		data_true(chosen, "checked");
	question_say(question, data, "away", question_text(question, "consent.away", data));
}

static void add_end(const struct question *question, struct data *data)
{
	const struct config *config = authority_config(question->page->authority);

	data_str(data, "issuer_host", config->issuer_host);
	question_say(question, data, "data_use", question_text(question, "consent.data_use", data));
	question_say(question, data, "deny", question_text(question, "consent.deny", NULL));
	question_say(question, data, "allow", question_text(question, "consent.allow", NULL));
	question_say(question, data, "change", question_text(question, "consent.change", data));
}

static enum err take_fingerprint(struct question *question)
{
	struct arena *arena = &question->page->task->arena;

	json_close(question->kept);
	TRY(buf_finish(question->kept->buf, &question->sentences));
	question->fingerprint = base64url_encode(
		arena,
		sha256_str(arena, STR_JOIN(arena, locale_tag(question->page->locale),
					   STR("\n" CONSENT_VERSION "\n"), question->sentences)));
	return OK;
}

static void keep_into(struct question *question)
{
	struct arena *arena = &question->page->task->arena;
	struct buf *text = NEW(arena, struct buf);

	*text = buf_in(arena, KEPT_MAX);
	question->kept = NEW(arena, struct json_writer);
	*question->kept = json_write_to(text);
	json_open_array(question->kept);
}

enum err question_build(struct page *page, const struct consent_view *view,
			struct question *question)
{
	struct data *data = data_object(page->data, "question");

	question->page = page;
	question->view = view;
	keep_into(question);
	question->scopes = data_array(data, "scopes");
	add_agent(question, data);
	add_warnings(question, data);
	add_installations(question, data);
	question_add_wants(question, data);
	add_delegates(question, data);
	add_durations(question, data);
	add_end(question, data);
	return take_fingerprint(question);
}

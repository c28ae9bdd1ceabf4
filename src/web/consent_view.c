/* SPDX-License-Identifier: Apache-2.0 */
#include "web/consent_view.h"

#include "crypto/base64.h"
#include "crypto/digest.h"
#include "web/agents.h"
#include "web/words.h"

#define KEPT_MAX (64 * 1024)

/* Puts text before the person, and keeps it. */
static void say(const struct question *question, json_t *object, const char *key, struct str text)
{
	data_str(object, key, text);
	json_add_str(question->kept, text);
}

static void say_item(const struct question *question, json_t *array, struct str text)
{
	data_item_str(array, text);
	json_add_str(question->kept, text);
}

static struct str text(const struct question *question, const char *key, const json_t *data)
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
static void add_proof(const struct question *question, json_t *data)
{
	const struct recognised *who = &question->view->who;
	const char *proof = claim_of(&question->view->client)->proof;
	json_t *publisher;

	if (who->host.at != NULL)
		proof = who->is_proven ? "consent.proof_published" : "consent.proof_claimed";
	/* a seal is for what somebody vouches for */
	data_str(data, "proof_icon",
		 who->is_operators || who->is_proven ? STR("seal") : STR("info"));
	data_str(data, "publisher_host", who->host.at == NULL ? STR("") : who->host);
	say(question, data, "proof", text(question, proof, data));
	if (str_is_empty(who->host))
		return;
	/* the host in three parts, so that who is behind it stands out: no sentence, but kept */
	publisher = data_object(data, "publisher");
	say(question, publisher, "word", text(question, "consent.publisher", NULL));
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
static void add_device(const struct question *question, json_t *data)
{
	const struct auth_request *request = &question->view->request;
	json_t *device = data_object(data, "device");

	data_str(data, "address", request->asked_from);
	say(question, device, "words", text(question, "consent.device", data));
	say(question, device, "code", question->view->user_code);
	say(question, device, "asked", text(question, "consent.device_asked", data));
	words_time(question->page, data_object(device, "since"), request->created_at);
}

/* A name is only ever what the agent claims; whose word we have for it stands right below. */
static void add_agent(const struct question *question, json_t *data)
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
	say(question, data, "you", text(question, "consent.you", data));
	if (view->grant.id.len > 0)
		heading = "consent.heading_again";
	say(question, data, "switch", text(question, "consent.switch", NULL));
	say(question, data, "heading", text(question, heading, data));
	add_proof(question, data);
	if (auth_request_is_device(&view->request))
		return add_device(question, data);
	say(question, data, "sent",
	    text(question, view->redirect_is_loopback ? "consent.sent_loopback" : "consent.sent",
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

static void add_warnings(const struct question *question, json_t *data)
{
	const struct consent_view *view = question->view;
	json_t *warnings = data_array(data, "warnings");

	if (auth_request_is_device(&view->request))
		say_item(question, warnings, text(question, "consent.warning_device", data));
	if (view->is_from_elsewhere)
		say_item(question, warnings, text(question, "consent.warning_elsewhere", data));
	if (view->who.is_first)
		say_item(question, warnings, text(question, "consent.warning_first", data));
	if (view->who.has_changed)
		say_item(question, warnings, text(question, "consent.warning_changed", data));
	if (view->who.mixes_scripts)
		say_item(question, warnings, text(question, "consent.warning_scripts", data));
	if (view->who.twin.at != NULL) {
		data_str(data, "twin_name", view->who.twin);
		say_item(question, warnings, text(question, "consent.warning_twin", data));
	}
	if (view->redirect_is_loopback)
		say_item(question, warnings,
			 text(question,
			      is_anybody_here(&view->client) ? "consent.warning_loopback_only"
							     : "consent.warning_loopback",
			      data));
	if (is_new(view))
		say_item(question, warnings, text(question, "consent.warning_new", data));
	if (view->grant.id.len > 0)
		say_item(question, warnings, text(question, "consent.warning_again", data));
	/* a yes un-pauses nothing */
	if (view->grant.operator_paused_at != 0)
		say_item(question, warnings, text(question, "consent.warning_held", data));
	else if (grant_waits_after_restore(&view->grant))
		say_item(question, warnings, text(question, "consent.warning_restored", data));
	else if (view->grant.paused_at != 0)
		say_item(question, warnings, text(question, "consent.warning_paused", data));
}

/*
 * Their times are no sentences: they change by themselves, and who reads longer must not be told
 * that the question is another one now.
 */
static void add_installations(const struct question *question, json_t *data)
{
	const struct consent_view *view = question->view;
	json_t *installed, *list;

	if (view->grant.id.len == 0)
		return;
	installed = data_object(data, "installed");
	say(question, installed, "words", text(question, "consent.installed", data));
	say(question, installed, "since_word", text(question, "agent.since", NULL));
	say(question, installed, "used_word", text(question, "agent.used", NULL));
	list = data_array(installed, "list");
	for (size_t i = 0; i < view->installation_count; i++) {
		const struct family *family = &view->installations[i];
		json_t *item = data_item(list);

		words_time(question->page, data_object(item, "since"), family->created_at);
		words_time(question->page, data_object(item, "used"), family->last_used_at);
	}
	if (json_array_size(list) == 0)
		data_str(installed, "none", text(question, "agent.no_installations", NULL));
}

/* The resource's words; OpenID Connect's scopes may stand beside those of any resource. */
static const struct resource_scope *find_scope(const struct question *question, struct str name)
{
	const struct resource_scope *scope = resource_find_scope(question->view->resource, name);

	if (scope == NULL)
		scope = resource_find_scope(&question->page->authority->issuer_resource, name);
	return scope;
}

static bool is_ours(const struct question *question, const struct resource_scope *scope)
{
	const struct resource *own = &question->page->authority->issuer_resource;

	return scope != NULL && resource_find_scope(own, scope->name) == scope;
}

/* What OpenID Connect asks for is worded by us, in the reader's language. */
static struct str own_text(const struct question *question, const struct resource_scope *scope,
			   struct str tail)
{
	struct str key = STR_JOIN(&question->page->task->arena, STR("scope."), scope->name, tail);

	return text(question, key.at, NULL);
}

static struct str title_of(const struct question *question, struct str name,
			   const struct resource_scope *scope)
{
	if (is_ours(question, scope))
		return own_text(question, scope, STR(""));
	return scope == NULL ? name : scope->title;
}

static void add_sentences(const struct question *question, json_t *item, const char *key,
			  const struct str *list, size_t count)
{
	json_t *array = data_array(item, key);

	for (size_t i = 0; i < count; i++)
		say_item(question, array, list[i]);
}

static bool is_ticked(const struct question *question, struct str risk)
{
	if (str_equals(risk, STR("read")))
		return true;
	/* another program of that name asks again, or one we cannot see: only reading is ticked */
	return str_equals(risk, STR("write")) && question->view->grant.id.len == 0 &&
	       !auth_request_is_device(&question->view->request);
}

/* RFC 9396: each element in full, in place of what the whole scope could do. */
static void add_only(const struct question *question, json_t *item, struct str scope)
{
	const struct consent_view *view = question->view;
	const struct details *details = &view->request.details;
	json_t *part = data_object(item, "can"), *list;

	say(question, part, "label",
	    text(question,
		 view->resource->enforced_by_gateway ? "consent.can_only"
						     : "consent.can_only_promised",
		 json_object_get(question->page->data, "question")));
	list = data_array(part, "list");
	for (size_t i = 0; i < details->count; i++)
		if (str_equals(details->items[i].scope, scope))
			say_item(question, list,
				 words_detail(question->page, view->resource, &details->items[i]));
}

static void add_scope(const struct question *question, json_t *group, struct str name,
		      const struct resource_scope *scope)
{
	json_t *item = data_item(json_object_get(group, "scopes"));
	const char *cannot = question->view->resource->enforced_by_gateway
				     ? "consent.cannot"
				     : "consent.cannot_promised";

	data_str(item, "name", name);
	if (is_ticked(question, json_get_str(group, "risk")))
		data_true(item, "checked");
	say(question, item, "title", title_of(question, name, scope));
	if (details_restrict(&question->view->request.details, name)) {
		add_only(question, item, name);
	} else if (scope != NULL && scope->can_count > 0) {
		json_t *part = data_object(item, "can");

		say(question, part, "label", text(question, "consent.can", NULL));
		if (is_ours(question, scope)) {
			struct str can = own_text(question, scope, STR(".can"));

			add_sentences(question, part, "list", &can, 1);
		} else {
			add_sentences(question, part, "list", scope->can, scope->can_count);
		}
	}
	if (scope != NULL && scope->cannot_count > 0) {
		json_t *part = data_object(item, "cannot");

		say(question, part, "label",
		    text(question, cannot, json_object_get(question->page->data, "question")));
		add_sentences(question, part, "list", scope->cannot, scope->cannot_count);
	}
	json_array_append(question->scopes, item);
}

static struct str risk_of(const struct resource_scope *scope)
{
	return scope == NULL ? STR("write") : scope->risk;
}

static void add_group(const struct question *question, json_t *groups, struct str risk)
{
	const struct scope_set *asked = &question->view->request.scope;
	struct arena *arena = &question->page->task->arena;
	json_t *group = NULL;

	for (size_t i = 0; i < asked->count; i++) {
		const struct resource_scope *scope = find_scope(question, asked->names[i]);

		if (!str_equals(risk_of(scope), risk))
			continue;
		if (group == NULL) {
			struct str key = STR_JOIN(arena, STR("risk."), risk);

			group = data_item(groups);
			data_str(group, "risk", risk);
			say(question, group, "word", text(question, key.at, NULL));
			data_array(group, "scopes");
		}
		add_scope(question, group, asked->names[i], scope);
	}
}

static void add_groups(const struct question *question, json_t *data)
{
	json_t *groups = data_array(data, "groups");

	say(question, data, "wants", text(question, "consent.wants", data));
	for (enum risk risk = RISK_READ; risk <= RISK_DELETE; risk++)
		add_group(question, groups, risk_name(risk));
}

/* Who may act through the agent (RFC 8693): by name, as the operator registered them. */
static void add_delegates(const struct question *question, json_t *data)
{
	const struct consent_view *view = question->view;
	json_t *delegates, *list;

	if (view->client.delegates_to.count == 0)
		return;
	delegates = data_object(data, "delegates");
	say(question, delegates, "title", text(question, "consent.delegates", NULL));
	say(question, delegates, "words", text(question, "consent.delegates_words", data));
	list = data_array(delegates, "list");
	for (size_t i = 0; i < view->client.delegates_to.count; i++) {
		CLEANUP(json_unref) json_t *named = json_object();

		data_str(named, "name", view->delegates[i].name);
		data_str(named, "id", view->delegates[i].id);
		say_item(question, list, text(question, "consent.delegate", named));
	}
}

static void add_durations(const struct question *question, json_t *data)
{
	int64_t max = question->view->duration_max;
	json_t *list = data_array(data, "durations");
	json_t *chosen = NULL;

	say(question, data, "how_long", text(question, "consent.how_long", data));
	for (size_t i = 0; i < duration_choice_count; i++) {
		const struct duration_choice *choice = &duration_choices[i];
		json_t *item;

		if (!duration_is_allowed(choice, max))
			continue;
		item = data_item(list);
		data_str(item, "value", str_from_c(choice->value));
		say(question, item, "text", text(question, choice->key, NULL));
		if (chosen == NULL || str_equals(str_from_c(choice->value), STR("7d")))
			chosen = item;
	}
	if (chosen != NULL)
		data_true(chosen, "checked");
	say(question, data, "away", text(question, "consent.away", data));
}

static void add_end(const struct question *question, json_t *data)
{
	const struct config *config = authority_config(question->page->authority);

	data_str(data, "issuer_host", config->issuer_host);
	say(question, data, "data_use", text(question, "consent.data_use", data));
	say(question, data, "deny", text(question, "consent.deny", NULL));
	say(question, data, "allow", text(question, "consent.allow", NULL));
	say(question, data, "change", text(question, "consent.change", data));
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
	json_t *data = data_object(page->data, "question");

	question->page = page;
	question->view = view;
	keep_into(question);
	question->scopes = data_array(data, "scopes");
	add_agent(question, data);
	add_warnings(question, data);
	add_installations(question, data);
	add_groups(question, data);
	add_delegates(question, data);
	add_durations(question, data);
	add_end(question, data);
	return take_fingerprint(question);
}

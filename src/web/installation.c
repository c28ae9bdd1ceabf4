/* SPDX-License-Identifier: Apache-2.0 */
/* /account/agents/{id}/installations/{family}: looking only; installation_change.c acts. */
#include "web/installation.h"

#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "store/clients.h"
#include "store/families.h"
#include "web/acting.h"
#include "web/agents.h"
#include "web/csrf.h"
#include "web/room.h"
#include "web/words.h"

#define KEPT_MAX   (64 * 1024)
#define OFFERS_MAX (48 * 1024) /* of which so much says what is offered, … */
#define LINE_COST  32	       /* … and each line takes as much besides */
#define WORDS_MAX  (24 * 1024) /* of one scope: 64 sentences of 300 bytes fit */

void installation_view_close(struct installation_view *view)
{
	json_unref(&view->kept);
}

/* Puts text before the person, and keeps it. */
static void say(const struct installation_view *view, json_t *object, const char *key,
		struct str text)
{
	data_str(object, key, text);
	data_item_str(view->kept, text);
}

static void say_list(const struct installation_view *view, json_t *array, const struct str *list,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		data_item_str(array, list[i]);
		data_item_str(view->kept, list[i]);
	}
}

static struct str until(const struct page *page, int64_t at)
{
	return at == NEVER ? page_text(page, "time.never", NULL) : words_exact(page, at);
}

static void add_offer(const struct page *page, const struct installation_view *view,
		      const struct resource_scope *scope)
{
	int64_t end = installation_offer_end(&view->grant, scope->name, page->task->now);
	const char *cannot = view->resource->enforced_by_gateway ? "consent.cannot"
								 : "consent.cannot_promised";
	struct str key = STR_JOIN(&page->task->arena, STR("risk."), scope->risk);
	json_t *item = data_item(view->offers);

	data_str(item, "scope", scope->name);
	data_str(item, "risk", scope->risk);
	data_str(item, "resource_title", view->resource->title);
	say(view, item, "word", page_text(page, key.at, NULL));
	say(view, item, "title", scope->title);
	data_str(item, "until", until(page, end));
	say(view, item, "ends", page_text(page, "installation.ends", item));
	if (scope->can_count > 0) {
		say(view, item, "can_label", page_text(page, "consent.can", NULL));
		say_list(view, data_array(item, "can"), scope->can, scope->can_count);
	}
	if (scope->cannot_count > 0) {
		say(view, item, "cannot_label", page_text(page, cannot, item));
		say_list(view, data_array(item, "cannot"), scope->cannot, scope->cannot_count);
	}
}

/* *left: of the room for offers; one that does not fit is not on the page. */
static enum err add_offer_if_it_fits(const struct page *page, const struct installation_view *view,
				     const struct resource_scope *scope, size_t *left)
{
	CLEANUP(json_unref) json_t *kept = json_array();
	struct installation_view alone = *view;
	struct str text = STR("");
	size_t cost;
	enum err err;

	alone.kept = kept;
	add_offer(page, &alone, scope);
	err = json_print(page->task, kept, WORDS_MAX, &text);
	cost = text.len + json_array_size(kept) * LINE_COST;
	if (err == OK && cost > *left)
		err = fail(page->task, ERR_TOO_LARGE, "the page has no room for it");
	if (err == ERR_TOO_LARGE)
		json_array_remove(view->offers, json_array_size(view->offers) - 1);
	TRY(err);
	*left -= cost;
	json_array_extend(view->kept, kept);
	return OK;
}

/* An agent asks for the rest by itself; and the other buttons stay, however much is offered. */
static enum err add_offers(const struct page *page, const struct installation_view *view,
			   json_t *more)
{
	size_t left = OFFERS_MAX;
	bool is_cut = false;
	struct scope_set offers = installation_offers(&page->task->arena, view->resource,
						      &view->client, &view->grant, &view->family,
						      page->task->now);

	for (size_t i = 0; i < offers.count; i++) {
		enum err err = add_offer_if_it_fits(
			page, view, resource_find_scope(view->resource, offers.names[i]), &left);

		if (err != OK && err != ERR_TOO_LARGE)
			return err;
		is_cut = is_cut || err != OK;
		task_forgive(page->task);
	}
	if (is_cut)
		say(view, more, "cut", page_text(page, "installation.more_cut", NULL));
	return OK;
}

/* What the resource of OpenID Connect offers, an agent asks for by itself. */
static enum err add_question(const struct page *page, struct installation_view *view,
			     json_t *installation)
{
	struct arena *arena = &page->task->arena;
	json_t *more = data_object(installation, "more");

	view->kept = json_array();
	view->offers = data_array(more, "offers");
	say(view, more, "heading", page_text(page, "installation.more", NULL));
	say(view, more, "hint", page_text(page, "installation.more_hint", more));
	if (view->resource != NULL && view->resource != &page->authority->issuer_resource)
		TRY(add_offers(page, view, more));
	say(view, more, "allow", page_text(page, "installation.allow_more", NULL));
	TRY(json_print(page->task, view->kept, KEPT_MAX, &view->sentences));
	view->fingerprint = base64url_encode(
		arena,
		sha256_str(arena, STR_JOIN(arena, locale_tag(page->locale),
					   STR("\n" INSTALLATION_VERSION "\n"), view->sentences)));
	data_str(more, "shown", view->fingerprint);
	if (json_array_size(view->offers) == 0)
		json_object_del(installation, "more");
	return OK;
}

/* In the order in which they came, as the agent's page numbers them. */
static enum err number_of(const struct page *page, struct db *db, const struct family *family,
			  int64_t *ret_number)
{
	struct family *families = NULL;
	size_t count = 0;

	TRY(family_list(page->task, db, family->grant_id, &families, &count));
	for (size_t i = 0; i < count; i++)
		if (str_equals(families[i].id, family->id))
			*ret_number = (int64_t)(count - i);
	return OK;
}

static enum err describe(struct page *page, struct db *db, const struct family *family,
			 json_t *item)
{
	struct installation known;
	int64_t number = 0;

	TRY(number_of(page, db, family, &number));
	TRY(installation_read(page->task, page->authority, &page->user, family, &known));
	data_str(item, "family_id", family->id);
	data_int(item, "number", number);
	data_str(item, "own_name", known.name);
	data_str(page->data, "installation_name",
		 str_is_empty(known.name) ? page_text(page, "agent.installation", item)
					  : known.name);
	data_str(item, "first_address", known.first_address);
	data_str(item, "last_address", known.last_address);
	data_int(item, "name_max", INSTALLATION_NAME_MAX);
	words_time(page, data_object(item, "since"), family->created_at);
	words_time(page, data_object(item, "used"), family->last_used_at);
	if (family->paused_at != 0)
		data_true(item, "is_paused_alone");
	if (family->key_thumbprint.at != NULL)
		data_true(item, "is_bound");
	return OK;
}

static void add_powers(const struct installation_view *view, const json_t *agent, json_t *item)
{
	const json_t *scopes = json_object_get(agent, "scopes");
	json_t *powers = data_array(item, "powers");

	for (size_t i = 0; i < json_array_size(scopes); i++) {
		json_t *scope = json_array_get(scopes, i);

		if (scope_has(view->family.ceiling, json_get_str(scope, "scope")))
			json_array_append(powers, scope);
	}
}

enum err installation_view_open(struct page *page, struct installation_view *view)
{
	const struct request *request = &page->exchange->request;
	json_t *agent = data_object(page->data, "agent");
	json_t *item = data_object(page->data, "installation");
	struct db *db = NULL;

	TRY(store_reader(page->task, page->authority->store, &db));
	TRY(agents_find(page, db, request->params[0], &view->grant));
	if (!id_is_valid(request->params[1], "fam_"))
		return fail(page->task, ERR_NOT_FOUND, "no such installation");
	TRY(family_find(page->task, db, request->params[1], &view->family));
	if (!str_equals(view->family.grant_id, view->grant.id) ||
	    !family_is_live(&view->family, page->task->now) || view->grant.revoked_at != 0 ||
	    view->grant.expires_at <= page->task->now)
		return fail(page->task, ERR_NOT_FOUND, "no such installation");
	TRY(client_find(page->task, db, view->grant.client_id, &view->client));
	view->resource = authority_resource(page->authority, view->grant.resource);
	TRY(agents_describe(page, db, &view->grant, agent));
	TRY(agents_add_scopes(page, &view->grant, &(struct agents_installed){ &view->family, 1 },
			      agent));
	TRY(describe(page, db, &view->family, item));
	add_powers(view, agent, item);
	return add_question(page, view, item);
}

struct str installation_purpose(struct arena *arena, const struct family *family,
				struct str fingerprint)
{
	return STR_JOIN(arena, STR("widen:"), family->id, STR(":"), fingerprint);
}

enum err installation_send(struct page *page, const struct installation_view *view, unsigned status)
{
	struct arena *arena = &page->task->arena;

	csrf_add(page, STR_JOIN(arena, STR("installation:"), view->family.id));
	data_str(page->data, "csrf_more",
		 csrf_token(page, installation_purpose(arena, &view->family, view->fingerprint)));
	return page_send(page, status, "installation", "installation.title");
}

enum err web_installation(struct exchange *exchange)
{
	CLEANUP(page_close) struct page page = { 0 };
	CLEANUP(installation_view_close) struct installation_view view = { 0 };

	TRY(page_open_signed_in(exchange, &page));
	TRY(installation_view_open(&page, &view));
	TRY(acting_add_done(&page));
	return installation_send(&page, &view, 200);
}

enum err installation_words(const struct page *page, const struct installation_view *view,
			    struct str scope, struct str *ret_json)
{
	CLEANUP(json_unref) json_t *words = json_object();

	for (size_t i = 0; i < json_array_size(view->offers); i++) {
		const json_t *item = json_array_get(view->offers, i);

		if (!str_equals(json_get_str(item, "scope"), scope))
			continue;
		data_str(words, "title", json_get_str(item, "title"));
		if (json_object_get(item, "can") != NULL)
			json_object_set(words, "can", json_object_get(item, "can"));
		if (json_object_get(item, "cannot") != NULL)
			json_object_set(words, "cannot", json_object_get(item, "cannot"));
		return json_print(page->task, words, WORDS_MAX, ret_json);
	}
	*ret_json = STR("{}");
	return OK;
}

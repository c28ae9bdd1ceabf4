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

/* Puts text before the person, and keeps it. */
static void say(const struct installation_view *view, struct data *object, const char *key,
		struct str text)
{
	data_str(object, key, text);
	data_item_str(view->kept, text);
}

static void say_list(const struct installation_view *view, struct data *array,
		     const struct str *list, size_t count)
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
	struct data *item = data_item(view->offers);

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
	struct data *kept = data_new_array(&page->task->arena);
	struct installation_view alone = *view;
	struct str text = STR("");
	size_t cost;
	enum err err;

	alone.kept = kept;
	add_offer(page, &alone, scope);
	err = data_print(page->task, kept, WORDS_MAX, &text);
	cost = text.len + data_count(kept) * LINE_COST;
	if (err == OK && cost > *left)
		err = fail(page->task, ERR_TOO_LARGE, "the page has no room for it");
	if (err == ERR_TOO_LARGE)
		data_remove_last(view->offers);
	TRY(err);
	*left -= cost;
	data_items_share(view->kept, kept);
	return OK;
}

/* An agent asks for the rest by itself; and the other buttons stay, however much is offered. */
static enum err add_offers(const struct page *page, const struct installation_view *view,
			   struct data *more)
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
			     struct data *installation)
{
	struct arena *arena = &page->task->arena;
	struct data *more = data_object(installation, "more");

	view->kept = data_new_array(arena);
	view->offers = data_array(more, "offers");
	say(view, more, "heading", page_text(page, "installation.more", NULL));
	say(view, more, "hint", page_text(page, "installation.more_hint", more));
	if (view->resource != NULL && view->resource != &page->authority->issuer_resource)
		TRY(add_offers(page, view, more));
	say(view, more, "allow", page_text(page, "installation.allow_more", NULL));
	TRY(data_print(page->task, view->kept, KEPT_MAX, &view->sentences));
	view->fingerprint = base64url_encode(
		arena,
		sha256_str(arena, STR_JOIN(arena, locale_tag(page->locale),
					   STR("\n" INSTALLATION_VERSION "\n"), view->sentences)));
	data_str(more, "shown", view->fingerprint);
	if (data_count(view->offers) == 0)
		data_remove(installation, "more");
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
			 struct data *item)
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

static void add_powers(const struct installation_view *view, const struct data *agent,
		       struct data *item)
{
	const struct data *scopes = data_get(agent, STR("scopes"));
	struct data *powers = data_array(item, "powers");

	for (const struct data *scope = data_first(scopes); scope != NULL; scope = data_next(scope))
		if (scope_has(view->family.ceiling, data_get_str(scope, "scope")))
			data_item_share(powers, scope);
}

enum err installation_view_open(struct page *page, struct installation_view *view)
{
	const struct request *request = &page->exchange->request;
	struct data *agent = data_object(page->data, "agent");
	struct data *item = data_object(page->data, "installation");
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
	struct page page = { 0 };
	struct installation_view view = { 0 };

	TRY(page_open_signed_in(exchange, &page));
	TRY(installation_view_open(&page, &view));
	TRY(acting_add_done(&page));
	return installation_send(&page, &view, 200);
}

enum err installation_words(const struct page *page, const struct installation_view *view,
			    struct str scope, struct str *ret_json)
{
	struct data *words = data_new_object(&page->task->arena);

	for (const struct data *item = data_first(view->offers); item != NULL;
	     item = data_next(item)) {
		const struct data *can = data_get(item, STR("can"));
		const struct data *cannot = data_get(item, STR("cannot"));

		if (!str_equals(data_get_str(item, "scope"), scope))
			continue;
		data_str(words, "title", data_get_str(item, "title"));
		if (can != NULL)
			data_share(words, "can", can);
		if (cannot != NULL)
			data_share(words, "cannot", cannot);
		return data_print(page->task, words, WORDS_MAX, ret_json);
	}
	*ret_json = STR("{}");
	return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/installation.h"

#include "authority/events.h"
#include "authority/recognise.h"
#include "authority/scope_choice.h"
#include "authority/seen.h"
#include "authority/stop.h"
#include "base/printable.h"
#include "crypto/random.h"
#include "model/permission_words.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/users.h"
#include "store/widenings.h"

#define PERSONAL_MAX (128 * 1024)
#define DETAILS_MAX  (32 * 1024)

/* One act on one installation: prepared with reads, written in one transaction with its event. */
struct act {
	const struct authority *authority;
	const struct actor *actor;
	const struct widening *widening; /* of installation_widen */
	struct grant grant;
	struct family family;
	struct user user;
	struct client client;
	struct str sealed_name; /* STR_NONE: takes it away */
	int64_t paused_at;
	struct event event;
};

static enum err refuse_unknown(struct task *task)
{
	return fail(task, ERR_NOT_FOUND, "there is no such installation");
}

static enum err check_owner(struct task *task, const struct actor *actor, const struct act *act)
{
	if (!str_equals(act->grant.user_id, actor->user_id) ||
	    !str_equals(act->family.grant_id, act->grant.id))
		return refuse_unknown(task);
	if (!family_is_live(&act->family, task->now) || act->grant.revoked_at != 0 ||
	    act->grant.expires_at <= task->now)
		return fail(task, ERR_CONFLICT, "this installation is over");
	return OK;
}

static enum err open_act(struct task *task, const struct authority *authority,
			 const struct actor *actor, const struct installation_named *named,
			 struct act **ret_act)
{
	struct act *act = NEW(&task->arena, struct act);
	struct db *db = NULL;

	act->authority = authority;
	act->actor = actor;
	if (actor->user_id.at == NULL)
		return fail(task, ERR_FORBIDDEN, "only the person does that");
	if (!id_is_valid(named->grant_id, "gra_") || !id_is_valid(named->family_id, "fam_"))
		return refuse_unknown(task);
	TRY(store_reader(task, authority->store, &db));
	TRY(grant_find(task, db, named->grant_id, &act->grant));
	TRY(family_find(task, db, named->family_id, &act->family));
	TRY(check_owner(task, actor, act));
	TRY(user_find(task, db, act->grant.user_id, &act->user));
	TRY(client_find(task, db, act->grant.client_id, &act->client));
	*ret_act = act;
	return OK;
}

static void name_event(struct task *task, struct act *act, struct str kind)
{
	act->event = event_new(task, kind, act->actor->kind);
	act->event.client_id = act->grant.client_id;
	act->event.grant_id = act->grant.id;
	act->event.family_id = act->family.id;
	act->event.resource = act->grant.resource;
	act->event.request_id = act->actor->request_id;
}

/* name: STR_NONE: none. */
static enum err seal_event(struct task *task, struct act *act, struct str name)
{
	struct buf buf = buf_in(&task->arena, PERSONAL_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str personal;

	json_open_object(&json);
	json_member_str(&json, "address", act->actor->address);
	if (name.at != NULL)
		json_member_str(&json, "name", name);
	json_close(&json);
	TRY(buf_finish(&buf, &personal));
	return event_seal(task, act->authority, &act->user, personal, &act->event);
}

static struct seal_place name_place(struct str user_id, struct str family_id, int64_t named_at)
{
	return (struct seal_place){
		.table = STR("families"),
		.row = family_id,
		.column = STR("sealed_name"),
		.user_id = user_id,
		.version = named_at,
	};
}

enum err installation_read(struct task *task, const struct authority *authority,
			   const struct user *user, const struct family *family,
			   struct installation *ret_installation)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct installation installation = { .name = STR("") };
	struct family_about about = { 0 };
	struct seal_place place;
	struct db *db = NULL;

	TRY(store_reader(task, authority->store, &db));
	TRY(family_find_about(task, db, family->id, &about));
	TRY(seen_read(task, authority, user, &about, &installation.first_address,
		      &installation.last_address));
	if (about.sealed_name.at != NULL) {
		place = name_place(user->id, family->id, about.named_at);
		TRY(keys_unseal(task, authority->keys, user->wrapped_key, &place, about.sealed_name,
				&plain));
		installation.name = str_copy(&task->arena, secret_reveal(&plain));
	}
	*ret_installation = installation;
	return OK;
}

static size_t count_characters(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.at[i] & 0xC0) != 0x80;
	return count;
}

static enum err check_name(struct task *task, struct str name)
{
	if (!str_is_text(name) || !str_is_printable(name))
		return fail(task, ERR_REQUEST, "the name has characters that nobody would see");
	if (count_characters(name) > INSTALLATION_NAME_MAX)
		return fail(task, ERR_REQUEST, "a name has at most 60 characters");
	return OK;
}

static enum err write_name(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;

	TRY(family_set_name(task, db, act->family.id, act->sealed_name, task->now));
	return event_insert(task, db, &act->event);
}

enum err installation_name(struct task *task, const struct authority *authority,
			   const struct actor *actor, const struct installation_named *named,
			   struct str name)
{
	struct str text = str_trim(name.at == NULL ? STR("") : name);
	struct seal_place place;
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, named, &act));
	TRY(check_name(task, text));
	name_event(task, act, STR("family.named"));
	TRY(seal_event(task, act, text));
	place = name_place(act->user.id, act->family.id, task->now);
	if (!str_is_empty(text))
		TRY(keys_seal(task, authority->keys, act->user.wrapped_key, &place, text,
			      &act->sealed_name));
	return store_write(task, authority->store, write_name, act);
}

static enum err write_pause(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;

	TRY(family_set_paused(task, db, act->family.id, act->paused_at));
	if (act->paused_at != 0)
		TRY(stop_queue(task, db, act->authority, &act->grant, act->user.username));
	return event_insert(task, db, &act->event);
}

enum err installation_pause(struct task *task, const struct authority *authority,
			    const struct actor *actor, const struct installation_named *named)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, named, &act));
	if (act->family.paused_at != 0)
		return OK;
	act->paused_at = task->now;
	name_event(task, act, STR("family.paused"));
	TRY(seal_event(task, act, STR_NONE));
	return store_stop(task, authority->store, write_pause, act);
}

enum err installation_resume(struct task *task, const struct authority *authority,
			     const struct actor *actor, const struct installation_named *named)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, named, &act));
	if (act->family.paused_at == 0)
		return OK;
	name_event(task, act, STR("family.resumed"));
	TRY(seal_event(task, act, STR_NONE));
	return store_write(task, authority->store, write_pause, act);
}

struct scope_set installation_offers(struct arena *arena, const struct resource *resource,
				     const struct client *client, const struct grant *grant,
				     const struct family *family, int64_t now)
{
	struct scope_set ceiling = client_ceiling(client);
	struct scope_set has = scope_intersect(arena, grant_scopes_at(arena, grant, now),
					       family->ceiling);
	struct str *names = NEW_ARRAY(arena, struct str, SCOPES_MAX);
	struct scope_set offers = { .names = names };

	for (size_t i = 0; i < resource->scope_count && offers.count < SCOPES_MAX; i++) {
		struct str name = resource->scopes[i].name;

		if (!scope_has(has, name) && (ceiling.count == 0 || scope_has(ceiling, name)))
			names[offers.count++] = name;
	}
	return offers;
}

int64_t installation_offer_end(const struct grant *grant, struct str scope, int64_t now)
{
	const struct permission *live = grant_permission_at(grant, scope, now);

	return live == NULL ? grant->expires_at : live->expires_at;
}

static enum err check_widening(struct task *task, const struct act *act)
{
	const struct resource *resource = authority_resource(act->authority, act->grant.resource);
	const struct scope_set *ticked = &act->widening->scope;

	if (ticked->count == 0)
		return fail(task, ERR_REQUEST, "nothing is ticked");
	/* what the resource of OpenID Connect has, an agent asks for by itself */
	if (resource == NULL || resource == &act->authority->issuer_resource)
		return fail(task, ERR_CONFLICT, "the resource offers nothing more");
	if (!scope_contains(installation_offers(&task->arena, resource, &act->client, &act->grant,
						&act->family, task->now),
			    *ticked))
		return fail(task, ERR_REQUEST, "this was not offered");
	if (scope_text(&task->arena, scope_union(&task->arena, act->family.ceiling, *ticked)).len >
	    SCOPE_ASKED_MAX)
		return fail(task, ERR_REQUEST, "more than a token can carry");
	return OK;
}

/* Per scope, for each has its own. */
static void add_ends(struct task *task, struct json_writer *json, const struct act *act)
{
	const struct scope_set *ticked = &act->widening->scope;

	json_key(json, "expires_at");
	json_open_object(json);
	for (size_t i = 0; i < ticked->count; i++) {
		int64_t end = installation_offer_end(&act->grant, ticked->names[i], task->now);

		if (end != NEVER)
			json_member_str(json, str_to_c(&task->arena, ticked->names[i]),
					clock_format(&task->arena, end));
	}
	json_close(json);
}

/*
 * The agent's identity is not on that page: it stays the one that was consented to, so that a
 * change since is said when the person is next asked.
 */
static enum err describe_widening(struct task *task, struct act *act)
{
	const struct widening *widening = act->widening;
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str identity = STR_NONE;
	struct db *db = NULL;

	TRY(store_reader(task, act->authority->store, &db));
	TRY(recognise_consented(task, db, &act->grant, &identity));
	json_open_object(&json);
	json_member_str(&json, "scope", scope_text(&task->arena, widening->scope));
	add_ends(task, &json, act);
	if (!str_is_empty(identity))
		json_member_str(&json, "identity", identity);
	json_member_str(&json, "language", widening->language);
	json_member_str(&json, "version", widening->version);
	json_close(&json);
	return buf_finish(&buf, &act->event.details);
}

/* GDPR Art. 7(1), as for a consent. */
static enum err seal_sentences(struct task *task, struct act *act)
{
	struct buf buf = buf_in(&task->arena, PERSONAL_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str personal;

	json_open_object(&json);
	json_key(&json, "sentences");
	json_add_raw(&json, act->widening->sentences);
	json_member_str(&json, "address", act->actor->address);
	json_member_str(&json, "user_agent", act->widening->user_agent);
	json_close(&json);
	TRY(buf_finish(&buf, &personal));
	return event_seal(task, act->authority, &act->user, personal, &act->event);
}

/* What the grant has stays as it was given, but in the words of all who can something of it. */
static enum err join_words(struct task *task, struct str offered, struct permission *permission)
{
	enum err err = permission_words_join(task, offered, permission->words, &permission->words);

	if (err != ERR_TOO_LARGE)
		return err;
	task_forgive(task);
	permission->words = offered; /* the whole is beyond all its parts */
	return OK;
}

/* Of what is ticked: what the grant has, and what it has not, or not any more. */
static enum err new_permissions(struct task *task, const struct act *act, const struct grant *now,
				struct grant *ret_grant)
{
	const struct scope_set *ticked = &act->widening->scope;
	struct permission *permissions = NEW_ARRAY(&task->arena, struct permission, ticked->count);
	struct grant grant = *now;

	grant.updated_at = task->now;
	grant.permissions = permissions;
	grant.permission_count = ticked->count;
	for (size_t i = 0; i < ticked->count; i++) {
		const struct permission *live = grant_permission_at(now, ticked->names[i],
								    task->now);

		if (live != NULL) {
			permissions[i] = *live;
			TRY(join_words(task, act->widening->words[i], &permissions[i]));
			continue;
		}
		permissions[i] = (struct permission){
			.scope = ticked->names[i],
			.mode = MODE_ALLOW,
			.expires_at = now->expires_at,
			.words = act->widening->words[i],
			.consent_event = act->event.id,
			.granted_at = task->now,
		};
	}
	*ret_grant = grant;
	return OK;
}

/*
 * As it stands now: person, families and grant are taken in the order of all who take them. All the
 * families, for the others lose what comes back for this one.
 */
static enum err take_all(struct task *task, struct db *db, const struct act *act, struct act *now)
{
	struct family *families = NULL;
	bool is_active = false;
	size_t count = 0;

	TRY(user_take(task, db, act->user.id, &is_active));
	if (!is_active)
		return fail(task, ERR_CONFLICT, "this account is disabled");
	TRY(family_take_all(task, db, act->grant.id, &families, &count));
	TRY(family_find(task, db, act->family.id, &now->family));
	TRY(grant_take(task, db, act->grant.id));
	TRY(grant_find(task, db, act->grant.id, &now->grant));
	TRY(client_find(task, db, act->grant.client_id, &now->client));
	return check_owner(task, act->actor, now);
}

/* What the person read must be true of what is written. */
static enum err check_again(struct task *task, const struct act *act, const struct act *now)
{
	const struct scope_set *ticked = &act->widening->scope;

	TRY(check_widening(task, now));
	for (size_t i = 0; i < ticked->count; i++)
		if (installation_offer_end(&now->grant, ticked->names[i], task->now) !=
		    installation_offer_end(&act->grant, ticked->names[i], task->now))
			return fail(task, ERR_CONFLICT, "it ends at another time meanwhile");
	return OK;
}

/* It gets all of a scope, as the page said, also where it had only some operations of it once. */
static void widen_family(struct task *task, struct family *family, struct scope_set ticked)
{
	struct str *names = NEW_ARRAY(&task->arena, struct str, family->ceiling.count);
	struct scope_set others = { .names = names };

	for (size_t i = 0; i < family->ceiling.count; i++)
		if (!scope_has(ticked, family->ceiling.names[i]))
			names[others.count++] = family->ceiling.names[i];
	family->details = details_within(&task->arena, &family->details, others);
	family->ceiling = scope_union(&task->arena, family->ceiling, ticked);
}

static enum err write_wider(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;
	struct act *now = NEW(&task->arena, struct act);
	struct str grant_id = STR_NONE;
	struct grant grant;

	*now = *act;
	TRY(take_all(task, db, act, now));
	TRY(check_again(task, act, now));
	TRY(new_permissions(task, act, &now->grant, &grant));
	TRY(grant_put(task, db, &grant, &grant_id));
	widen_family(task, &now->family, act->widening->scope);
	TRY(family_set_ceiling(task, db, &now->family));
	TRY(widening_put(task, db, &now->family, act->widening->scope, act->event.id));
	return event_insert(task, db, &act->event);
}

enum err installation_widen(struct task *task, const struct authority *authority,
			    const struct actor *actor, const struct widening *widening)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, &widening->named, &act));
	act->widening = widening;
	TRY(check_widening(task, act));
	name_event(task, act, STR("family.widened"));
	TRY(describe_widening(task, act));
	TRY(seal_sentences(task, act));
	return store_write(task, authority->store, write_wider, act);
}

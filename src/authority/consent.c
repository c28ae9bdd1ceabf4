/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/consent.h"

#include "authority/ceilings.h"
#include "authority/documents.h"
#include "authority/events.h"
#include "authority/request.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/grants.h"
#include "store/requests.h"
#include "store/users.h"

#define PERSONAL_MAX (128 * 1024)

/* an agent's id is a name of that set too, and none of its characters is escaped */
_Static_assert(CLIENT_ID_MAX <= SCOPE_NAME_MAX && CLIENT_DELEGATES <= SCOPES_MAX,
	       "who may act through the agent is told of in the room of a scope");

struct deciding {
	const struct authority *authority;
	const struct consent_view *view;
	const struct consent_answer *answer;
	struct auth_request decided;
	struct grant grant;
	struct key_sealed sealed;
	struct str code;
	struct event event;
	bool user_gone;		  /* disabled in another tab: denied, whatever was clicked */
	struct auth_request twin; /* how it was answered while this answer was prepared */
};

static struct str decision_text(struct arena *arena, const struct consent_answer *answer)
{
	if (!answer->allow)
		return STR("deny");
	return STR_JOIN(arena, STR("allow|"), answer->duration, STR("|"),
			scope_text(arena, answer->scope));
}

/* The code is derived, so that the same decision again gets the same code (DESIGN 5). */
static struct str code_input(struct arena *arena, struct str request_id, struct str decision)
{
	return STR_JOIN(arena, request_id, STR("\0"), decision);
}

static struct str code_text(struct arena *arena, const uint8_t tag[SHA256_LEN])
{
	return STR_JOIN(arena, STR("gac_"),
			base64url_encode(arena, (struct str){ (const char *)tag, SHA256_LEN }));
}

static enum err make_code_again(struct task *task, const struct authority *authority,
				const struct auth_request *request, struct str *ret_code)
{
	uint8_t tag[SHA256_LEN];

	TRY(keys_mac(task, authority->keys, MAC_CODE,
		     code_input(&task->arena, request->id, request->decision), tag));
	*ret_code = code_text(&task->arena, tag);
	return OK;
}

static enum err location_for(struct task *task, const struct authority *authority,
			     const struct auth_request *request, struct str code,
			     struct str *ret_location)
{
	struct authorize_answer answer = {
		.redirect_uri = request->redirect_uri,
		.state = request->oauth_state,
		.code = code,
	};

	if (auth_request_is_device(request)) {
		*ret_location = STR_JOIN(&task->arena, STR("/device/done?request="), request->id);
		return OK;
	}
	if (code.at == NULL) {
		answer.error = STR("access_denied");
		answer.description = STR("the person said no");
	}
	return authorize_redirect(task, authority, &answer, ret_location);
}

/*
 * Answered already: the same decision within a minute is a double click; anything else changes
 * nothing.
 */
static enum err answer_again(struct task *task, const struct authority *authority,
			     const struct auth_request *request, struct str decision,
			     struct str *ret_location)
{
	struct str code = STR_NONE;

	if (task->now - request->decided_at > REQUEST_REPEAT_MS ||
	    !str_equals(request->decision, decision))
		return fail(task, ERR_CONFLICT, "this request was answered already");
	if (request->state != REQUEST_DENIED && !auth_request_is_device(request))
		TRY(make_code_again(task, authority, request, &code));
	return location_for(task, authority, request, code, ret_location);
}

static enum err check_answer(struct task *task, const struct consent_view *view,
			     const struct consent_answer *answer, int64_t *ret_expires_at)
{
	if (view->request.shown_at == 0 || task->now - view->request.shown_at < REQUEST_ARMING_MS)
		return fail(task, ERR_REQUEST, "answered sooner than anybody can read");
	if (!answer->allow)
		return OK;
	if (answer->scope.count == 0)
		return fail(task, ERR_REQUEST, "nothing is ticked: tick something, or deny");
	if (!scope_contains(view->request.scope, answer->scope))
		return fail(task, ERR_REQUEST, "this was not asked for");
	TRY(duration_end(task, answer->duration, task->now, ret_expires_at));
	if (view->duration_max != 0 && *ret_expires_at > task->now + view->duration_max)
		return fail(task, ERR_REQUEST, "longer than your organisation allows");
	return OK;
}

static void build_grant(struct task *task, struct deciding *deciding, int64_t expires_at)
{
	const struct consent_answer *answer = deciding->answer;
	const struct consent_view *view = deciding->view;
	struct permission *permissions = NEW_ARRAY(&task->arena, struct permission,
						   answer->scope.count);

	for (size_t i = 0; i < answer->scope.count; i++)
		permissions[i] = (struct permission){
			.scope = answer->scope.names[i],
			.mode = MODE_ALLOW,
			.expires_at = expires_at,
			.words = answer->words[i],
			.consent_event = deciding->event.id,
			.granted_at = task->now,
		};
	deciding->grant = (struct grant){
		.id = random_id(&task->arena, "gra_"),
		.user_id = view->user.id,
		.client_id = view->client.id,
		.resource = view->request.resource,
		.basis = STR("person"),
		.created_at = task->now,
		.updated_at = task->now,
		.expires_at = expires_at,
		.delegates = view->client.delegates_to,
		.permissions = permissions,
		.permission_count = answer->scope.count,
	};
}

/* What of the scopes only (RFC 9396): as asked, or as far as they were allowed. */
static void add_details(struct task *task, struct json_writer *json,
			const struct deciding *deciding)
{
	const struct auth_request *request = &deciding->view->request;
	struct details details = request->details;

	if (deciding->answer->allow)
		details = details_within(&task->arena, &details, deciding->answer->scope);
	json_member_raw(json, "authorization_details", details_print(&task->arena, &details));
}

static enum err build_details(struct task *task, const struct deciding *deciding,
			      int64_t expires_at, struct str *ret_details)
{
	const struct consent_answer *answer = deciding->answer;
	const struct consent_view *view = deciding->view;
	struct buf buf = buf_in(&task->arena, CONSENT_DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "asked", scope_text(&task->arena, deciding->view->request.scope));
	if (answer->allow) {
		json_member_str(&json, "scope", scope_text(&task->arena, answer->scope));
		json_member_str(&json, "duration", answer->duration);
		if (view->client.delegates_to.count > 0)
			json_member_str(&json, "delegates",
					scope_text(&task->arena, view->client.delegates_to));
		if (expires_at != NEVER)
			json_member_str(&json, "expires_at",
					clock_format(&task->arena, expires_at));
	}
	add_details(task, &json, deciding);
	if (view->who.document_hash.at != NULL) {
		json_member_str(&json, "document",
				base64url_encode(&task->arena, view->who.document_hash));
		json_member_str(&json, "identity",
				base64url_encode(&task->arena,
						 document_identity(&task->arena, &view->client)));
	}
	if (auth_request_is_device(&view->request))
		json_member_str(&json, "via", STR("device"));
	json_member_str(&json, "language", answer->language);
	json_member_str(&json, "version", answer->version);
	json_close(&json);
	return buf_finish(&buf, ret_details);
}

/* A device has its code already. */
static bool needs_code(const struct deciding *deciding)
{
	return deciding->answer->allow && !auth_request_is_device(&deciding->view->request);
}

/* GDPR Art. 7(1): the words as shown. */
static enum err build_personal(struct task *task, const struct deciding *deciding,
			       struct str *ret_personal)
{
	const struct consent_answer *answer = deciding->answer;
	struct buf buf = buf_in(&task->arena, PERSONAL_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_key(&json, "sentences");
	json_add_raw(&json, answer->sentences);
	json_member_str(&json, "address", answer->address);
	json_member_str(&json, "user_agent", answer->user_agent);
	if (auth_request_is_device(&deciding->view->request))
		json_member_str(&json, "device_address", deciding->view->request.asked_from);
	json_close(&json);
	return buf_finish(&buf, ret_personal);
}

static enum err build_event(struct task *task, struct deciding *deciding, int64_t expires_at)
{
	const struct consent_view *view = deciding->view;
	struct event *event = &deciding->event;

	*event = event_new(task,
			   deciding->answer->allow ? STR("grant.allowed") : STR("grant.denied"),
			   STR("user"));
	event->client_id = view->client.id;
	event->resource = view->request.resource;
	return build_details(task, deciding, expires_at, &event->details);
}

static void build_decided(struct task *task, struct deciding *deciding,
			  const struct session *session, struct str decision)
{
	struct auth_request *decided = &deciding->decided;

	*decided = deciding->view->request;
	decided->state = deciding->answer->allow ? REQUEST_CODE : REQUEST_DENIED;
	decided->user_id = deciding->view->user.id;
	decided->decided_at = task->now;
	decided->decision = decision;
	decided->granted = deciding->answer->scope;
	decided->auth_time = session->created_at;
	decided->acr = STR(ACR_PASSWORD);
	if (needs_code(deciding))
		decided->code_expires_at = task->now + CODE_LIFE_MS;
	else if (deciding->answer->allow)
		decided->code_expires_at = decided->expires_at + DEVICE_GRACE_MS;
}

static enum err write_decision(struct task *task, struct db *db, void *arg)
{
	const struct consent_decision *decision = arg;
	struct deciding *deciding = decision->work;
	struct auth_request decided = deciding->decided;
	struct event event = deciding->event;
	bool is_active;
	enum err err;

	TRY(user_take(task, db, deciding->view->user.id, &is_active));
	deciding->user_gone = !is_active;
	if (deciding->user_gone) {
		decided.state = REQUEST_DENIED;
		if (!auth_request_is_device(&decided))
			decided.code_hash = STR_NONE;
		event.kind = STR("grant.denied");
	} else if (decided.state == REQUEST_CODE) {
		TRY(ceilings_lower(task, db, &deciding->grant, &decided.details));
		TRY(grant_put(task, db, &deciding->grant, &decided.grant_id));
		event.grant_id = decided.grant_id;
	}
	err = auth_request_decide(task, db, &decided);
	if (err == ERR_CONFLICT) /* a double click whose twin won while we prepared */
		TRY(auth_request_find(task, db, decided.id, &deciding->twin));
	TRY(err);
	return event_insert(task, db, &event);
}

static enum err decided(struct task *task, enum err result, void *arg)
{
	struct consent_decision *decision = arg;
	struct deciding *deciding = decision->work;
	const struct auth_request *twin = &deciding->twin;

	if (result == ERR_CONFLICT && twin->id.at != NULL) {
		task_forgive(task);
		result = answer_again(task, deciding->authority, twin, deciding->decided.decision,
				      &decision->location);
	} else if (result == OK) {
		if (deciding->user_gone)
			deciding->code = STR_NONE;
		result = location_for(task, deciding->authority, &deciding->view->request,
				      deciding->code, &decision->location);
	}
	return decision->then(task, result, decision);
}

static enum err submit(struct task *task, struct consent_decision *decision)
{
	struct deciding *deciding = decision->work;
	struct store *store = deciding->authority->store;

	deciding->event.sealed = deciding->sealed.bytes;
	if (needs_code(deciding)) {
		deciding->code = code_text(&task->arena, deciding->sealed.tag);
		deciding->decided.code_hash = sha256_str(&task->arena, deciding->code);
	}
	if (!deciding->answer->allow)
		return store_submit_stop(task, store, write_decision, decision, decided);
	return store_submit(task, store, write_decision, decision, decided);
}

static enum err sealed(struct task *task, enum err result, void *arg)
{
	struct consent_decision *decision = arg;

	if (result == OK)
		result = submit(task, decision);
	return result == ERR_PARKED ? result : decision->then(task, result, decision);
}

/* What is personal, under the person's key, and in the same question what the code is made of. */
static enum err seal(struct task *task, struct consent_decision *decision)
{
	struct deciding *deciding = decision->work;
	const struct consent_view *view = deciding->view;
	struct seal_order order;
	struct str personal;

	TRY(build_personal(task, deciding, &personal));
	order = event_seal_order(&view->user, personal, &deciding->event);
	order.wants_tag = needs_code(deciding);
	if (order.wants_tag) {
		order.label = MAC_CODE;
		order.input = code_input(&task->arena, view->request.id,
					 deciding->decided.decision);
	}
	return keys_seal_with_others(task, deciding->authority->keys, &order, &deciding->sealed,
				     sealed, decision);
}

enum err consent_decide(struct task *task, const struct authority *authority,
			struct consent_decision *decision, then_fn *then)
{
	struct deciding *deciding = NEW(&task->arena, struct deciding);
	const struct consent_answer *answer = &decision->answer;
	const struct consent_view *view = decision->view;
	struct str text = decision_text(&task->arena, answer);
	int64_t expires_at = 0;

	deciding->authority = authority;
	deciding->view = view;
	deciding->answer = answer;
	decision->then = then;
	decision->work = deciding;
	if (view->request.state != REQUEST_PENDING)
		return answer_again(task, authority, &view->request, text, &decision->location);
	TRY(check_answer(task, view, answer, &expires_at));
	TRY(build_event(task, deciding, expires_at));
	if (answer->allow)
		build_grant(task, deciding, expires_at);
	build_decided(task, deciding, decision->session, text);
	TRY(seal(task, decision));
	return submit(task, decision);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How a client becomes known here, and how what was registered for a visit is removed. */
#include "grantctl/ctl.h"
#include "grantctl/visit.h"

#define ANSWER_MAX (64 * 1024)
#define JSON_FIELD "Content-Type: application/json"
#define CHECK	   "registration"

/* None of these clients can be given a token to register with. */
static enum err refuse_policy(struct visit *visit, const char *policy)
{
	struct str uri = visit_text(visit, "authorize", "redirect_uri");

	return visit_fails(
		visit, CHECK,
		str_printf(&visit->task->arena,
			   "registration = %s: it registers itself (RFC 7591), and may not. Set "
			   "registration = open, or register it and type the id into it: grantctl "
			   "client create --public --id ID --name NAME --redirect-uri %.*s",
			   policy, STR_FMT(uri)));
}

static enum err refuse_registration(struct visit *visit, const struct http_answer *answer)
{
	CLEANUP(json_unref) json_t *said = NULL;
	struct arena *arena = &visit->task->arena;
	struct str error, words;

	if (json_parse(visit->task, answer->body, ANSWER_MAX, &said) != OK)
		task_forgive(visit->task);
	error = json_get_str(said, "error");
	words = json_get_str(said, "error_description");
	if (answer->status == 401)
		return refuse_policy(visit, "token");
	if (answer->status == 429)
		return visit_fails(
			visit, CHECK,
			str_printf(arena,
				   "too many registrations from here (status 429): wait %d "
				   "seconds and repeat",
				   (int)answer->retry_after));
	if (str_equals(error, STR("invalid_redirect_uri")))
		return visit_fails(visit, CHECK,
				   str_printf(arena,
					      "%.*s; for a scheme of its own see redirect_schemes",
					      STR_FMT(words)));
	return visit_fails(visit, CHECK,
			   str_printf(arena, "it is answered %u %.*s: %.*s", answer->status,
				      STR_FMT(error), STR_FMT(words)));
}

/*
 * A server may leave addresses out (RFC 7591 3.2.1), but the one it waits at must be there; on this
 * computer the port is its own affair (RFC 8252 7.3).
 */
static enum err check_redirects(struct visit *visit, const json_t *said)
{
	struct str waits = visit_text(visit, "authorize", "redirect_uri");
	const json_t *sent = visit_described(visit, "redirect_uris");
	const json_t *kept = json_object_get(said, "redirect_uris");
	struct arena *arena = &visit->task->arena;

	for (size_t i = 0; i < json_array_size(sent); i++) {
		struct str uri = str_from_c(json_string_value(json_array_get(sent, i)));

		if (visit_lists(kept, uri))
			continue;
		if (str_equals(uri, waits))
			return visit_fails(visit, CHECK,
					   str_printf(arena,
						      "%.*s, where it waits, was left out of its "
						      "redirect URIs; for a scheme of its own see "
						      "redirect_schemes",
						      STR_FMT(uri)));
		visit_finds(
			visit, "note", CHECK,
			str_printf(arena,
				   "%.*s was left out of its redirect URIs: where it waits "
				   "there, it gets no answer; for a scheme see redirect_schemes",
				   STR_FMT(uri)));
	}
	return OK;
}

static enum err take_registration(struct visit *visit, struct str body)
{
	CLEANUP(json_unref) json_t *said = NULL;
	struct arena *arena = &visit->task->arena;

	if (json_parse(visit->task, body, ANSWER_MAX, &said) != OK)
		return visit_fails(visit, CHECK, STR("the answer is not JSON"));
	visit->client_id = str_copy(arena, json_get_str(said, "client_id"));
	visit->management = str_copy(arena, json_get_str(said, "registration_client_uri"));
	visit->management_token = str_copy(arena, json_get_str(said, "registration_access_token"));
	visit->kept_types = visit_joined(visit, json_object_get(said, "grant_types"));
	visit->is_known = true;
	TRY(check_redirects(visit, said));
	visit_finds(
		visit, "ok", CHECK,
		str_printf(arena, "it may register itself, as %.*s", STR_FMT(visit->client_id)));
	return OK;
}

/* Some also register what they are going to ask for. */
static enum err print_registration(struct visit *visit, struct str *ret_body)
{
	CLEANUP(json_unref)
	json_t *sent = json_copy(json_object_get(visit->profile, "registration"));
	struct str scope = visit_scope(visit);

	if (json_is_true(json_object_get(visit->profile, "registers_scope")) && scope.at != NULL)
		json_object_set_new(sent, "scope", json_stringn(scope.at, scope.len));
	return json_print(visit->task, sent, ANSWER_MAX, ret_body);
}

static enum err register_itself(struct visit *visit)
{
	struct visit_request request = { .method = "POST",
					 .told_by = &visit->server,
					 .field = JSON_FIELD,
					 .must_finish = true };
	struct http_answer answer = { 0 };

	request.url = json_get_str(visit->metadata, "registration_endpoint");
	if (request.url.at == NULL)
		return refuse_policy(visit, "off");
	if (visit_is_over())
		return fail(visit->task, ERR_CONFLICT, "interrupted");
	TRY(print_registration(visit, &request.body));
	TRY(visit_ask(visit, CHECK, &request, &answer));
	if (answer.status != 201)
		return refuse_registration(visit, &answer);
	return take_registration(visit, answer.body);
}

/* --- by its document --- */

/* What the operator's side has of it; NULL: nothing yet. */
static json_t *known_client(struct visit *visit)
{
	json_t *client = NULL;

	if (call(visit->task, visit->words, "GET",
		 path_of(visit->task, "/v1/clients", visit->client_id, NULL), STR_NONE,
		 &client) != OK)
		task_forgive(visit->task);
	return client;
}

/* What an operator laid down for it, and it cannot do: each of these is of its own. */
static enum err check_rules(struct visit *visit, const json_t *client)
{
	static const struct {
		const char *member, *value;
		struct str words;
	} rules[] = {
		{ "status", "disabled", STR_INIT("is disabled here: grantctl client enable") },
		{ "dpop_bound", NULL,
		  STR_INIT(
			  "must prove a key (DPoP) here, which it does not: grantctl client update "
			  "--dpop optional") },
		{ "par_required", NULL,
		  STR_INIT("must push its requests (PAR) here, which it does not: grantctl client "
			   "update --par optional") },
	};

	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		const json_t *member = json_object_get(client, rules[i].member);
		bool applies = rules[i].value == NULL
				       ? json_is_true(member)
				       : str_equals(str_from_c(json_string_value(member)),
						    str_from_c(rules[i].value));

		if (applies)
			return visit_fails(visit, "document",
					   str_printf(&visit->task->arena, "it %.*s %.*s",
						      STR_FMT(rules[i].words),
						      STR_FMT(visit->client_id)));
	}
	return OK;
}

static enum err use_document(struct visit *visit)
{
	const json_t *flag = json_object_get(visit->metadata,
					     "client_id_metadata_document_supported");
	CLEANUP(json_unref) json_t *client = NULL;

	visit->client_id = visit_text(visit, "document", "client_id");
	client = known_client(visit);
	if (!json_is_true(flag))
		return visit_fails(
			visit, "document",
			STR("client_metadata = no: it describes itself by a document and is not "
			    "read here. Set client_metadata = yes"));
	TRY(check_rules(visit, client));
	visit->is_known = client != NULL;
	visit->kept_types = client == NULL
				    ? visit_joined(visit, visit_described(visit, "grant_types"))
				    : visit_joined(visit, json_object_get(client, "grant_types"));
	visit_finds(visit, "ok", "document",
		    str_printf(&visit->task->arena, "documents are read, as %.*s",
			       STR_FMT(visit->client_id)));
	return OK;
}

enum err visit_become_known(struct visit *visit)
{
	return visit->is_document ? use_document(visit) : register_itself(visit);
}

/* --- and removed --- */

/* Where the operator's side does not do it: as a client may, which leaves its place for an hour. */
static void give_back(struct visit *visit)
{
	const struct visit_request request = { .method = "DELETE",
					       .url = visit->management,
					       .told_by = &visit->server,
					       .bearer = visit->management_token,
					       .must_finish = true };
	struct http_answer answer = { 0 };
	struct str why = visit->task->reason;

	if (str_is_empty(visit->management) ||
	    visit_ask(visit, "clean-up", &request, &answer) != OK || answer.status != 204) {
		if (visit_fails(visit, "clean-up",
				str_printf(&visit->task->arena,
					   "%.*s stays registered (%.*s): grantctl client remove "
					   "%.*s",
					   STR_FMT(visit->client_id), STR_FMT(why),
					   STR_FMT(visit->client_id))) != OK)
			task_forgive(visit->task);
		return;
	}
	visit_finds(visit, "note", "clean-up",
		    str_printf(&visit->task->arena,
			       "%.*s is ended, and is listed as disabled for an hour (%.*s)",
			       STR_FMT(visit->client_id), STR_FMT(why)));
}

void visit_take_back(struct visit *visit)
{
	CLEANUP(json_unref) json_t *answer = NULL;

	if (visit->is_document || str_is_empty(visit->client_id))
		return;
	if (call(visit->task, visit->words, "DELETE",
		 path_of(visit->task, "/v1/clients", visit->client_id, NULL), STR_NONE,
		 &answer) == OK)
		visit_finds(visit, "ok", "clean-up", STR("its registration is gone again"));
	else
		give_back(visit);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Registration and its management (RFC 7591, RFC 7592). Both speak JSON. */
#include "authority/registration.h"

#include "base/json.h"
#include "oauth/credentials.h"
#include "oauth/endpoints.h"
#include "oauth/reply.h"

static void set_str(json_t *object, const char *name, struct str value)
{
	json_object_set_new(object, name, json_stringn(value.at, value.len));
}

static void set_list(json_t *object, const char *name, const struct str *items, size_t count)
{
	json_t *list = json_array();

	json_object_set_new(object, name, list);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_stringn(items[i].at, items[i].len));
}

static void set_words(json_t *object, const char *name, struct str words)
{
	json_t *list = json_array();
	struct str word;

	json_object_set_new(object, name, list);
	while (str_next(&words, ' ', &word))
		json_array_append_new(list, json_stringn(word.at, word.len));
}

/* RFC 7523, RFC 9449 5.2, RFC 9126 6 */
static enum err set_keys(struct task *task, json_t *object, const struct client *client)
{
	json_t *jwks = NULL;

	if (client->dpop_bound_at != 0)
		json_object_set_new(object, "dpop_bound_access_tokens", json_true());
	if (client->par_required_at != 0)
		json_object_set_new(object, "require_pushed_authorization_requests", json_true());
	if (client->auth_alg.at != NULL)
		set_str(object, "token_endpoint_auth_signing_alg", client->auth_alg);
	if (client->jwks_uri.at != NULL)
		set_str(object, "jwks_uri", client->jwks_uri);
	if (client->jwks.at == NULL)
		return OK;
	TRY(json_parse(task, client->jwks, OAUTH_REPLY_MAX, &jwks));
	json_object_set_new(object, "jwks", jwks);
	return OK;
}

/* RFC 7591 3.2.1: all of what was registered, also what is other than was asked for. */
static void set_client(json_t *object, struct arena *arena, const struct client *client)
{
	set_str(object, "client_id", client->id);
	json_object_set_new(object, "client_id_issued_at",
			    json_integer(client->created_at / SECOND_MS));
	if (!str_equals(client->name, client->id))
		set_str(object, "client_name", client->name);
	set_list(object, "redirect_uris", client->redirect_uris, client->redirect_count);
	set_words(object, "grant_types", grant_types_text(arena, client->grant_types));
	set_words(object, "response_types",
		  client_allows(client, GRANT_AUTHORIZATION_CODE) ? STR("code") : STR_NONE);
	set_str(object, "token_endpoint_auth_method", client_auth_name(client->auth));
	if (client->scope.count > 0)
		set_str(object, "scope", scope_text(arena, client->scope));
}

static void set_secrets(json_t *object, const struct registering *registering, struct str uri)
{
	if (registering->secret.at != NULL) {
		set_str(object, "client_secret", registering->secret);
		json_object_set_new(
			object, "client_secret_expires_at",
			json_integer(registering->client.secret_expires_at / SECOND_MS));
	}
	set_str(object, "registration_access_token", registering->access_token);
	set_str(object, "registration_client_uri", uri);
}

static enum err answer(struct exchange *exchange, unsigned status,
		       const struct registering *registering)
{
	struct task *task = &exchange->task;
	struct str issuer = authority_config(oauth_authority(exchange))->issuer, text;
	CLEANUP(json_unref) json_t *object = NULL;

	TRY(json_parse(task, registering->registration.metadata, OAUTH_REPLY_MAX, &object));
	set_client(object, &task->arena, &registering->client);
	TRY(set_keys(task, object, &registering->client));
	set_secrets(object, registering,
		    STR_JOIN(&task->arena, issuer, STR("/register/"), registering->client.id));
	TRY(json_print(task, object, OAUTH_REPLY_MAX, &text));
	reply_with(exchange, status, STR("application/json"), text);
	return OK;
}

static enum err begin(struct exchange *exchange, struct registering *registering)
{
	const struct request *request = &exchange->request;

	if (request_field_count(request, STR("Authorization")) > 1)
		return fail(&exchange->task, ERR_REQUEST, "more than one Authorization header");
	*registering = (struct registering){
		.body = request->body,
		.token = bearer_token(request),
		.client_id = request->params[0],
		.source = request->peer.address,
		.request_id = exchange->request_id,
	};
	return OK;
}

static enum err finish(struct task *task, enum err result, const struct registering *registering,
		       unsigned status)
{
	struct exchange *exchange = exchange_of(task);

	if (result == OK) {
		task_tag(task, "client", registering->client.id);
		return answer(exchange, status, registering);
	}
	oauth_retry_after(exchange, registering->retry_after);
	return result;
}

static enum err registered(struct task *task, enum err result, void *arg)
{
	return finish(task, result, arg, 201);
}

static enum err changed(struct task *task, enum err result, void *arg)
{
	const struct registering *registering = arg;

	if (result == OK)
		log_info(task, "client.updated", LOG_STR("client", registering->client.id));
	return finish(task, result, arg, 200);
}

static enum err deleted(struct task *task, enum err result, void *arg)
{
	const struct registering *registering = arg;

	TRY(result);
	log_info(task, "client.deleted", LOG_STR("client", registering->client.id));
	reply_with(exchange_of(task), 204, STR_NONE, STR_NONE);
	return OK;
}

enum err oauth_register(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct registering *registering = NEW(&task->arena, struct registering);
	enum err err;

	TRY(begin(exchange, registering));
	err = registration_open(task, oauth_authority(exchange), registering, registered);
	return err == ERR_PARKED ? ERR_PARKED : finish(task, err, registering, 201);
}

enum err oauth_registration_read(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct registering *registering = NEW(&task->arena, struct registering);

	TRY(begin(exchange, registering));
	TRY(registration_read(task, oauth_authority(exchange), registering));
	return answer(exchange, 200, registering);
}

enum err oauth_registration_change(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct registering *registering = NEW(&task->arena, struct registering);
	enum err err;

	TRY(begin(exchange, registering));
	err = registration_change(task, oauth_authority(exchange), registering, changed);
	return err == ERR_PARKED ? ERR_PARKED : finish(task, err, registering, 200);
}

enum err oauth_registration_delete(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct registering *registering = NEW(&task->arena, struct registering);
	enum err err;

	TRY(begin(exchange, registering));
	err = registration_delete(task, oauth_authority(exchange), registering, deleted);
	oauth_retry_after(exchange, registering->retry_after);
	return err;
}

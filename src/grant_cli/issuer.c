/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/issuer.h"

#include "base/json.h"
#include "base/task.h"
#include "base/url.h"
#include "http/client.h"

#define METADATA_MAX	 (64 * 1024)
#define METADATA_TIMEOUT 10000
#define WELL_KNOWN	 "/.well-known/oauth-authorization-server"

/* RFC 8414 3: the well-known part goes between the host and the path. */
static enum err metadata_url(struct task *task, struct str name, struct str *ret_url)
{
	struct url url;

	if (url_parse(name, &url) != OK || !str_equals(url.scheme, STR("https")) ||
	    url.host.at == NULL || url.userinfo.at != NULL || url.query.at != NULL ||
	    url.fragment.at != NULL)
		return failf(task, ERR_REQUEST, "--issuer must be an https address, not \"%.*s\"",
			     STR_FMT(name));
	if (str_ends_with(url.path, STR("/")))
		url.path = str_sub(url.path, 0, url.path.len - 1);
	*ret_url = STR_JOIN(&task->arena, url_origin(&task->arena, &url), STR(WELL_KNOWN), url.path,
			    STR(""));
	return OK;
}

static bool lists(const json_t *object, const char *key, struct str value)
{
	const json_t *list = json_object_get(object, key);

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (str_equals(str_from_c(json_string_value(json_array_get(list, i))), value))
			return true;
	}
	return false;
}

/* An endpoint in task memory; STR_NONE when absent. ERR_FORBIDDEN unless https. */
static enum err take_endpoint(struct task *task, const json_t *object, const char *key,
			      struct str *ret_endpoint)
{
	struct str endpoint = json_get_str(object, key);
	struct url url;

	if (endpoint.at != NULL && (url_parse(endpoint, &url) != OK || url.fragment.at != NULL ||
				    !str_equals(url.scheme, STR("https"))))
		return failf(task, ERR_FORBIDDEN, "the issuer's %s is not an https address", key);
	*ret_endpoint = endpoint.at == NULL ? STR_NONE : str_copy(&task->arena, endpoint);
	return OK;
}

static enum err take_metadata(struct task *task, const json_t *object, struct str name,
			      struct issuer *ret_issuer)
{
	struct str says = json_get_str(object, "issuer");
	struct issuer issuer = { .name = name };

	/* RFC 8414 3.3: else one server could stand in for another */
	if (!str_equals(says, name))
		return failf(task, ERR_FORBIDDEN,
			     "what answers at %.*s calls itself \"%.*s\": nothing was sent to it",
			     STR_FMT(name), STR_FMT(says));
	if (!lists(object, "code_challenge_methods_supported", STR("S256")))
		return failf(task, ERR_FORBIDDEN, "%.*s does not offer PKCE with S256",
			     STR_FMT(name));
	TRY(take_endpoint(task, object, "authorization_endpoint", &issuer.authorization_endpoint));
	TRY(take_endpoint(task, object, "token_endpoint", &issuer.token_endpoint));
	TRY(take_endpoint(task, object, "revocation_endpoint", &issuer.revocation_endpoint));
	TRY(take_endpoint(task, object, "device_authorization_endpoint", &issuer.device_endpoint));
	if (issuer.authorization_endpoint.at == NULL || issuer.token_endpoint.at == NULL)
		return failf(task, ERR_FORBIDDEN, "%.*s does not name its endpoints",
			     STR_FMT(name));
	issuer.sends_iss = json_is_true(
		json_object_get(object, "authorization_response_iss_parameter_supported"));
	*ret_issuer = issuer;
	return OK;
}

enum err issuer_discover(struct task *task, struct str name, struct str ca_file,
			 struct issuer *ret_issuer)
{
	CLEANUP(json_unref) json_t *object = NULL;
	struct http_call call = { .method = STR("GET"),
				  .ca_file = ca_file,
				  .answer_max = METADATA_MAX,
				  .timeout_ms = METADATA_TIMEOUT };
	struct http_answer answer;

	TRY(metadata_url(task, name, &call.url));
	TRY(http_client_call(task, &call, &answer));
	if (answer.status != 200)
		return failf(task, ERR_FORBIDDEN, "%.*s answers %u: is that an issuer?",
			     STR_FMT(call.url), answer.status);
	if (json_parse(task, answer.body, METADATA_MAX, &object) != OK) {
		task_forgive(task);
		return failf(task, ERR_FORBIDDEN, "%.*s is not JSON: is that an issuer?",
			     STR_FMT(call.url));
	}
	return take_metadata(task, object, name, ret_issuer);
}

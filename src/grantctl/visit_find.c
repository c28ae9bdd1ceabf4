/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/visit.h"

#include "base/printable.h"
#include "http/client.h"

#define ANSWER_MAX (256 * 1024)
#define TIMEOUT_MS 10000
#define FIELDS_MAX 4

static void set(json_t *object, const char *key, struct str text)
{
	json_object_set_new(object, key, json_stringn(text.at, text.len));
}

void visit_finds(struct visit *visit, const char *result, const char *check, struct str text)
{
	json_t *finding = json_object();
	/* what others wrote goes to a terminal */
	struct str shown = str_printable(&visit->task->arena, text);

	set(finding, "client", visit->name);
	set(finding, "result", str_from_c(result));
	set(finding, "check", str_from_c(check));
	set(finding, "text", shown);
	json_array_append_new(visit->findings, finding);
}

enum err visit_fails(struct visit *visit, const char *check, struct str text)
{
	visit_finds(visit, "FAIL", check, text);
	visit->failures++;
	return fail(visit->task, ERR_CONFLICT, "it would not get further");
}

bool visit_is_document(const struct visit *visit)
{
	return json_object_get(visit->profile, "document") != NULL;
}

const json_t *visit_described(const struct visit *visit, const char *member)
{
	const char *part = visit_is_document(visit) ? "document" : "registration";

	return json_object_get(json_object_get(visit->profile, part), member);
}

struct str visit_text(const struct visit *visit, const char *step, const char *member)
{
	return json_get_str(json_object_get(visit->profile, step), member);
}

bool visit_sends(const struct visit *visit, const char *step, const char *member)
{
	return json_is_true(json_object_get(json_object_get(visit->profile, step), member));
}

bool visit_offers(const struct visit *visit, const char *member, struct str value)
{
	const json_t *list = json_object_get(visit->metadata, member);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_equals(str_from_c(json_string_value(json_array_get(list, i))), value))
			return true;
	return false;
}

enum err visit_ask(struct visit *visit, const char *check, const struct visit_request *request,
		   struct http_answer *ret_answer)
{
	struct task *task = visit->task;
	struct str fields[FIELDS_MAX] = { STR("Accept-Language: en") };
	struct http_call call = { .method = str_from_c(request->method),
				  .url = request->url,
				  .ca_file = visit->ca_file,
				  .fields = fields,
				  .field_count = 1,
				  .body = request->body,
				  .wanted_field = request->wanted,
				  .allow_loopback_http = true,
				  .answer_max = ANSWER_MAX,
				  .timeout_ms = TIMEOUT_MS };

	if (request->field != NULL)
		fields[call.field_count++] = str_from_c(request->field);
	if (request->bearer.at != NULL)
		fields[call.field_count++] = STR_JOIN(&task->arena, STR("Authorization: Bearer "),
						      request->bearer);
	if (http_client_call(task, &call, ret_answer) == OK)
		return OK;
	return visit_fails(visit, check,
			   str_printf(&task->arena,
				      "%.*s: %.*s; is it reachable from here, and is --ca FILE "
				      "missing?",
				      STR_FMT(request->url), STR_FMT(task->reason)));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/room.h"

#include "http/form.h"

/* Every refusal is {"error": word, "message": what to do}. */
static const struct {
	enum err err;
	unsigned status;
	const char *word;
} refusals[] = {
	{ ERR_REQUEST, 400, "invalid_request" },
	{ ERR_SYNTAX, 400, "invalid_request" },
	{ ERR_CLIENT_DOCUMENT, 400, "invalid_client_document" },
	{ ERR_SCOPE, 400, "invalid_scope" },
	{ ERR_TARGET, 400, "invalid_target" },
	{ ERR_CONFIG, 400, "invalid_configuration" },
	{ ERR_FORBIDDEN, 403, "forbidden" },
	{ ERR_NOT_FOUND, 404, "not_found" },
	{ ERR_METHOD, 405, "method_not_allowed" },
	{ ERR_CONFLICT, 409, "conflict" },
	{ ERR_TOO_LARGE, 413, "too_large" },
	{ ERR_MEDIA_TYPE, 415, "unsupported_media_type" },
	{ ERR_THROTTLED, 429, "too_many_requests" },
	{ ERR_BUSY, 503, "busy" },
	{ ERR_TIMEOUT, 503, "busy" },
	{ ERR_STORE, 503, "database_unavailable" },
	{ ERR_FULL, 503, "disk_full" },
};

/*
 * A reason of the asker's own quotes what was sent, and that may be anything: it is for them alone.
 */
static void log_refusal(struct exchange *exchange, enum err err, unsigned status)
{
	struct task *task = &exchange->task;
	struct str name = str_from_c(err_name(err));

	if (status >= 500)
		log_error(task, "admin.failed", LOG_INT("status", status), LOG_STR("error", name),
			  LOG_INT("uid", exchange->request.peer.uid),
			  LOG_STR("reason", task->reason));
	else
		log_info(task, "admin.refused", LOG_INT("status", status), LOG_STR("error", name),
			 LOG_INT("uid", exchange->request.peer.uid));
}

void admin_refuse(struct exchange *exchange, enum err err)
{
	struct task *task = &exchange->task;
	struct buf buf = buf_in(&task->arena, 4096);
	struct json_writer json = json_write_to(&buf);
	struct str text = STR("{}");
	unsigned status = 500;
	const char *word = "internal_error";

	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		if (refusals[i].err != err)
			continue;
		status = refusals[i].status;
		word = refusals[i].word;
	}
	json_open_object(&json);
	json_member_str(&json, "error", str_from_c(word));
	json_member_str(&json, "message",
			task->reason.at == NULL ? str_from_c(word) : task->reason);
	json_close(&json);
	if (buf_finish(&buf, &text) != OK)
		text = STR("{\"error\":\"internal_error\"}");
	log_refusal(exchange, err, status);
	reply_with(exchange, status, STR("application/json"), text);
}

void admin_finish(struct exchange *exchange)
{
	reply_field(exchange, STR("Cache-Control"), STR("no-store"));
}

/* What people wrote wrong in a body is their request's fault, not the configuration's. */
enum err admin_body(struct exchange *exchange, const struct member *members, size_t count,
		    json_t **ret_body)
{
	CLEANUP(json_unref) json_t *body = NULL;
	struct task *task = &exchange->task;

	if (json_parse(task, exchange->request.body, HTTP_BODY_MAX, &body) != OK ||
	    members_check(task, body, STR(""), members, count) != OK)
		return failf(task, ERR_REQUEST, "%.*s", STR_FMT(task->reason));
	*ret_body = body;
	body = NULL;
	return OK;
}

static bool is_allowed(const char *const *allowed, struct str name)
{
	for (size_t i = 0; allowed[i] != NULL; i++)
		if (str_equals(name, str_from_c(allowed[i])))
			return true;
	return false;
}

enum err admin_query(struct exchange *exchange, const char *const *allowed,
		     struct list_query *ret_query)
{
	struct task *task = &exchange->task;
	struct list_query query = { .limit = 100 };
	struct form form;
	uint64_t limit;

	TRY(form_parse(task, exchange->request.query, &form));
	TRY(form_check_single(task, &form, (const char *const[]){ NULL }));
	for (size_t i = 0; i < form.count; i++)
		if (!is_allowed(allowed, form.fields[i].name))
			return failf(task, ERR_REQUEST, "no parameter is called \"%.*s\" here",
				     STR_FMT(str_sub(form.fields[i].name, 0, 64)));
	query.after = form_get(&form, "after");
	query.user = form_get(&form, "user");
	query.client = form_get(&form, "client");
	query.grant = form_get(&form, "grant");
	query.force = form_get(&form, "force");
	if (form_get(&form, "limit").at != NULL) {
		if (!str_to_u64(form_get(&form, "limit"), ADMIN_LIST_MAX, &limit) || limit == 0)
			return fail(task, ERR_REQUEST, "limit is a number from 1 to 200");
		query.limit = (int64_t)limit;
	}
	*ret_query = query;
	return OK;
}

struct json_writer admin_json(struct exchange *exchange, struct buf *buf)
{
	*buf = buf_in(&exchange->task.arena, ADMIN_ANSWER_MAX);
	return json_write_to(buf);
}

enum err admin_answer(struct exchange *exchange, unsigned status, struct buf *buf)
{
	struct str text;

	TRY(buf_finish(buf, &text));
	reply_with(exchange, status, STR("application/json"), text);
	return OK;
}

void member_time(struct json_writer *json, struct arena *arena, const char *key, int64_t wall_ms)
{
	if (wall_ms == 0 || wall_ms == NEVER) {
		json_key(json, key);
		json_add_null(json);
		return;
	}
	json_member_str(json, key, clock_format(arena, wall_ms));
}

void member_text(struct json_writer *json, const char *key, struct str value)
{
	json_key(json, key);
	if (value.at == NULL)
		json_add_null(json);
	else
		json_add_str(json, value);
}

enum err admin_answer_list(struct exchange *exchange, const struct list_shape *shape,
			   const void *items, size_t count, int64_t limit)
{
	const char *at = items;
	struct str next = STR_NONE;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	json_open_object(&json);
	json_key(&json, shape->name);
	json_open_array(&json);
	for (size_t i = 0; i < count; i++, at += shape->item_size) {
		json_open_object(&json);
		TRY(shape->write(exchange, &json, at));
		json_close(&json);
		next = *(const struct str *)(const void *)(at + shape->cursor_offset);
	}
	json_close(&json);
	member_text(&json, "next", count < (size_t)limit ? STR_NONE : next);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

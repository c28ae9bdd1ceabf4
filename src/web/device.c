/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /device: where a person types the code of a device without a browser (RFC 8628 3.3). Only who has
 * signed in may, so that no stranger can try codes; the question itself is the consent page, also
 * when the address brought the code along.
 */
#include "authority/device.h"

#include "authority/request.h"
#include "store/clients.h"
#include "web/csrf.h"
#include "web/room.h"
#include "web/words.h"

#define PURPOSE "device"

static enum err check_offered(struct page *page)
{
	return authority_config(page->authority)->device_flow == DEVICE_FLOW_OFF
		       ? fail(page->task, ERR_NOT_FOUND, "there is nothing for devices here")
		       : OK;
}

static enum err open_page(struct exchange *exchange, struct page *page)
{
	TRY(page_open(exchange, page));
	TRY(check_offered(page));
	if (!page->is_signed_in)
		return fail(page->task, ERR_LOGIN_REQUIRED, "not signed in");
	return OK;
}

/* problem: what was wrong with the last code, in words; STR_NONE: nothing yet. */
static enum err send_form(struct page *page, unsigned status, struct str typed, struct str problem)
{
	struct str code = device_code_written(&page->task->arena, typed);

	if (problem.at != NULL)
		data_str(page->data, "problem", problem);
	else if (code.at != NULL)
		data_true(page->data, "brought");
	data_str(page->data, "typed", code);
	csrf_add(page, STR(PURPOSE));
	return page_send(page, status, "device", "device.title");
}

enum err web_device_form(struct exchange *exchange)
{
	struct page page = { 0 };
	struct form query;

	TRY(open_page(exchange, &page));
	TRY(form_parse(page.task, exchange->request.query, &query));
	return send_form(&page, 200, form_get(&query, "user_code"), STR_NONE);
}

static struct str words_later(const struct page *page, int64_t seconds)
{
	reply_field(page->exchange, STR("Retry-After"),
		    str_printf(&page->task->arena, "%lld", (long long)seconds));
	return words_count(page, "device.throttled", (seconds + 59) / 60);
}

static enum err refuse_code(struct page *page, const struct device_entry *entry, enum err err)
{
	if (err != ERR_NOT_FOUND && err != ERR_THROTTLED)
		return err;
	log_info(page->task, "device.refused", LOG_STR("reason", page->task->reason));
	return err == ERR_NOT_FOUND
		       ? send_form(page, 400, entry->typed, page_text(page, "device.wrong", NULL))
		       : send_form(page, 429, entry->typed, words_later(page, entry->retry_after));
}

/* It is this browser's to answer now; unless somebody was faster, or it ran out this moment. */
static enum err go_on(struct task *task, enum err result, void *arg)
{
	struct page page = { 0 };
	struct exchange *exchange = exchange_of(task);
	const struct device_entry *entry = arg;

	if (result == OK) {
		log_info(task, "device.entered", LOG_STR("request", entry->request.id),
			 LOG_STR("client", entry->request.client_id));
		reply_redirect(exchange, 303,
			       STR_JOIN(&task->arena, STR("/consent?request="), entry->request.id));
		return OK;
	}
	page_begin(exchange, web_of(exchange), &page);
	return web_refuse_request(&page, result);
}

enum err web_device(struct exchange *exchange)
{
	struct page page = { 0 };
	struct device_entry *entry = NEW(&exchange->task.arena, struct device_entry);
	struct form form;
	enum err err;

	TRY(open_page(exchange, &page));
	TRY(page_form(&page, &form));
	TRY(csrf_check(&page, &form, STR(PURPOSE)));
	*entry = (struct device_entry){
		.typed = form_get(&form, "user_code"),
		.user = page.user,
		.browser = page.browser,
		.source = exchange->request.peer.address,
		.request_id = exchange->request_id,
	};
	err = device_enter(page.task, page.authority, entry, go_on);
	return err == ERR_PARKED ? ERR_PARKED : refuse_code(&page, entry, err);
}

static enum err add_agent(struct page *page, const struct auth_request *request)
{
	struct client client;
	struct db *db = NULL;

	TRY(store_reader(page->task, page->authority->store, &db));
	TRY(client_find(page->task, db, request->client_id, &client));
	data_str(page->data, "agent_name", client.name);
	words_monogram(page, data_object(page->data, "agent"), client.id, client.name);
	if (request->state == REQUEST_DENIED)
		return OK;
	data_str(data_object(page->data, "allowed"), "grant_id", request->grant_id);
	return OK;
}

/* Where the answer would lead back to the agent, if it had an address: to the device, on foot. */
enum err web_device_done(struct exchange *exchange)
{
	struct page page = { 0 };
	struct auth_request request;
	struct form query;
	struct str id;
	enum err err;

	TRY(open_page(exchange, &page));
	TRY(form_parse(page.task, exchange->request.query, &query));
	id = form_get(&query, "request");
	err = auth_request_load(page.task, page.authority, id, page.browser, &request);
	if (err == OK &&
	    (!auth_request_is_device(&request) || !str_equals(request.user_id, page.user.id)))
		err = fail(page.task, ERR_NOT_FOUND, "no such request of a device");
	if (err != OK)
		return web_refuse_request(&page, err);
	if (request.state == REQUEST_PENDING)
		return page_go(&page, STR_JOIN(&page.task->arena, STR("/consent?request="), id));
	err = add_agent(&page, &request);
	if (err != OK)
		return web_refuse_request(&page, err);
	return page_send(&page, 200, "device_done",
			 request.state == REQUEST_DENIED ? "device.denied" : "device.allowed");
}

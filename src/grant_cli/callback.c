/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/callback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/task.h"
#include "grant_cli/callback_page.h"
#include "http/form.h"
#include "http/parse.h"

#define PATH	  "/callback"
#define VISITORS  16 /* browsers open connections that they may never use */
#define PATIENCE  (10 * SECOND_MS)
#define POLL_STEP 500

/* A connection that has not said yet what it wants. */
struct visitor {
	int fd; /* -1: free */
	int64_t deadline;
	size_t len;
	struct head head;
	struct request request;
	char bytes[HTTP_HEAD_MAX + 1];
};

struct callback {
	int listener;
	int waiting; /* the connection with the answer; -1: none */
	struct str authority;
	struct str state;
	struct visitor visitors[VISITORS];
};

static void leave(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

enum err callback_open(struct task *task, struct str state, struct callback **ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct callback *callback = NEW(&task->arena, struct callback);
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	callback->waiting = -1;
	callback->state = state;
	for (size_t i = 0; i < VISITORS; i++)
		callback->visitors[i].fd = -1;
	callback->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (callback->listener < 0 ||
	    bind(callback->listener, (struct sockaddr *)&address, len) != 0 ||
	    listen(callback->listener, VISITORS) != 0 ||
	    getsockname(callback->listener, (struct sockaddr *)&address, &len) != 0) {
		leave(&callback->listener);
		return fail(task, ERR_STORE, "cannot listen on 127.0.0.1 for the browser's return");
	}
	callback->authority = str_printf(&task->arena, "127.0.0.1:%u", ntohs(address.sin_port));
	*ret = callback;
	return OK;
}

void callback_close(struct callback **callback)
{
	if (*callback == NULL)
		return;
	leave(&(*callback)->listener);
	leave(&(*callback)->waiting);
	for (size_t i = 0; i < VISITORS; i++)
		leave(&(*callback)->visitors[i].fd);
	*callback = NULL;
}

struct str callback_uri(struct task *task, const struct callback *callback)
{
	return STR_JOIN(&task->arena, STR("http://"), callback->authority, STR(PATH));
}

static void turn_away(struct task *task, struct visitor *visitor, unsigned status, const char *why)
{
	callback_page_send(task, visitor->fd, status, "Not the answer to a sign-in", why);
	leave(&visitor->fd);
}

/* OK if the query is an answer to what we asked. */
static enum err read_answer(struct task *task, const struct callback *callback, struct str query,
			    struct callback_answer *ret_answer)
{
	static const char *const none[] = { NULL };
	struct callback_answer answer;
	struct form form;

	TRY(form_parse(task, query, &form));
	TRY(form_check_single(task, &form, none));
	if (!secret_equals(form_get(&form, "state"), callback->state))
		return fail(task, ERR_FORBIDDEN, "another state");
	answer.code = form_get(&form, "code");
	answer.error = form_get(&form, "error");
	answer.error_description = form_get(&form, "error_description");
	answer.iss = form_get(&form, "iss");
	if ((answer.code.at == NULL) == (answer.error.at == NULL))
		return fail(task, ERR_REQUEST, "neither or both of code and error");
	*ret_answer = answer;
	return OK;
}

/*
 * True if this visitor brought the answer; it then keeps waiting for the page. Others get theirs
 * at once.
 */
static bool hear(struct task *task, struct callback *callback, struct visitor *visitor,
		 struct callback_answer *ret_answer)
{
	const struct request *request = &visitor->request;

	/* another name for this address is another site's page in the browser (DNS rebinding) */
	if (!str_equals(request_field(request, STR("Host")), callback->authority)) {
		turn_away(task, visitor, 400, "This address is for one sign-in only.");
		return false;
	}
	if (!str_equals(request->path, STR(PATH))) {
		turn_away(task, visitor, 404, "There is nothing here.");
		return false;
	}
	if (!str_equals(request->method, STR("GET"))) {
		turn_away(task, visitor, 405, "The answer to a sign-in comes by GET.");
		return false;
	}
	if (read_answer(task, callback, request->query, ret_answer) != OK) {
		task_forgive(task);
		turn_away(task, visitor, 400,
			  "It belongs to another sign-in, or is damaged. Please go back to the "
			  "program that sent you and start again.");
		return false;
	}
	callback->waiting = visitor->fd;
	visitor->fd = -1;
	return true;
}

/* Takes what has come on one connection. True if it is the answer. */
static bool listen_to(struct task *task, struct callback *callback, struct visitor *visitor,
		      struct callback_answer *ret_answer)
{
	size_t room = sizeof(visitor->bytes) - visitor->len;
	ssize_t got = recv(visitor->fd, visitor->bytes + visitor->len, room, MSG_DONTWAIT);
	enum head_state state;

	if (got <= 0) {
		leave(&visitor->fd);
		return false;
	}
	visitor->len += (size_t)got;
	state = head_feed(&visitor->head, &visitor->request, visitor->bytes, visitor->len);
	if (state == HEAD_DONE)
		return hear(task, callback, visitor, ret_answer);
	if (state == HEAD_REFUSED || visitor->len == sizeof(visitor->bytes))
		turn_away(task, visitor, 400, "That is not a request a browser makes.");
	return false;
}

static void let_in(struct callback *callback)
{
	struct visitor *place = &callback->visitors[0];
	int fd = accept4(callback->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	/* a free place, else that of the one who is here longest */
	for (size_t i = 1; i < VISITORS && place->fd >= 0; i++) {
		struct visitor *other = &callback->visitors[i];

		if (other->fd < 0 || other->deadline < place->deadline)
			place = other;
	}
	leave(&place->fd);
	*place = (struct visitor){ .fd = fd, .deadline = clock_monotonic() + PATIENCE };
}

enum err callback_wait(struct task *task, struct callback *callback, int64_t deadline,
		       struct callback_answer *ret_answer)
{
	struct pollfd polled[VISITORS + 1];

	for (int64_t now = clock_monotonic(); now < deadline; now = clock_monotonic()) {
		for (size_t i = 0; i < VISITORS; i++) {
			struct visitor *visitor = &callback->visitors[i];

			if (visitor->fd >= 0 && now >= visitor->deadline)
				leave(&visitor->fd);
			polled[i] = (struct pollfd){ .fd = visitor->fd, .events = POLLIN };
		}
		polled[VISITORS] = (struct pollfd){ .fd = callback->listener, .events = POLLIN };
		if (poll(polled, VISITORS + 1, POLL_STEP) <= 0)
			continue;
		for (size_t i = 0; i < VISITORS; i++) {
			if (polled[i].revents != 0 &&
			    listen_to(task, callback, &callback->visitors[i], ret_answer))
				return OK;
		}
		if (polled[VISITORS].revents != 0)
			let_in(callback);
	}
	return fail(task, ERR_DENIED, "nobody came back from the browser in time");
}

void callback_finish(struct task *task, struct callback *callback, const char *heading,
		     const char *text)
{
	if (callback->waiting >= 0)
		callback_page_send(task, callback->waiting, 200, heading, text);
	leave(&callback->waiting);
}

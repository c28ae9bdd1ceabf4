/* SPDX-License-Identifier: Apache-2.0 */
#include "http/outgoing.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/url.h"
#include "http/outgoing_call.h"

#define POLL_MOST_MS 1000

struct outgoing {
	struct outgoing_config config;
	const struct client_api *curl; /* set before its thread begins */
	CURLM *multi;

	pthread_mutex_t lock;			 /* around what follows, up to the empty line */
	struct call *arrived;			 /* asked for, or back from their lookup */
	const struct call *known[OUTGOING_MOST]; /* all there are: for the two ceilings */
	unsigned count;
	int holders; /* its owner and each lookup: the last one frees it */
	bool has_thread;
	bool is_stopping;

	struct call *waiting; /* the thread's own: those whose task is not told yet */
	pthread_t thread;
};

struct outgoing *outgoing_new(const struct outgoing_config *config)
{
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));

	if (outgoing == NULL)
		abort();
	outgoing->config = *config;
	outgoing->holders = 1;
	pthread_mutex_init(&outgoing->lock, NULL);
	return outgoing;
}

static void share_free(struct outgoing *outgoing)
{
	bool is_last;

	pthread_mutex_lock(&outgoing->lock);
	is_last = --outgoing->holders == 0;
	pthread_mutex_unlock(&outgoing->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&outgoing->lock);
	free(outgoing);
}

/* --- a lookup, in a thread of its own --- */

static void forget_locked(struct outgoing *outgoing, const struct call *call)
{
	for (unsigned i = 0; i < outgoing->count; i++) {
		if (outgoing->known[i] != call)
			continue;
		outgoing->known[i] = outgoing->known[--outgoing->count];
		return;
	}
}

static void call_free(struct outgoing *outgoing, struct call *call)
{
	pthread_mutex_lock(&outgoing->lock);
	forget_locked(outgoing, call);
	pthread_mutex_unlock(&outgoing->lock);
	arena_free(&call->arena);
	free(call);
}

/* A lookup that comes back when all is over has nobody to come back to. */
static bool push(struct outgoing *outgoing, struct call *call)
{
	bool is_taken;

	pthread_mutex_lock(&outgoing->lock);
	is_taken = !outgoing->is_stopping;
	if (is_taken) {
		call->next = outgoing->arrived;
		outgoing->arrived = call;
		outgoing->curl->multi_wakeup(outgoing->multi);
	}
	pthread_mutex_unlock(&outgoing->lock);
	return is_taken;
}

static void *look_up(void *argument)
{
	struct call *call = argument;
	struct outgoing *outgoing = call->outgoing;

	call_look_up(call);
	if (!push(outgoing, call))
		call_free(outgoing, call);
	share_free(outgoing);
	return NULL;
}

/* Signals are the main thread's affair. */
static bool start_thread(void *(*run)(void *), void *argument, pthread_t *ret_thread)
{
	sigset_t all, before;
	bool is_started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	is_started = pthread_create(ret_thread, NULL, run, argument) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_started;
}

/* --- the thread of the fetches --- */

static void tell(struct call *call, enum err err)
{
	struct task *task = call->task;

	call->task = NULL;
	task_resume(task, err);
}

static void take_out(struct outgoing *outgoing, const struct call *call)
{
	struct call **place = &outgoing->waiting;

	while (*place != call)
		place = &(*place)->behind;
	*place = call->behind;
}

/* The end of one whose lookup is over. */
static void end(struct outgoing *outgoing, struct call *call, enum err err)
{
	take_out(outgoing, call);
	call_drop(call);
	tell(call, err);
	call_free(outgoing, call);
}

static void share(struct outgoing *outgoing, int more)
{
	pthread_mutex_lock(&outgoing->lock);
	outgoing->holders += more;
	pthread_mutex_unlock(&outgoing->lock);
}

/* Here, where what the config names still stands: the lookup may outlive it. */
static enum err read_trusted(const struct outgoing_config *config, struct call *call)
{
	struct task task;
	enum err err;

	if (config->extra_ca == NULL)
		return OK;
	task_begin(&task, config->clock, config->log);
	err = config->extra_ca(&task, config->context, &call->extra_ca);
	if (err == OK)
		call->extra_ca = str_copy(&call->arena, call->extra_ca);
	else
		task_note(call->task, err, str_copy(&call->task->arena, task.reason));
	task_end(&task);
	return err;
}

static void begin_lookup(struct outgoing *outgoing, struct call *call)
{
	enum err err = read_trusted(&outgoing->config, call);
	pthread_t thread;

	call->behind = outgoing->waiting;
	outgoing->waiting = call;
	if (err != OK)
		return end(outgoing, call, err);
	share(outgoing, 1);
	if (start_thread(look_up, call, &thread)) {
		(void)pthread_detach(thread);
		return;
	}
	share(outgoing, -1); /* its owner is there still */
	end(outgoing, call, fail(call->task, ERR_BUSY, "no thread to look a name up"));
}

static void begin_fetch(struct outgoing *outgoing, struct call *call)
{
	struct task *task = call->task;
	int64_t now = clock_monotonic();
	enum err err = call->looked_up;

	if (err != OK) {
		task_note(task, err, STR_JOIN(&task->arena, call->host, STR(": "), call->why));
		return end(outgoing, call, err);
	}
	if (now >= call->ends_at)
		err = failf(task, ERR_TIMEOUT, "%.*s was not found within %d ms",
			    STR_FMT(call->host), call->timeout_ms);
	else
		err = call_prepare(call, now);
	if (err == OK && outgoing->curl->multi_add(outgoing->multi, call->easy) != CURLM_OK)
		err = fail(task, ERR_INTERNAL, "the HTTP client takes no more");
	if (err != OK)
		end(outgoing, call, err);
}

static bool is_new(const struct call *call)
{
	return call->looked_up == ERR_PARKED;
}

static void take_arrived(struct outgoing *outgoing)
{
	struct call *call, *next;

	pthread_mutex_lock(&outgoing->lock);
	call = outgoing->arrived;
	outgoing->arrived = NULL;
	pthread_mutex_unlock(&outgoing->lock);
	for (; call != NULL; call = next) {
		next = call->next;
		if (call->task == NULL) { /* told already that it took too long */
			call_free(outgoing, call);
			continue;
		}
		if (is_new(call))
			begin_lookup(outgoing, call);
		else
			begin_fetch(outgoing, call);
	}
}

static void take_ended(struct outgoing *outgoing)
{
	int left = 0;

	for (;;) {
		CURLMsg *message = outgoing->curl->multi_read(outgoing->multi, &left);
		struct call *call = NULL;
		CURLcode code;

		if (message == NULL)
			return;
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		outgoing->curl->get(message->easy_handle, CURLINFO_PRIVATE, (void *)&call);
		outgoing->curl->multi_remove(outgoing->multi, call->easy);
		end(outgoing, call, call_finish(call, code));
	}
}

/* Whose lookup takes too long: told now; the lookup's thread is waited for by nobody. */
static int end_late(struct outgoing *outgoing)
{
	int64_t now = clock_monotonic(), first = now + POLL_MOST_MS;
	struct call *call, *next;

	for (call = outgoing->waiting; call != NULL; call = next) {
		next = call->behind;
		if (call->easy != NULL)
			continue;
		if (call->ends_at > now) {
			first = call->ends_at < first ? call->ends_at : first;
			continue;
		}
		take_out(outgoing, call);
		tell(call, failf(call->task, ERR_TIMEOUT, "%.*s was not found within %d ms",
				 STR_FMT(call->host), call->timeout_ms));
	}
	return (int)(first - now);
}

static bool is_stopping(struct outgoing *outgoing)
{
	bool is;

	pthread_mutex_lock(&outgoing->lock);
	is = outgoing->is_stopping;
	pthread_mutex_unlock(&outgoing->lock);
	return is;
}

static void *run(void *argument)
{
	struct outgoing *outgoing = argument;
	int running;

	while (!is_stopping(outgoing)) {
		take_arrived(outgoing);
		outgoing->curl->multi_perform(outgoing->multi, &running);
		take_ended(outgoing);
		outgoing->curl->multi_poll(outgoing->multi, NULL, 0, end_late(outgoing), NULL);
	}
	return NULL;
}

/* --- from any thread --- */

static enum err start_locked(struct task *task, struct outgoing *outgoing)
{
	if (outgoing->has_thread)
		return OK;
	TRY(client_api_load(task, &outgoing->curl));
	if (outgoing->multi == NULL)
		outgoing->multi = outgoing->curl->multi_init();
	if (outgoing->multi == NULL || !start_thread(run, outgoing, &outgoing->thread))
		return fail(task, ERR_BUSY, "no thread for calls out");
	outgoing->has_thread = true;
	return OK;
}

static enum err check_room_locked(struct task *task, const struct outgoing *outgoing,
				  struct str host)
{
	unsigned same = 0;

	for (unsigned i = 0; i < outgoing->count; i++)
		same += str_equals(outgoing->known[i]->host, host);
	if (outgoing->count == OUTGOING_MOST || same == OUTGOING_PER_HOST)
		return fail(task, ERR_BUSY, "too many calls out at the moment");
	return OK;
}

static enum err check_url(struct task *task, const struct outgoing_wish *wish, struct url *ret_url)
{
	struct url url;

	if (wish->url.len > OUTGOING_URL_MAX || url_parse(wish->url, &url) != OK ||
	    !str_equals(url.scheme, STR("https")) || url.host.at == NULL)
		return fail(task, ERR_REQUEST, "only https URLs are called");
	if (url.userinfo.at != NULL || url.fragment.at != NULL)
		return fail(task, ERR_REQUEST, "a URL with a user or a fragment is not called");
	if (!url_host_is_name(url.host) &&
	    !(wish->allow_loopback && str_equals(url.host, STR("localhost"))))
		return fail(task, ERR_REQUEST, "only hosts with a name are called");
	*ret_url = url;
	return OK;
}

static struct call *call_new(struct outgoing *outgoing, struct task *task,
			     const struct outgoing_wish *wish, const struct url *url)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->outgoing = outgoing;
	call->url = str_copy(&call->arena, wish->url);
	call->host = str_copy(&call->arena, url->host);
	call->port = url->port.at == NULL ? STR("443") : str_copy(&call->arena, url->port);
	call->accept = str_copy(&call->arena, wish->accept);
	call->allow_loopback = wish->allow_loopback;
	call->looked_up = ERR_PARKED;
	call->task = task;
	call->timeout_ms = wish->timeout_ms;
	call->ends_at = clock_monotonic() + wish->timeout_ms;
	call->answer_max = wish->answer_max;
	return call;
}

static enum err submit_locked(struct task *task, struct outgoing *outgoing, struct call *call)
{
	TRY(check_room_locked(task, outgoing, call->host));
	TRY(start_locked(task, outgoing));
	outgoing->known[outgoing->count++] = call;
	call->next = outgoing->arrived;
	outgoing->arrived = call;
	outgoing->curl->multi_wakeup(outgoing->multi);
	return OK;
}

enum err outgoing_get(struct task *task, struct outgoing *outgoing,
		      const struct outgoing_wish *wish, struct outgoing_answer *ret_answer,
		      then_fn *then, void *arg)
{
	struct call *call;
	struct url url;
	enum err err;

	TRY(check_url(task, wish, &url));
	call = call_new(outgoing, task, wish, &url);
	call->ret_answer = ret_answer;
	/* parked before it is seen: from then on the task is another thread's */
	pthread_mutex_lock(&outgoing->lock);
	err = submit_locked(task, outgoing, call);
	if (err == OK)
		err = task_park(task, then, arg);
	pthread_mutex_unlock(&outgoing->lock);
	if (err == ERR_PARKED)
		return err;
	call_free(outgoing, call);
	return err;
}

void outgoing_free(struct outgoing **closing)
{
	struct outgoing *outgoing = *closing;
	struct call *call, *next;

	*closing = NULL;
	if (outgoing == NULL)
		return;
	pthread_mutex_lock(&outgoing->lock);
	outgoing->is_stopping = true;
	if (outgoing->has_thread)
		outgoing->curl->multi_wakeup(outgoing->multi);
	pthread_mutex_unlock(&outgoing->lock);
	if (outgoing->has_thread)
		pthread_join(outgoing->thread, NULL);
	assert(outgoing->waiting == NULL);
	/* of lookups that came back after their time */
	for (call = outgoing->arrived; call != NULL; call = next) {
		next = call->next;
		call_free(outgoing, call);
	}
	if (outgoing->multi != NULL)
		outgoing->curl->multi_cleanup(outgoing->multi);
	share_free(outgoing);
}

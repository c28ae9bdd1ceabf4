/* SPDX-License-Identifier: Apache-2.0 */
#include "http/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/conn.h"

#define EVENTS_MAX   256
#define ACCEPTS_MAX  64
#define WAIT_MOST_MS 1000
/* how long to wait for free file descriptors */
#define PAUSE_MS  100
#define LINGER_MS 2000
/* of one round: a task waits twice at most, a connection may go on for ever */
#define MEETINGS_MAX 4
/* connections beyond the ceiling, for unix sockets: an operator is heard when the public is many */
#define RESERVE 64

static void set_lasts(struct loop *loop)
{
	const struct http_limits *limits = &loop->config->limits;
	int *lasts = loop->timers.lasts_ms;

	lasts[TIMER_HEAD] = limits->head_ms;
	lasts[TIMER_BODY] = limits->body_ms;
	lasts[TIMER_TASK] = limits->task_ms;
	lasts[TIMER_WRITE] = limits->write_ms;
	lasts[TIMER_IDLE] = limits->idle_ms;
	lasts[TIMER_LINGER] = LINGER_MS;
}

static int watch(struct loop *loop, int fd, void *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int result = epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);

	return result != 0 && errno == EEXIST ? 0 : result;
}

static int watch_listeners(struct loop *loop)
{
	for (size_t i = 0; i < loop->listener_count; i++) {
		struct loop_listener *listener = &loop->listeners[i];
		uint32_t shared = listener->is_shared ? (uint32_t)EPOLLEXCLUSIVE : 0;

		if (listener->fd >= 0 && watch(loop, listener->fd, listener, EPOLLIN | shared) != 0)
			return -1;
	}
	return 0;
}

static void unwatch_listeners(struct loop *loop)
{
	for (size_t i = 0; i < loop->listener_count; i++)
		if (loop->listeners[i].fd >= 0)
			(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->listeners[i].fd, NULL);
}

enum err loop_open(struct task *task, struct loop *loop)
{
	loop->source = SOURCE_WAKE;
	timers_begin(&loop->timers);
	set_lasts(loop);
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll < 0 || loop->wake < 0 || watch(loop, loop->wake, loop, EPOLLIN) != 0 ||
	    watch_listeners(loop) != 0)
		return fail(task, ERR_INTERNAL, "no epoll or eventfd for a loop");
	return OK;
}

static void close_listeners(struct loop *loop)
{
	for (size_t i = 0; i < loop->listener_count; i++) {
		struct loop_listener *listener = &loop->listeners[i];

		/* the server closes what all share */
		if (listener->fd >= 0 && !listener->is_shared)
			close(listener->fd);
		listener->fd = -1;
	}
}

void loop_close(struct loop *loop)
{
	close_listeners(loop);
	if (loop->wake >= 0)
		close(loop->wake);
	if (loop->epoll >= 0)
		close(loop->epoll);
	while (loop->spare != NULL) {
		struct work *work = loop->spare;

		loop->spare = work->spare;
		work_free(work);
	}
	pthread_mutex_destroy(&loop->lock);
}

static void wake(struct loop *loop)
{
	uint64_t one = 1;
	/* full means that it is awake already */
	ssize_t written = write(loop->wake, &one, sizeof(one));

	(void)written;
}

/* Whoever else asks is another thread; then it does not matter what the loop's is doing. */
static bool will_look(struct loop *loop)
{
	return pthread_equal(loop->self, pthread_self()) && atomic_load(&loop->is_meeting);
}

void loop_home(struct task *task)
{
	struct loop *loop = exchange_of(task)->connection->loop;
	bool was_empty;

	pthread_mutex_lock(&loop->lock);
	task->next = NULL;
	was_empty = loop->first == NULL;
	if (was_empty)
		loop->first = task;
	else
		loop->last->next = task;
	loop->last = task;
	/* inside the lock: once it is open, a loop that has nothing else left may end */
	if (was_empty && !will_look(loop))
		wake(loop);
	pthread_mutex_unlock(&loop->lock);
}

static void take_home(struct loop *loop)
{
	struct task *task, *next;

	pthread_mutex_lock(&loop->lock);
	task = loop->first;
	loop->first = loop->last = NULL;
	pthread_mutex_unlock(&loop->lock);
	for (; task != NULL; task = next) {
		next = task->next;
		task->next = NULL;
		conn_home(exchange_of(task)->connection);
	}
}

/*
 * What tasks of this round wait for together. Their next steps may wait again, or answer and begin
 * with the next request of their connection: a few times here, then others have their turn.
 */
static void meet_gathered(struct loop *loop)
{
	const struct http_config *config = loop->config;
	bool met = config->meet_gathered != NULL;

	for (int i = 0; i < MEETINGS_MAX && met; i++) {
		atomic_store(&loop->is_meeting, true);
		met = config->meet_gathered(config->gatherer, loop->thread);
		atomic_store(&loop->is_meeting, false);
		if (met)
			take_home(loop);
	}
	loop->has_more = met;
}

static struct connection *connection_of(struct timer *timer)
{
	return (struct connection *)(void *)((char *)timer - offsetof(struct connection, timer));
}

/* As nginx does: who has waited longest without asking for anything makes room for a new client. */
static bool make_room(struct loop *loop)
{
	struct timer *timer = timers_first(&loop->timers, TIMER_IDLE);

	if (timer == NULL)
		timer = timers_first(&loop->timers, TIMER_HEAD);
	if (timer == NULL || connection_of(timer)->work != NULL)
		return false;
	conn_give_up(connection_of(timer));
	return true;
}

static bool has_room(struct loop *loop, const struct loop_listener *listener)
{
	unsigned most = loop->config->limits.connections + (listener->is_shared ? RESERVE : 0);

	return loop->connection_count < most || make_room(loop);
}

static bool is_out_of_room(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void turn_away(struct loop *loop, int fd)
{
	figure_add(&loop->figures.crowded, 1);
	close(fd);
}

static void accept_some(struct loop *loop, struct loop_listener *listener)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t len = sizeof(address);
		int fd = accept4(listener->fd, (struct sockaddr *)&address, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && is_out_of_room(errno)) {
			unwatch_listeners(loop);
			loop->paused_until = loop->now + PAUSE_MS;
		}
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0)
			return;
		if (has_room(loop, listener))
			conn_open(loop, listener->listener, fd, (struct sockaddr *)&address);
		else
			turn_away(loop, fd);
	}
}

/* After the events of the connections, for it may end one that had an event in the same round. */
static void accept_due(struct loop *loop)
{
	for (size_t i = 0; i < loop->listener_count; i++) {
		struct loop_listener *listener = &loop->listeners[i];

		if (listener->is_due)
			accept_some(loop, listener);
		listener->is_due = false;
	}
}

static void handle(struct loop *loop, const struct epoll_event *event)
{
	enum source source = *(const enum source *)event->data.ptr;
	uint64_t count;

	if (source == SOURCE_CONNECTION)
		conn_event(event->data.ptr, event->events);
	else if (source == SOURCE_LISTENER)
		((struct loop_listener *)event->data.ptr)->is_due = true;
	else if (read(loop->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
}

/* Each connection that yielded, once; what yields again waits for the next round. */
static void go_on(struct loop *loop)
{
	struct timer *last = loop->timers.queues[TIMER_NOW].before;
	struct timer *timer;

	do {
		timer = timers_first(&loop->timers, TIMER_NOW);
		if (timer == NULL)
			return;
		conn_timeout(connection_of(timer));
	} while (timer != last);
}

static void end_late(struct loop *loop)
{
	struct timer *timer;

	while ((timer = timers_ended(&loop->timers, loop->now)) != NULL)
		conn_timeout(connection_of(timer));
}

/* Requests that have arrived are read and answered; connections without one end. */
static void nudge(struct loop *loop, enum timer_kind kind)
{
	struct timer *queue = &loop->timers.queues[kind];
	struct timer *timer, *next;

	for (timer = queue->after; timer != queue; timer = next) {
		struct connection *c = connection_of(timer);

		next = timer->after;
		c->stream.may_read = true;
		conn_run(c);
	}
}

static void begin_drain(struct loop *loop)
{
	loop->is_draining = true;
	unwatch_listeners(loop);
	for (size_t i = 0; i < loop->listener_count; i++)
		accept_some(loop, &loop->listeners[i]);
	close_listeners(loop);
	nudge(loop, TIMER_IDLE);
	nudge(loop, TIMER_HEAD);
}

static void end_drain(struct loop *loop)
{
	for (int kind = TIMER_NOW; kind < TIMER_KINDS; kind++) {
		struct timer *timer;

		while ((timer = timers_first(&loop->timers, (enum timer_kind)kind)) != NULL)
			conn_give_up(connection_of(timer));
	}
}

static void drain(struct loop *loop, int64_t stop_at)
{
	if (!loop->is_draining)
		begin_drain(loop);
	if (loop->now >= stop_at)
		end_drain(loop);
}

static int wait_ms(const struct loop *loop, int64_t stop_at)
{
	int most = loop->paused_until != 0 ? PAUSE_MS : WAIT_MOST_MS;

	if (loop->has_more)
		return 0;
	/* after the drain only tasks that are away are waited for, and they wake us */
	if (stop_at != 0 && stop_at > loop->now && stop_at - loop->now < most)
		most = (int)(stop_at - loop->now);
	return timers_wait(&loop->timers, loop->now, most);
}

static void unpause(struct loop *loop)
{
	if (loop->paused_until == 0 || loop->now < loop->paused_until || loop->is_draining)
		return;
	/* what there was too little of may still be missing */
	loop->paused_until = watch_listeners(loop) == 0 ? 0 : loop->now + PAUSE_MS;
}

static void *run(void *argument)
{
	struct loop *loop = argument;
	struct epoll_event events[EVENTS_MAX];
	int64_t stop_at = 0;

	loop->self = pthread_self();
	loop->now = clock_monotonic();
	while (!loop->is_draining || loop->connection_count > 0) {
		int count = epoll_wait(loop->epoll, events, EVENTS_MAX, wait_ms(loop, stop_at));

		loop->now = clock_monotonic();
		for (int i = 0; i < count; i++)
			handle(loop, &events[i]);
		accept_due(loop);
		take_home(loop);
		go_on(loop);
		end_late(loop);
		unpause(loop);
		stop_at = atomic_load(&loop->stop_at);
		if (stop_at != 0)
			drain(loop, stop_at);
		meet_gathered(loop);
	}
	return NULL;
}

enum err loop_start(struct task *task, struct loop *loop)
{
	if (pthread_create(&loop->id, NULL, run, loop) != 0)
		return fail(task, ERR_INTERNAL, "no thread for a loop");
	loop->has_thread = true;
	return OK;
}

void loop_stop(struct loop *loop, int64_t stop_at)
{
	atomic_store(&loop->stop_at, stop_at);
	wake(loop);
}

void loop_join(struct loop *loop)
{
	if (loop->has_thread)
		pthread_join(loop->id, NULL);
	loop->has_thread = false;
	/* whoever brought the last task home may still hold the lock */
	pthread_mutex_lock(&loop->lock);
	pthread_mutex_unlock(&loop->lock);
}

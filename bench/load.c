/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	load NAME=VALUE...
 *
 * port tls connections seconds limit rate  numbers, see struct plan
 * request  a file: request line and headers, an empty line, the body (%s is the token)
 * tokens   a file with a token per line; take: cycle, once or chain; member: of a chain
 * left     a file for the tokens that are good afterwards (of a chain, or not used)
 * times    a file for how long each took: 32 bits each, tenths of a µs
 * proofs   a file with a proof per line (%p), connection by connection and again from the first
 *
 * Says "go" when all connections stand, waits for a line, runs, and prints one line of JSON: count,
 * seconds, p50 and p99 in µs, and what it used of a processor itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "outside.h"

#define CONNECTIONS_MAX 1024

struct run {
	struct plan plan;
	SSL_CTX *tls;
	int epoll;
	struct conn *conns;
	int64_t begin, until;
	int64_t started, count;
	size_t next_token;   /* of TAKE_ONCE */
	uint32_t *latencies; /* tenths of a µs */
	size_t room;
	int open;
	const char *left_file, *times_file; /* or NULL */
};

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat facts;
	char *text;

	if (file == NULL || fstat(fileno(file), &facts) != 0)
		die("%s: %s", path, strerror(errno));
	text = calloc(1, (size_t)facts.st_size + 1);
	if (text == NULL || fread(text, 1, (size_t)facts.st_size, file) != (size_t)facts.st_size)
		die("%s cannot be read", path);
	(void)fclose(file);
	return text;
}

/* Lines end with LF in the file, and with CRLF on the wire. */
static char *with_crlf(const char *text, size_t len)
{
	char *out = calloc(2, len + 1);
	size_t at = 0;

	if (out == NULL)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			out[at++] = '\r';
		out[at++] = text[i];
	}
	return out;
}

static void read_request(struct plan *plan, const char *path)
{
	char *text = read_file(path);
	char *gap = strstr(text, "\n\n");

	if (gap == NULL)
		die("%s has no empty line after its headers", path);
	plan->head = with_crlf(text, (size_t)(gap + 1 - text));
	plan->body = gap[2] == '\0' ? NULL : strdup(gap + 2);
	free(text);
}

static char **read_lines(const char *path, size_t *ret_count)
{
	char *text = read_file(path);
	char **all;
	size_t lines = 0, count = 0;

	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	all = calloc(lines + 1, sizeof(*all));
	if (all == NULL)
		abort();
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (strlen(line) >= TOKEN_MAX)
			die("%s: a line is too long", path);
		if (*line != '\0')
			all[count++] = line;
	}
	*ret_count = count;
	return all;
}

static enum take take_from(const char *word)
{
	static const char *const words[] = { "cycle", "once", "chain" };

	for (int i = 0; i < 3; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum take)i;
	die("take=%s", word);
}

static void read_words(struct run *run, char **words)
{
	struct plan *plan = &run->plan;

	for (; *words != NULL; words++) {
		char *value = *words;
		const char *name = strsep(&value, "=");

		if (value == NULL)
			die("%s is not NAME=VALUE", name);
		if (strcmp(name, "request") == 0)
			read_request(plan, value);
		else if (strcmp(name, "tokens") == 0)
			plan->tokens = read_lines(value, &plan->token_count);
		else if (strcmp(name, "proofs") == 0)
			plan->proofs = read_lines(value, &plan->proof_count);
		else if (strcmp(name, "left") == 0)
			run->left_file = value;
		else if (strcmp(name, "times") == 0)
			run->times_file = value;
		else if (strcmp(name, "member") == 0)
			plan->member = value;
		else if (strcmp(name, "take") == 0)
			plan->take = take_from(value);
		else if (strcmp(name, "port") == 0)
			plan->port = (int)number_of(value);
		else if (strcmp(name, "tls") == 0)
			plan->tls = number_of(value) != 0;
		else if (strcmp(name, "connections") == 0)
			plan->connections = (int)number_of(value);
		else if (strcmp(name, "status") == 0)
			plan->status = (int)number_of(value);
		else if (strcmp(name, "seconds") == 0)
			plan->run_ns = seconds_of(value);
		else if (strcmp(name, "limit") == 0)
			plan->limit = number_of(value);
		else if (strcmp(name, "rate") == 0)
			plan->rate = number_of(value);
		else
			die("what is %s?", name);
	}
}

static void check_plan(const struct plan *plan)
{
	if (plan->head == NULL || plan->run_ns <= 0 || plan->connections < 1 ||
	    plan->connections > CONNECTIONS_MAX)
		die("request, seconds and connections (at most %d) are needed", CONNECTIONS_MAX);
	if (plan->token_count < (size_t)plan->connections &&
	    (plan->take != TAKE_CYCLE || plan->token_count > 0))
		die("fewer tokens than connections");
	if (plan->take == TAKE_CHAIN && plan->member == NULL)
		die("a chain of which member?");
}

static SSL_CTX *new_tls(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL)
		abort();
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return tls;
}

/* False when there is none left. */
static bool take_token(struct run *run, struct conn *conn)
{
	const struct plan *plan = &run->plan;
	size_t number = (size_t)(conn - run->conns) + conn->turn * (size_t)plan->connections;

	if (plan->take == TAKE_CHAIN || plan->token_count == 0)
		return true;
	if (plan->take == TAKE_ONCE) {
		if (run->next_token == plan->token_count)
			return false;
		number = run->next_token++;
	} else if (number >= plan->token_count) {
		conn->turn = 0;
		number = (size_t)(conn - run->conns);
	}
	conn->turn++;
	memcpy(conn->token, plan->tokens[number], strlen(plan->tokens[number]) + 1);
	return true;
}

/* False when its share is used up. */
static bool take_proof(struct run *run, struct conn *conn)
{
	const struct plan *plan = &run->plan;
	size_t number = (size_t)(conn - run->conns) + conn->proof_turn * (size_t)plan->connections;

	conn->proof = "";
	if (plan->proofs == NULL)
		return true;
	if (number >= plan->proof_count)
		return false;
	conn->proof = plan->proofs[number];
	conn->proof_turn++;
	return true;
}

static void note_latency(struct run *run, const struct conn *conn)
{
	if ((size_t)run->count == run->room) {
		run->room = run->room == 0 ? 1 << 16 : run->room * 2;
		run->latencies = reallocarray(run->latencies, run->room, sizeof(uint32_t));
		if (run->latencies == NULL)
			abort();
	}
	run->latencies[run->count++] = (uint32_t)((conn->done_at - conn->due_at) / 100);
}

/* A connection is watched for what it waits for; what it has prepared is sent at once. */
static void watch(const struct run *run, struct conn *conn, int how)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

	if (conn->state == CONN_SENDING)
		event.events |= EPOLLOUT;
	if (epoll_ctl(run->epoll, how, conn->fd, &event) != 0)
		die("epoll: %s", strerror(errno));
}

static void end(struct run *run, struct conn *conn)
{
	conn->state = CONN_OVER;
	conn_close(conn);
	run->open--;
}

/* Sends the next request when its time has come, and ends the connection when time is up. */
static void go_on(struct run *run, struct conn *conn, int64_t now)
{
	const struct plan *plan = &run->plan;
	int fd = conn->fd;

	while (conn->state == CONN_IDLE && (plan->rate == 0 || conn->due_at <= now)) {
		if (now >= run->until || (plan->limit > 0 && run->started == plan->limit) ||
		    !take_token(run, conn) || !take_proof(run, conn)) {
			end(run, conn);
			return;
		}
		if (plan->rate == 0)
			conn->due_at = now;
		run->started++;
		conn_prepare(conn, plan);
		if (!conn_step(conn, plan, run->tls))
			break;
		now = conn->done_at = now_ns();
		note_latency(run, conn);
		if (plan->rate > 0)
			conn->due_at += plan->connections * NS_PER_SEC / plan->rate;
	}
	if (conn->fd != fd)
		watch(run, conn, EPOLL_CTL_ADD);
	else if (conn->state == CONN_SENDING)
		watch(run, conn, EPOLL_CTL_MOD);
}

static void answered(struct run *run, struct conn *conn)
{
	int fd = conn->fd;
	bool was_sending = conn->state == CONN_SENDING;
	bool is_done = conn_step(conn, &run->plan, run->tls);

	if (conn->fd != fd)
		watch(run, conn, EPOLL_CTL_ADD);
	else if (was_sending && conn->state != CONN_SENDING)
		watch(run, conn, EPOLL_CTL_MOD);
	if (!is_done)
		return;
	conn->done_at = now_ns();
	note_latency(run, conn);
	if (run->plan.rate > 0)
		conn->due_at += run->plan.connections * NS_PER_SEC / run->plan.rate;
	go_on(run, conn, conn->done_at);
}

/* Paced connections that are idle: the earliest that is due, at most 100 ms from now. */
static int64_t wait_ns(const struct run *run, int64_t now)
{
	int64_t wait = NS_PER_SEC / 10;

	for (int i = 0; run->plan.rate > 0 && i < run->plan.connections; i++)
		if (run->conns[i].state == CONN_IDLE && run->conns[i].due_at - now < wait)
			wait = run->conns[i].due_at - now;
	return wait < 0 ? 0 : wait;
}

static void run_until_over(struct run *run)
{
	struct epoll_event events[256];

	while (run->open > 0) {
		int64_t now = now_ns();
		int64_t wait = wait_ns(run, now);
		struct timespec timeout = { .tv_nsec = wait };
		int ready = epoll_pwait2(run->epoll, events, 256, &timeout, NULL);

		for (int i = 0; i < ready; i++) {
			struct conn *conn = events[i].data.ptr;

			if (conn->state == CONN_SENDING || conn->state == CONN_READING)
				answered(run, conn);
		}
		now = now_ns();
		if (now > run->until + 30 * NS_PER_SEC)
			die("no answer for 30 s");
		for (int i = 0; run->plan.rate > 0 && i < run->plan.connections; i++)
			if (run->conns[i].state == CONN_IDLE)
				go_on(run, &run->conns[i], now);
	}
}

static void open_all(struct run *run)
{
	run->conns = calloc((size_t)run->plan.connections, sizeof(*run->conns));
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run->conns == NULL || run->epoll < 0)
		abort();
	for (int i = 0; i < run->plan.connections; i++) {
		struct conn *conn = &run->conns[i];

		if (run->plan.take == TAKE_CHAIN)
			memcpy(conn->token, run->plan.tokens[i], strlen(run->plan.tokens[i]) + 1);
		conn_open(conn, &run->plan, run->tls);
		watch(run, conn, EPOLL_CTL_ADD);
	}
	run->open = run->plan.connections;
}

static void start_all(struct run *run)
{
	run->begin = now_ns();
	run->until = run->begin + run->plan.run_ns;
	for (int i = 0; i < run->plan.connections; i++) {
		int64_t offset = run->plan.rate > 0 ? i * NS_PER_SEC / run->plan.rate : 0;

		run->conns[i].due_at = run->begin + offset;
		go_on(run, &run->conns[i], run->begin);
	}
}

static int by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void report(struct run *run)
{
	size_t count = (size_t)run->count;
	double seconds = (double)(now_ns() - run->begin) / (double)NS_PER_SEC;

	if (count == 0)
		die("nothing was answered");
	qsort(run->latencies, count, sizeof(*run->latencies), by_size);
	printf("{\"count\":%zu,\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"own_cpu\":%.3f}\n",
	       count, seconds, run->latencies[count / 2] / 10.0,
	       run->latencies[count * 99 / 100] / 10.0, own_cpu());
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	return file;
}

static void close_file(FILE *file, const char *path)
{
	if (fclose(file) != 0)
		die("%s: %s", path, strerror(errno));
}

static void write_times(const struct run *run)
{
	FILE *file = open_file(run->times_file);

	if (fwrite(run->latencies, sizeof(*run->latencies), (size_t)run->count, file) !=
	    (size_t)run->count)
		die("%s: %s", run->times_file, strerror(errno));
	close_file(file, run->times_file);
}

/* What can still be used: the end of each chain, or what nobody took. */
static void write_left(const struct run *run)
{
	FILE *file = open_file(run->left_file);

	for (int i = 0; run->plan.take == TAKE_CHAIN && i < run->plan.connections; i++)
		(void)fprintf(file, "%s\n", run->conns[i].token);
	for (size_t i = run->next_token; run->plan.take == TAKE_ONCE && i < run->plan.token_count;
	     i++)
		(void)fprintf(file, "%s\n", run->plan.tokens[i]);
	close_file(file, run->left_file);
}

int main(int argc, char **argv)
{
	struct run run = { .plan = { .connections = 32, .status = 200 } };

	read_words(&run, argv + (argc > 0));
	check_plan(&run.plan);
	run.tls = new_tls();
	open_all(&run);
	wait_for_word();
	start_all(&run);
	run_until_over(&run);
	report(&run);
	if (run.times_file != NULL)
		write_times(&run);
	if (run.left_file != NULL)
		write_left(&run);
	return 0;
}

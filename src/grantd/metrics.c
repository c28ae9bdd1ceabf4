/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/metrics.h"

#include <string.h>

#include "base/tally.h"
#include "base/task.h"
#include "grantd/exposition.h"
#include "http/figures.h"
#include "oauth/reply.h"

/* What tally.h counts, in families of one label. The rows of a family stand together. */
static const struct counted {
	enum tally_name name;
	const char *family;
	const char *help; /* NULL: the family of the row above */
	const char *label;
	const char *value;
} counted[] = {
	{ TALLY_TOKENS_FOR_CODE, "grantd_tokens_issued_total",
	  "Access tokens issued, by grant type.", "grant_type", "authorization_code" },
	{ TALLY_TOKENS_FOR_REFRESH, NULL, NULL, "grant_type", "refresh_token" },
	{ TALLY_TOKENS_FOR_CLIENT, NULL, NULL, "grant_type", "client_credentials" },
	{ TALLY_TOKENS_FOR_EXCHANGE, NULL, NULL, "grant_type", "token-exchange" },
	{ TALLY_TOKENS_FOR_DEVICE, NULL, NULL, "grant_type", "device_code" },
	{ TALLY_REUSED_REFRESH_TOKEN, "grantd_token_reuse_total",
	  "Old tokens and used codes that came again; each ended or paused what it belonged to.",
	  "kind", "refresh_token" },
	{ TALLY_REUSED_LOST, NULL, NULL, "kind", "refresh_token_lost_answer" },
	{ TALLY_REUSED_CODE, NULL, NULL, "kind", "code" },
	{ TALLY_REUSED_CODE_LOST, NULL, NULL, "kind", "code_lost_answer" },
	{ TALLY_RESTORED, NULL, NULL, "kind", "newer_than_database" },
	{ TALLY_REVOKED_BY_AGENT, "grantd_revocations_total",
	  "Grants and installations ended for good, by whom.", "by", "agent" },
	{ TALLY_REVOKED_BY_PERSON, NULL, NULL, "by", "person" },
	{ TALLY_REVOKED_BY_OPERATOR, NULL, NULL, "by", "operator" },
	{ TALLY_SIGN_IN, "grantd_sign_ins_total", "Attempts to sign in, by what became of them.",
	  "result", "succeeded" },
	{ TALLY_SIGN_IN_WRONG, NULL, NULL, "result", "wrong" },
	{ TALLY_SIGN_IN_THROTTLED, NULL, NULL, "result", "throttled" },
};

static void write_counted(struct exposition *to, const struct tally *tally)
{
	for (size_t i = 0; i < COUNT_OF(counted); i++) {
		const struct counted *row = &counted[i];

		if (row->help != NULL)
			exposition_family(to, FAMILY_COUNTER, row->family, row->help);
		exposition_sample(to, LABEL(row->label, str_from_c(row->value)),
				  tally_sum(tally, row->name));
	}
}

/* Several errors may share a word (server_error): the first of them speaks for all. */
static bool is_first_of_word(enum err err)
{
	for (int other = OK + 1; other < (int)err; other++)
		if (strcmp(oauth_answer_of((enum err)other)->word, oauth_answer_of(err)->word) == 0)
			return false;
	return true;
}

static void write_refusals(struct exposition *to, const struct tally *tally)
{
	exposition_family(to, FAMILY_COUNTER, "grantd_oauth_refusals_total",
			  "Requests that an OAuth endpoint refused, by error.");
	for (int err = OK + 1; err <= ERR_LAST; err++) {
		const char *word = oauth_answer_of((enum err)err)->word;
		uint64_t sum = 0;

		if (!is_first_of_word((enum err)err))
			continue;
		for (int same = err; same <= ERR_LAST; same++)
			if (strcmp(oauth_answer_of((enum err)same)->word, word) == 0)
				sum += tally_refusals(tally, (enum err)same);
		exposition_sample(to, LABEL("error", str_from_c(word)), sum);
	}
}

static struct labels place_labels(const struct http_place *place)
{
	const char *method = place->route == NULL ? "none" : place->route->method;
	const char *path = place->route == NULL ? "none" : place->route->path;

	return (struct labels){ .at = { { "listener", place->listener },
					{ "method", str_from_c(method) },
					{ "route", str_from_c(path) } },
				.count = 3 };
}

static void write_classes(struct exposition *to, const struct http_place *place)
{
	static const char *const classes[STATUS_CLASSES] = {
		[STATUS_2XX] = "2xx", [STATUS_3XX] = "3xx", [STATUS_4XX] = "4xx",
		[STATUS_5XX] = "5xx", [STATUS_503] = "503",
	};

	for (size_t i = 0; i < STATUS_CLASSES; i++) {
		struct labels labels = place_labels(place);

		labels.at[labels.count++] = (struct label){ "status", str_from_c(classes[i]) };
		exposition_sample(to, labels, place->classes[i]);
	}
}

static void write_requests(struct exposition *to, const struct http_server *server)
{
	size_t count = http_server_places(server);
	struct http_place place;

	exposition_family(to, FAMILY_COUNTER, "grantd_http_requests_total",
			  "Answers, by listener, route and class of status; 5xx without 503.");
	for (size_t i = 0; i < count; i++) {
		http_server_place(server, i, &place);
		write_classes(to, &place);
	}
	exposition_family(to, FAMILY_HISTOGRAM, "grantd_http_request_seconds",
			  "From the end of a request's head to its answer, by route; routes that "
			  "were never asked for are left out.");
	for (size_t i = 0; i < count; i++) {
		http_server_place(server, i, &place);
		if (place.took.count > 0)
			exposition_histogram(to, place_labels(&place), &place.took);
	}
}

static const char *const lane_names[LANE_COUNT] = {
	[LANE_LOOP] = "loop",
	[LANE_STORE] = "store",
	[LANE_PAGES] = "pages",
	[LANE_SLOW] = "slow",
};

struct queue {
	const char *name;
	uint64_t waiting;
	uint64_t room;
	uint64_t refused;
};

/* The lanes that have workers, and the writer. */
static size_t look_at_queues(const struct metrics *metrics, const struct store_figures *store,
			     struct queue queues[LANE_COUNT + 1])
{
	struct http_lane_figures lane;
	size_t count = 0;

	for (int i = 0; i < LANE_COUNT; i++) {
		http_server_lane(metrics->server, (enum lane)i, &lane);
		if (lane.workers > 0)
			queues[count++] = (struct queue){ lane_names[i], lane.waiting, lane.room,
							  lane.refused };
	}
	queues[count++] = (struct queue){ "writer", store->waiting, store->room, store->refused };
	return count;
}

static void write_queues(struct exposition *to, const struct metrics *metrics,
			 const struct store_figures *store)
{
	struct queue queues[LANE_COUNT + 1];
	size_t count = look_at_queues(metrics, store, queues);

	exposition_family(to, FAMILY_GAUGE, "grantd_queue_waiting", "Tasks that wait, by queue.");
	for (size_t i = 0; i < count; i++)
		exposition_sample(to, LABEL("queue", str_from_c(queues[i].name)),
				  queues[i].waiting);
	exposition_family(to, FAMILY_GAUGE, "grantd_queue_room",
			  "How many may wait before more are refused, by queue.");
	for (size_t i = 0; i < count; i++)
		exposition_sample(to, LABEL("queue", str_from_c(queues[i].name)), queues[i].room);
	exposition_family(to, FAMILY_COUNTER, "grantd_queue_refused_total",
			  "Tasks refused because the queue was full (503), by queue.");
	for (size_t i = 0; i < count; i++)
		exposition_sample(to, LABEL("queue", str_from_c(queues[i].name)),
				  queues[i].refused);
}

static void write_connections(struct exposition *to, const struct metrics *metrics)
{
	struct http_connections connections;
	struct http_totals totals;

	exposition_family(to, FAMILY_GAUGE, "grantd_connections_open",
			  "Open connections, by listener.");
	for (size_t i = 0; i < metrics->listener_count; i++) {
		http_server_connections(metrics->server, i, &connections);
		exposition_sample(to, LABEL("listener", connections.listener), connections.open);
	}
	http_server_totals(metrics->server, &totals);
	exposition_family(to, FAMILY_GAUGE, "grantd_connections_room",
			  "Open connections beyond which idle ones make room for new ones.");
	exposition_sample(to, NO_LABELS, totals.most_connections);
	exposition_family(to, FAMILY_COUNTER, "grantd_connections_refused_total",
			  "Connections closed at once because none could make room.");
	exposition_sample(to, NO_LABELS, totals.crowded);
	exposition_family(to, FAMILY_COUNTER, "grantd_http_late_total",
			  "Requests told 503 because their answer was not there in time.");
	exposition_sample(to, NO_LABELS, totals.late);
}

static void write_store(struct task *task, struct exposition *to, const struct metrics *metrics,
			const struct store_figures *store)
{
	enum err err = store_ping(task, metrics->store);

	exposition_family(to, FAMILY_GAUGE, "grantd_database_up",
			  "1: the database answers; 0: it does not.");
	exposition_sample(to, NO_LABELS, err == OK || err == ERR_FULL);
	exposition_family(to, FAMILY_GAUGE, "grantd_disk_full",
			  "1: only what stops something is kept, from space in reserve.");
	exposition_sample(to, NO_LABELS, err == ERR_FULL);
	task_forgive(task);
	exposition_family(to, FAMILY_HISTOGRAM, "grantd_commit_seconds",
			  "Transactions that write, from their start to their commit.");
	exposition_histogram(to, NO_LABELS, &store->commits);
	exposition_family(to, FAMILY_COUNTER, "grantd_writes_failed_total",
			  "Writes that the database did not keep.");
	exposition_sample(to, NO_LABELS, store->failed);
}

static void write_jobs(struct exposition *to, const struct jobs *jobs)
{
	struct jobs_figures figures = { 0 };

	jobs_look(jobs, &figures);
	exposition_family(to, FAMILY_GAUGE, "grantd_job_done_timestamp_seconds",
			  "When a job last ended well; 0: not since the start.");
	for (int job = 0; job < JOB_COUNT; job++)
		exposition_time(to, LABEL("name", str_from_c(job_name((enum job)job))),
				figures.done_at[job]);
	exposition_family(
		to, FAMILY_GAUGE, "grantd_outbox_waiting",
		"What resources have yet to be told (on_stop); 10000: that many or more.");
	exposition_sample(to, NO_LABELS, (uint64_t)figures.waiting);
	exposition_family(to, FAMILY_GAUGE, "grantd_outbox_oldest_timestamp_seconds",
			  "When the oldest of it was written; 0: nothing waits.");
	exposition_time(to, NO_LABELS, figures.oldest);
}

static void write_constants(struct exposition *to, const struct metrics *metrics)
{
	exposition_family(to, FAMILY_GAUGE, "grantd_build_info", "The version that runs.");
	exposition_sample(to, LABEL("version", STR(GRANTD_VERSION)), 1);
	exposition_family(to, FAMILY_GAUGE, "grantd_start_timestamp_seconds",
			  "When this process began.");
	exposition_time(to, NO_LABELS, metrics->started_at);
	if (metrics->tls == NULL)
		return;
	exposition_family(to, FAMILY_GAUGE, "grantd_certificate_expiry_timestamp_seconds",
			  "When the certificate in force ends.");
	exposition_time(to, NO_LABELS, tls_expires_at(metrics->tls) * SECOND_MS);
}

enum err metrics_write(struct task *task, const struct metrics *metrics, struct str *ret_text)
{
	struct exposition to = { .buf = buf_in(&task->arena, METRICS_MAX) };
	struct store_figures store = { 0 };

	store_look(metrics->store, &store);
	write_constants(&to, metrics);
	write_store(task, &to, metrics, &store);
	write_requests(&to, metrics->server);
	write_queues(&to, metrics, &store);
	write_connections(&to, metrics);
	write_counted(&to, metrics->tally);
	write_refusals(&to, metrics->tally);
	if (metrics->jobs != NULL)
		write_jobs(&to, metrics->jobs);
	return buf_finish(&to.buf, ret_text);
}

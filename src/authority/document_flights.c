/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/document_flights.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* a reading holds a place among the calls out or waits for the store, so there are not many */
#define WAITING_MOST 1024
/* one slow host must not take all of them */
#define WAITING_FOR_ONE 128

struct flight {
	struct flight *next;
	struct task *waiting; /* a list by task->next */
	size_t waiting_count;
	size_t len;
	char url[sizeof(KEY_FLIGHT) + DOCUMENT_URL_MAX];
};

struct documents {
	struct outgoing *outgoing;

	pthread_mutex_t lock; /* around what follows */
	struct flight *flights;
	size_t waiting;
};

struct documents *documents_new(void)
{
	struct documents *documents = calloc(1, sizeof(*documents));

	if (documents == NULL)
		abort();
	pthread_mutex_init(&documents->lock, NULL);
	return documents;
}

void documents_free(struct documents **documents)
{
	if (*documents == NULL)
		return;
	pthread_mutex_destroy(&(*documents)->lock);
	free(*documents);
	*documents = NULL;
}

void documents_fetch_by(struct documents *documents, struct outgoing *outgoing)
{
	documents->outgoing = outgoing;
}

struct outgoing *documents_outgoing(const struct documents *documents)
{
	return documents->outgoing;
}

static struct flight *flight_new(struct str url)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	if (flight == NULL)
		abort();
	flight->len = url.len;
	memcpy(flight->url, url.at, url.len);
	return flight;
}

static void flight_free(struct flight **flight)
{
	free(*flight);
	*flight = NULL;
}

static struct flight **find_locked(struct documents *documents, struct str url)
{
	struct flight **place = &documents->flights;

	while (*place != NULL && !str_equals((struct str){ (*place)->url, (*place)->len }, url))
		place = &(*place)->next;
	return place;
}

static void begin_locked(struct documents *documents, struct str url)
{
	struct flight *flight = flight_new(url);

	flight->next = documents->flights;
	documents->flights = flight;
}

static enum err wait_locked(struct task *task, struct documents *documents, struct flight *flight,
			    then_fn *then, void *arg)
{
	if (documents->waiting == WAITING_MOST || flight->waiting_count == WAITING_FOR_ONE)
		return fail(task, ERR_BUSY, "too many wait for documents");
	documents->waiting++;
	flight->waiting_count++;
	task->next = flight->waiting;
	flight->waiting = task;
	return task_park(task, then, arg);
}

enum err document_flight_begin(struct task *task, struct documents *documents, struct str url,
			       then_fn *then, void *arg)
{
	enum err err = OK;
	struct flight *flight;

	pthread_mutex_lock(&documents->lock);
	flight = *find_locked(documents, url);
	if (flight == NULL)
		begin_locked(documents, url);
	else
		err = wait_locked(task, documents, flight, then, arg);
	pthread_mutex_unlock(&documents->lock);
	return err;
}

static struct flight *take_out(struct documents *documents, struct str url)
{
	struct flight **place, *flight;

	pthread_mutex_lock(&documents->lock);
	place = find_locked(documents, url);
	flight = *place;
	*place = flight->next;
	documents->waiting -= flight->waiting_count;
	pthread_mutex_unlock(&documents->lock);
	return flight;
}

void document_flight_end(struct documents *documents, struct str url, enum err result,
			 struct str reason)
{
	struct flight *flight = take_out(documents, url);
	struct task *task, *next;

	/* that is about the reader alone: who waits asks once more, each on its own account */
	if (result == ERR_THROTTLED)
		result = OK;
	for (task = flight->waiting; task != NULL; task = next) {
		next = task->next;
		task->next = NULL;
		if (result != OK)
			task_note(task, result, str_copy(&task->arena, reason));
		task_resume(task, result);
	}
	flight_free(&flight);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tally.h"

#include <stdlib.h>

#include "base/histogram.h"
#include "base/task.h"

#define CACHE_LINE 64

/* Whole cache lines: no thread waits for a line that another one writes. */
struct shard {
	_Alignas(CACHE_LINE) _Atomic uint64_t counts[TALLY_COUNT];
	_Atomic uint64_t refusals[ERR_LAST + 1];
};

struct tally {
	unsigned threads;
	struct shard *shards;
};

struct tally *tally_new(unsigned threads)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	void *shards = NULL;

	if (tally == NULL ||
	    posix_memalign(&shards, CACHE_LINE, (threads + 1) * sizeof(struct shard)) != 0)
		abort();
	tally->threads = threads;
	tally->shards = shards;
	for (unsigned i = 0; i < threads; i++)
		tally->shards[i] = (struct shard){ 0 };
	return tally;
}

void tally_free(struct tally **tally)
{
	if (*tally == NULL)
		return;
	free((*tally)->shards);
	free(*tally);
	*tally = NULL;
}

static struct shard *shard_of(const struct task *task)
{
	if (task->tally == NULL || task->thread >= task->tally->threads)
		return NULL;
	return &task->tally->shards[task->thread];
}

void tally_add(const struct task *task, enum tally_name name)
{
	struct shard *shard = shard_of(task);

	if (shard != NULL)
		figure_add(&shard->counts[name], 1);
}

void tally_refusal(const struct task *task, enum err err)
{
	struct shard *shard = shard_of(task);

	if (shard != NULL)
		figure_add(&shard->refusals[err], 1);
}

uint64_t tally_sum(const struct tally *tally, enum tally_name name)
{
	uint64_t sum = 0;

	for (unsigned i = 0; tally != NULL && i < tally->threads; i++)
		sum += figure_get(&tally->shards[i].counts[name]);
	return sum;
}

uint64_t tally_refusals(const struct tally *tally, enum err err)
{
	uint64_t sum = 0;

	for (unsigned i = 0; tally != NULL && i < tally->threads; i++)
		sum += figure_get(&tally->shards[i].refusals[err]);
	return sum;
}

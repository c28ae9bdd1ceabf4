/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>

#include "config/config.h"

/*
 * A reload is an operator's act and a configuration is small, so a replaced one is kept: nobody has
 * to count its readers.
 */
struct generation {
	const struct config *config;
	struct generation *older;
};

struct config_live {
	_Atomic(const struct config *) current;
	struct generation *newest; /* touched by the thread that reloads only */
};

static void remember(struct config_live *live, const struct config *config)
{
	struct generation *generation = malloc(sizeof(*generation));

	if (generation == NULL)
		abort();
	*generation = (struct generation){ config, live->newest };
	live->newest = generation;
}

struct config_live *config_live_new(const struct config *config)
{
	struct config_live *live = calloc(1, sizeof(*live));

	if (live == NULL)
		abort();
	remember(live, config);
	atomic_store(&live->current, config);
	return live;
}

const struct config *config_current(struct config_live *live)
{
	return atomic_load_explicit(&live->current, memory_order_acquire);
}

void config_live_swap(struct config_live *live, const struct config *config)
{
	remember(live, config);
	atomic_store_explicit(&live->current, config, memory_order_release);
}

void config_live_free(struct config_live **live)
{
	while (*live != NULL && (*live)->newest != NULL) {
		struct generation *generation = (*live)->newest;

		(*live)->newest = generation->older;
		config_free(&generation->config);
		free(generation);
	}
	free(*live);
	*live = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/nodes.h"

#include <stdlib.h>
#include <unistd.h>

#include "authority/root_key.h"
#include "authority/signing.h"
#include "base/buf.h"
#include "config/shared.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "grantd/ticker.h"
#include "store/nodes.h"

#define TICK_MS	       SECOND_MS
#define BEAT_EVERY_MS  (2 * SECOND_MS)
#define WARN_EVERY_MS  MINUTE_MS
#define SWEEP_EVERY_MS HOUR_MS
#define FORGET_MS      DAY_MS
/*
 * Another node's clock is believed when it is ahead by so little. Beyond that nobody can tell which
 * of the two is wrong, and one wrong clock must not end everything everywhere.
 */
#define FOLLOW_MS	 MINUTE_MS
#define CLOCK_DIFFERS_MS (2 * SECOND_MS)
#define HOST_MAX	 256
#define TEXT_MAX	 (64 * 1024)

struct nodes {
	const struct authority *authority;
	struct ticker_home home;
	struct ticker *ticker;
	struct arena arena;
	struct node self; /* without what may change while we run */

	int64_t wall_began; /* wall less monotonic time, the highest so far */
	int64_t beat_at;    /* monotonic */
	int64_t warned_at;  /* monotonic */
	int64_t swept_at;   /* monotonic */
};

/* More than fits is told apart from everything that fits, and that is enough. */
static struct str text_of(struct buf *text)
{
	struct str all = STR_NONE;

	return buf_finish(text, &all) == OK ? all : STR("too long");
}

static void add_line(struct buf *text, struct str line)
{
	buf_add(text, line);
	buf_add_char(text, '\n');
}

/*
 * As the jobs do, which may hang: an exposed key that another node has ended is refused here too.
 */
static enum err follow_keys(struct task *task, struct nodes *nodes)
{
	return root_key_follow_all(task, nodes->authority);
}

/* --- who is there --- */

static struct str hash_of(struct arena *arena, struct buf *text)
{
	return base64url_encode(arena, sha256_str(arena, text_of(text)));
}

static struct str resources_digest(struct arena *arena, const struct config *config)
{
	struct buf text = buf_in(arena, TEXT_MAX);

	for (size_t i = 0; i < config->resource_count; i++)
		add_line(&text, STR_JOIN(arena, config->resources[i].name, STR(" "),
					 config->resources[i].file_hash));
	return hash_of(arena, &text);
}

static struct str settings_digest(struct arena *arena, const struct config *config)
{
	struct buf text = buf_in(arena, TEXT_MAX);

	config_add_shared(&text, config);
	return hash_of(arena, &text);
}

static void warn_of_difference(struct task *task, const struct node *other, const char *what)
{
	log_warning(task, "node.differs", LOG_STR("node", other->name),
		    LOG_STR("in", str_from_c(what)));
}

static bool is_alike(const struct node *self, const struct node *other)
{
	return str_equals(self->resources, other->resources) &&
	       str_equals(self->settings, other->settings) &&
	       str_equals(self->version, other->version) &&
	       other->clock_at - clock_system() <= CLOCK_DIFFERS_MS;
}

static void warn(struct task *task, const struct node *self, const struct node *other)
{
	if (!str_equals(self->resources, other->resources))
		warn_of_difference(task, other, "resources");
	if (!str_equals(self->settings, other->settings))
		warn_of_difference(task, other, "settings");
	if (!str_equals(self->version, other->version))
		warn_of_difference(task, other, "version");
	if (other->clock_at - clock_system() > CLOCK_DIFFERS_MS)
		log_warning(task, "node.clock_ahead", LOG_STR("node", other->name),
			    LOG_INT("ms", other->clock_at - clock_system()));
}

static bool is_another(const struct node *self, const struct node *node)
{
	return !str_equals(node->id, self->id);
}

/* What our system's clock would say if nobody had set it back since we began. */
static int64_t own_time(struct nodes *nodes)
{
	int64_t monotonic = clock_monotonic();
	int64_t wall_began = clock_system() - monotonic;

	if (wall_began > nodes->wall_began)
		nodes->wall_began = wall_began;
	return nodes->wall_began + monotonic;
}

/*
 * Both are what clocks say of themselves, never a time that was itself followed: else the last in a
 * row of nodes would follow by a minute for each of them.
 */
static void follow_clock(struct task *task, struct nodes *nodes, const struct node *other)
{
	if (other->clock_at - own_time(nodes) <= FOLLOW_MS)
		clock_raise(task->clock, other->clock_at);
}

static enum err look_around(struct task *task, struct nodes *nodes, const struct node *self)
{
	struct node *others = NULL;
	struct db *db = NULL;
	bool are_alike = true;
	size_t count = 0;

	TRY(store_reader(task, nodes->authority->store, &db));
	TRY(node_list(task, db, task->now - NODE_ALIVE_MS, &others, &count));
	for (size_t i = 0; i < count; i++) {
		if (!is_another(self, &others[i]))
			continue;
		follow_clock(task, nodes, &others[i]);
		are_alike = are_alike && is_alike(self, &others[i]);
	}
	if (are_alike || !ticker_is_due(&nodes->warned_at, WARN_EVERY_MS))
		return OK;
	for (size_t i = 0; i < count; i++)
		if (is_another(self, &others[i]))
			warn(task, self, &others[i]);
	return OK;
}

static enum err write_beat(struct task *task, struct db *db, void *arg)
{
	return node_put(task, db, arg);
}

static enum err beat(struct task *task, struct nodes *nodes)
{
	const struct config *config = authority_config(nodes->authority);
	struct node self = nodes->self;

	self.seen_at = task->now;
	self.clock_at = clock_system();
	self.settings = settings_digest(&task->arena, config);
	self.resources = resources_digest(&task->arena, config);
	TRY(store_write(task, nodes->authority->store, write_beat, &self));
	return look_around(task, nodes, &self);
}

static enum err write_sweep(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return node_sweep(task, db, task->now - FORGET_MS);
}

static enum err sweep(struct task *task, struct nodes *nodes)
{
	return store_write(task, nodes->authority->store, write_sweep, NULL);
}

static enum err write_farewell(struct task *task, struct db *db, void *arg)
{
	const struct nodes *nodes = arg;

	return node_delete(task, db, nodes->self.id);
}

static enum err say_farewell(struct task *task, struct nodes *nodes)
{
	return store_write(task, nodes->authority->store, write_farewell, nodes);
}

/* --- the thread --- */

typedef enum err step_fn(struct task *task, struct nodes *nodes);

static void run_step(struct nodes *nodes, const char *name, step_fn *step)
{
	struct task task;

	ticker_step_begin(&nodes->home, name, &task);
	ticker_step_end(&task, step(&task, nodes));
}

static void run_round(void *context)
{
	struct nodes *nodes = context;

	run_step(nodes, "keys", follow_keys);
	if (ticker_is_due(&nodes->beat_at, BEAT_EVERY_MS))
		run_step(nodes, "nodes", beat);
	if (ticker_is_due(&nodes->swept_at, SWEEP_EVERY_MS))
		run_step(nodes, "nodes", sweep);
}

static struct str name_of(struct arena *arena, const struct config *config)
{
	char host[HOST_MAX] = { 0 };

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '?';
	return STR_JOIN(arena, str_from_c(host), STR(" "), config->listen);
}

static struct nodes *nodes_new(struct task *task, const struct authority *authority,
			       unsigned thread)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (nodes == NULL)
		abort();
	nodes->authority = authority;
	nodes->home = (struct ticker_home){ task->clock, task->log, thread };
	nodes->wall_began = clock_system() - clock_monotonic();
	nodes->self.id = random_id(&nodes->arena, "nod_");
	nodes->self.name = name_of(&nodes->arena, authority_config(authority));
	nodes->self.version = STR(GRANTD_VERSION);
	nodes->self.root_keys = root_key_list(&nodes->arena, authority->keys);
	nodes->self.started_at = task->now;
	return nodes;
}

static void nodes_free(struct nodes **nodes)
{
	arena_free(&(*nodes)->arena);
	free(*nodes);
	*nodes = NULL;
}

enum err nodes_start(struct task *task, const struct authority *authority, unsigned thread,
		     struct nodes **ret_nodes)
{
	struct nodes *nodes;
	enum err err;

	if (!store_is_shared(authority->store)) {
		*ret_nodes = NULL;
		return OK;
	}
	nodes = nodes_new(task, authority, thread);
	err = ticker_start(task, TICK_MS, run_round, nodes, &nodes->ticker);
	if (err == OK)
		*ret_nodes = nodes;
	else
		nodes_free(&nodes);
	return err;
}

void nodes_stop(struct nodes **nodes)
{
	if (*nodes == NULL)
		return;
	ticker_stop(&(*nodes)->ticker);
	run_step(*nodes, "nodes", say_farewell);
	nodes_free(nodes);
}

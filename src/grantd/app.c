/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/app.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "authority/documents.h"
#include "base/tally.h"
#include "config/file.h"
#include "crypto/random.h"
#include "grantd/files.h"
#include "grantd/installation.h"
#include "grantd/reload.h"
#include "grantd/resource_record.h"

#define DRAIN_MS    10000
#define CA_MAX	    (1024 * 1024)
#define OWN_THREADS 3 /* main, jobs and nodes, beside those of the server */

static enum err open_store(struct task *task, struct app *app, const struct config *config)
{
	struct store_config store = {
		.database = config->database,
		.reserve = STORE_RESERVE,
		.inspect = STORE_INSPECT,
		.settles_later = true,
		.ended = installation_ended_file(task, config),
		.threads = app->routes.threads + OWN_THREADS,
		.in_rounds = app->routes.loops,
		.pool = config->database_pool,
		.queue = config->database_queue,
		.clock = task->clock,
		.log = task->log,
	};

	app->main_thread = app->routes.threads;
	app->jobs_thread = app->routes.threads + 1;
	app->nodes_thread = app->routes.threads + 2;
	task->thread = app->main_thread;
	return installation_open_store(task, &store, &app->store);
}

/* Without its keys there is no keyd any more; and 0 would be everybody of our group. */
static void list_calls(struct task *task, struct app *app)
{
	const pid_t children[] = { app->errands.pid, app->keyd.pid };

	sandbox_list_calls(task, children, app->keyd.pid == 0 ? 1 : 2, &app->sandbox);
}

/* The root key and what it opens. Trouble with it is not the end: health still answers (DESIGN 6).
 */
static enum err open_keys(struct task *task, struct app *app, const struct config *config)
{
	enum err err = keyd_connect(task, &app->keyd, &app->keys);

	if (err == OK)
		err = installation_check(task, app->store, app->keys, config);
	if (err == OK)
		err = installation_load_keys(task, app->store, app->keys, config);
	return err;
}

static bool is_key_trouble(const struct app *app, enum err err)
{
	return err == ERR_CRYPTO || (err == ERR_CONFIG && app->keys == NULL);
}

/*
 * A clock set back must not revive what has expired: no time is believed that lies before the
 * newest event, or before the mark that the jobs keep when nothing happens.
 */
static enum err raise_clock(struct task *task, struct app *app)
{
	struct db *db = NULL;
	int64_t highest = 0;

	TRY(store_reader(task, app->store, &db));
	TRY(installation_newest(task, db, &highest));
	clock_raise(task->clock, highest);
	task->now = clock_wall(task->clock);
	if (clock_system() + MINUTE_MS < highest)
		log_warning(task, "clock.behind",
			    LOG_STR("system", clock_format(&task->arena, clock_system())),
			    LOG_STR("highest_seen", clock_format(&task->arena, highest)));
	return OK;
}

/* Read when it is needed, for it may be replaced; opened by errands, with its own line. */
static enum err read_extra_ca(struct task *task, void *context, struct str *ret_pem)
{
	const struct app *app = context;
	struct str file = config_current(app->config)->extra_ca_file;

	*ret_pem = STR("");
	return str_is_empty(file) ? OK : file_read(task, file, CA_MAX, ret_pem);
}

/* Its thread begins with the first call. */
static void open_outgoing(struct task *task, struct app *app)
{
	const struct outgoing_config config = { task->clock, task->log, read_extra_ca, app };

	app->outgoing = outgoing_new(&config);
	documents_fetch_by(app->authority.documents, app->outgoing);
}

static enum err read_web(struct task *task, void *arg)
{
	return web_read(task, arg);
}

/* What pages are made of takes the longest to read: until the server runs nobody needs it. */
static void open_web(struct task *task, struct app *app, const struct config *config)
{
	const struct web_config web = { .authority = &app->authority,
					.share_dir = config->share_dir };

	app->web = web_new(&web);
	app->pages = aside_start(task, read_web, app->web);
}

static enum err open_doors(struct task *task, struct app *app, const struct config *config)
{
	struct oauth_config oauth = { .authority = &app->authority,
				      .error_page = web_error_page,
				      .who = web_who,
				      .ask = web_ask,
				      .sign_in = web_sign_in };
	struct admin_config admin = { .authority = &app->authority,
				      .reload = reload_for_admin,
				      .reload_context = app,
				      .put_resource = errands_put_resource,
				      .remove_resource = errands_remove_resource,
				      .undo_resource = errands_undo_resource,
				      .errands = &app->errands,
				      .walls = &app->walls,
				      .group = config->admin_group.len > 0 ? &app->admin_gid
									   : NULL };

	oauth.web = app->web;
	TRY(oauth_open(task, &oauth, &app->oauth));
	return admin_open(task, &admin, &app->admin);
}

/* Certificates are replaced while we run, which may open few files by then. */
static enum err open_tls(struct task *task, struct app *app, const struct config *config)
{
	TRY(tls_open(task, config->tls_cert, config->tls_key, &app->tls));
	tls_open_by(app->tls, file_open);
	return OK;
}

/* Without keys there are no tasks that wait for them. */
static bool meet_gathered(void *context, unsigned thread)
{
	struct app *app = context;

	store_rest(app->store, thread);
	return app->keys != NULL && keys_ask_gathered(app->keys, thread);
}

static enum err open_server(struct task *task, struct app *app, const struct config *config)
{
	struct http_config http = {
		.limits = http_limits_default,
		.loops = app->routes.loops,
		.trusted_proxies = config->trusted_proxies,
		.trusted_proxy_count = config->trusted_proxy_count,
		.clock = task->clock,
		.log = task->log,
		.tally = app->tally,
		.meet_gathered = meet_gathered,
		.gatherer = app,
		.random = random_bytes,
	};

	http.limits.connections = files_connections(app->routes.loops, app->routes.threads,
						    http.limits.connections);
	routes_plan_doors(app, config);
	http.listeners = app->routes.listeners;
	http.listener_count = app->routes.listener_count;
	for (int lane = 0; lane < LANE_COUNT; lane++)
		http.lanes[lane] = app->routes.lanes[lane];
	TRY(http_server_open(task, &http, &app->server));
	/* the store was opened before the server, for as many threads as the plan says */
	assert(http_server_threads(app->server) <= app->routes.threads);
	return OK;
}

/* Before anybody can ask. */
static void open_metrics(struct task *task, struct app *app)
{
	app->ops.metrics = (struct metrics){
		.server = app->server,
		.listener_count = app->routes.listener_count,
		.store = app->store,
		.tls = app->tls,
		.jobs = app->jobs,
		.tally = app->tally,
		.started_at = task->now,
	};
}

/* Before the files are shut: where groups are listed is replaced by a new file with each change. */
static enum err find_group(struct task *task, struct app *app, const struct config *config)
{
	const struct group *group;

	if (config->admin_group.len == 0)
		return OK;
	group = getgrnam(str_to_c(&task->arena, config->admin_group));
	if (group == NULL)
		return failf(task, ERR_CONFIG, "admin_group: there is no group %.*s",
			     STR_FMT(config->admin_group));
	app->admin_gid = group->gr_gid;
	return OK;
}

/* The kernel lets the group connect; the admin API then asks who it is by itself. */
static enum err give_to_group(struct task *task, const struct app *app, const struct config *config)
{
	const char *path = str_to_c(&task->arena, config->admin_socket);

	if (config->admin_group.len == 0)
		return OK;
	if (chown(path, (uid_t)-1, app->admin_gid) != 0)
		return failf(task, ERR_CONFIG,
			     "admin_group: %s cannot be given to %.*s: %s; grantd's user must be a "
			     "member",
			     path, STR_FMT(config->admin_group), strerror(errno));
	return OK;
}

/* All that needs the keys. */
static enum err open_product(struct task *task, struct app *app, const struct config *config)
{
	const struct stop_worker stop = { &app->authority, errands_stop_command, &app->errands };
	enum err err = open_keys(task, app, config);

	if (is_key_trouble(app, err)) {
		log_error(task, "keys.trouble", LOG_STR("reason", task->reason));
		ops_open(&app->ops, app->store, NULL, str_copy(&app->arena, task->reason));
		task_forgive(task);
		keys_free(&app->keys);
		keyd_stop(&app->keyd);
		list_calls(task, app);
		return OK;
	}
	TRY(err);
	TRY(resources_record(task, app->store, config));
	TRY(authority_open(task, &app->authority, app->store, app->keys, app->config));
	ops_open(&app->ops, app->store, app->keys, STR_NONE);
	open_outgoing(task, app);
	TRY(open_doors(task, app, config));
	app->jobs = jobs_new(task, &stop, app->jobs_thread);
	return nodes_start(task, &app->authority, app->nodes_thread, &app->nodes);
}

/*
 * They take the longest. What a start has written by then is true without them too: resources that
 * are new. With trouble nobody is shown a page.
 */
static enum err join_web(struct task *task, struct app *app)
{
	if (app->ops.trouble.at == NULL)
		return aside_join(task, &app->pages);
	aside_forget(&app->pages);
	return OK;
}

/* Nothing is bound, started or given away any more. */
static enum err shut_calls(struct task *task, struct app *app)
{
	const struct sandbox *sandbox = &app->sandbox;

	TRY(sandbox_shut_calls(task, &app->sandbox));
	app->walls = (struct admin_walls){
		.network = getpid(),
		.keys = app->keyd.pid,
		.errands = app->errands.pid,
		.is_wanted = sandbox->is_wanted,
		.landlock = sandbox->landlock,
		.is_filtered = sandbox->is_filtered,
		.hides_root = sandbox->hides_root,
		.hides_memory = sandbox->hides_memory,
		.backup_dir = sandbox->backup_dir,
	};
	return OK;
}

static enum err open_all(struct task *task, struct app *app)
{
	const struct config *config = NULL;

	TRY(errands_load(task, &app->program->source, &app->errands, &config));
	app->config = config_live_new(config);
	app->program->log.level = (enum log_level)config->log_level;
	routes_plan_lanes(app, config);
	/* before any thread, socket or secret of ours that they need not have */
	TRY(errands_start(task, &app->program->source, config, &app->errands));
	TRY(keyd_start(task, &app->arena, config, app->routes.threads + OWN_THREADS, &app->keyd));
	if (!config->plain)
		TRY(open_tls(task, app, config));
	TRY(find_group(task, app, config));
	TRY(sandbox_shut_files(task, config, app->program->source.environment, &app->sandbox));
	open_web(task, app, config);
	list_calls(task, app);
	app->tally = tally_new(app->routes.threads);
	TRY(open_store(task, app, config));
	TRY(installation_check_age(task, app->store, config));
	TRY(raise_clock(task, app));
	TRY(open_product(task, app, config));
	TRY(open_server(task, app, config));
	open_metrics(task, app);
	TRY(give_to_group(task, app, config));
	TRY(shut_calls(task, app));
	TRY(join_web(task, app));
	TRY(http_server_start(task, app->server));
	/* who waits for what these do is served as soon as it is done, and others before */
	TRY(store_settle(task, app->store));
	return app->jobs == NULL ? OK : jobs_start(task, app->jobs);
}

/* What was written on the way may have failed for a reason that only the connection knows. */
static enum err say_why(struct task *task, struct app *app, enum err err)
{
	bool is_of_store = app->store != NULL && (err == ERR_STORE || err == ERR_BUSY);
	enum err why = is_of_store ? store_settle(task, app->store) : OK;

	return why == OK ? err : why;
}

enum err app_open(struct task *task, struct program *program, struct app *app)
{
	enum err err;

	*app = (struct app){ .program = program };
	pthread_mutex_init(&app->reload_lock, NULL);
	err = open_all(task, app);
	if (err != OK)
		return say_why(task, app, err);
	app->drain_ms = DRAIN_MS;
	return OK;
}

void app_close(struct app *app)
{
	aside_forget(&app->pages);
	sandbox_free(&app->sandbox);
	if (app->server != NULL)
		http_server_stop(app->server, app->drain_ms);
	jobs_stop(&app->jobs);
	nodes_stop(&app->nodes);
	http_server_free(&app->server);
	outgoing_free(&app->outgoing);
	admin_free(&app->admin);
	oauth_free(&app->oauth);
	web_free(&app->web);
	/* the last writes come home to the throttle */
	store_free(&app->store);
	if (app->authority.store != NULL)
		authority_close(&app->authority);
	keys_free(&app->keys);
	keyd_stop(&app->keyd);
	errands_stop(&app->errands);
	tls_free(&app->tls);
	tally_free(&app->tally);
	config_live_free(&app->config);
	pthread_mutex_destroy(&app->reload_lock);
	arena_free(&app->arena);
}

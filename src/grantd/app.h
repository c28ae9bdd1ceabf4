/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole daemon, put together: configuration, store, keys, rules, doors, server, jobs. Opened in
 * the order of what needs what, closed in the reverse one.
 */
#pragma once

#include <pthread.h>

#include "admin/admin.h"
#include "authority/authority.h"
#include "grantd/aside.h"
#include "grantd/errands.h"
#include "grantd/jobs.h"
#include "grantd/keyd.h"
#include "grantd/nodes.h"
#include "grantd/ops.h"
#include "grantd/program.h"
#include "grantd/routes.h"
#include "grantd/sandbox.h"
#include "http/outgoing.h"
#include "http/server.h"
#include "http/tls.h"
#include "oauth/oauth.h"
#include "web/web.h"

struct app {
	struct program *program;
	struct config_live *config;
	pthread_mutex_t reload_lock; /* one reload at a time: HUP and the admin API ask for them */
	struct tls *tls;
	struct store *store;
	struct errands errands; /* the process outside of the walls */
	struct sandbox sandbox;
	struct admin_walls walls; /* the same for the admin API */
	gid_t admin_gid;	  /* of admin_group */
	struct keyd keyd;	  /* the process that holds the keys */
	struct keyring *keys;
	struct authority authority;
	struct outgoing *outgoing; /* what is fetched from outside */
	struct tally *tally;
	struct aside *pages; /* reads what web needs, beside the rest */
	struct web *web;
	struct oauth *oauth;
	struct admin *admin;
	struct ops ops;
	struct routes routes;
	struct http_server *server;
	int drain_ms; /* what is under way is waited for; 0: of a start that failed, nothing */
	struct jobs *jobs;
	struct nodes *nodes;
	unsigned main_thread; /* numbers of read connections beyond the server's threads */
	unsigned jobs_thread;
	unsigned nodes_thread;
	struct arena arena; /* lives as long as the daemon */
};

/*
 * Opens and starts everything. With the root key missing or wrong only health is served (DESIGN 6):
 * then app->ops.trouble says why. ERR_CONFIG and others: the reason says what to do.
 */
MUST_CHECK enum err app_open(struct task *task, struct program *program, struct app *app);
/* Answers what is under way, then ends everything. Also for an app that was opened half. */
void app_close(struct app *app);
/*
 * Takes up changed configuration, resources and certificates. ERR_CONFIG: something is wrong and
 * the configuration stays as it was (keys already made for a new resource wait for the next time).
 */
MUST_CHECK enum err app_reload(struct task *task, struct app *app);

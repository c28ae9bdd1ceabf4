/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/reload.h"

#include "authority/signing.h"
#include "grantd/app.h"
#include "grantd/installation.h"
#include "grantd/resource_record.h"

static bool have_same_proxies(const struct config *a, const struct config *b)
{
	if (a->trusted_proxy_count != b->trusted_proxy_count)
		return false;
	for (size_t i = 0; i < a->trusted_proxy_count; i++)
		if (!str_equals(a->trusted_proxies[i], b->trusted_proxies[i]))
			return false;
	return true;
}

/* What was bound or opened at the start and is not taken up by a reload. */
static void warn_of_restart(struct task *task, const struct config *old, const struct config *new)
{
	const struct {
		const char *name;
		bool is_other;
	} fixed[] = {
		{ "listen", !str_equals(old->listen, new->listen) },
		{ "ops_listen", !str_equals(old->ops_listen, new->ops_listen) },
		{ "admin_socket", !str_equals(old->admin_socket, new->admin_socket) },
		{ "admin_group", !str_equals(old->admin_group, new->admin_group) },
		{ "plain", old->plain != new->plain },
		{ "trusted_proxies", !have_same_proxies(old, new) },
		{ "tls_cert", !str_equals(old->tls_cert, new->tls_cert) },
		{ "tls_key", !str_equals(old->tls_key, new->tls_key) },
		{ "database", !str_equals(old->database, new->database) },
		{ "database_pool", old->database_pool != new->database_pool },
		{ "database_queue", old->database_queue != new->database_queue },
		{ "root_key_file", !str_equals(old->root_key_file, new->root_key_file) },
		{ "share_dir", !str_equals(old->share_dir, new->share_dir) },
		{ "backup_dir", !str_equals(old->backup_dir, new->backup_dir) },
		{ "sandbox", old->sandbox != new->sandbox },
		{ "loops", old->loops != new->loops },
	};

	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		if (fixed[i].is_other)
			log_warning(task, "reload.needs_restart",
				    LOG_STR("setting", str_from_c(fixed[i].name)));
}

static enum err take_up(struct task *task, struct app *app, const struct config *old,
			const struct config *new)
{
	if (!str_equals(old->issuer, new->issuer))
		return fail(task, ERR_CONFIG, "the issuer cannot be changed; put it back");
	TRY(installation_add_keys(task, app->store, app->keys, new));
	TRY(signing_load(task, &app->authority));
	if (app->tls != NULL)
		TRY(tls_reload(task, app->tls));
	return resources_record(task, app->store, new);
}

static enum err reload_locked(struct task *task, struct app *app)
{
	const struct config *old = config_current(app->config), *new = NULL;
	enum err err;

	if (app->ops.trouble.at != NULL)
		return fail(task, ERR_CONFIG, "only health is served; restart grantd instead");
	/* first it knows what is named now, for it opens files for us */
	TRY(errands_look(task, &app->errands));
	TRY(config_load(task, &app->program->source, &new));
	err = take_up(task, app, old, new);
	if (err == OK)
		err = errands_take_up(task, &app->errands);
	if (err != OK) {
		config_free(&new);
		return err;
	}
	config_live_swap(app->config, new);
	/* before the warnings: they are of the new configuration */
	app->program->log.level = (enum log_level) new->log_level;
	warn_of_restart(task, old, new);
	return OK;
}

enum err app_reload(struct task *task, struct app *app)
{
	enum err err;

	pthread_mutex_lock(&app->reload_lock);
	err = reload_locked(task, app);
	pthread_mutex_unlock(&app->reload_lock);
	if (err == OK)
		log_info(task, "reload.done");
	else
		log_error(task, "reload.refused", LOG_STR("reason", task->reason));
	return err;
}

enum err reload_for_admin(struct task *task, void *context)
{
	return app_reload(task, context);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/installation.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "authority/root_key.h"
#include "base/task.h"
#include "config/file.h"
#include "grantd/nodes.h"
#include "store/ended.h"
#include "store/events.h"
#include "store/key_rows.h"
#include "store/marks.h"

#define AGE_SLACK_MS (5 * MINUTE_MS) /* the jobs may wait for a slow resource meanwhile */
#define NEW_KEYS_MAX (RESOURCES_MAX + 2)

enum err installation_open_store(struct task *task, const struct store_config *config,
				 struct store **ret_store)
{
	enum err err = store_open(task, config, ret_store);

	/* the URL itself may hold a password, so it is not said */
	if (err == ERR_STORE && !str_starts_with(config->database, STR("sqlite:")))
		return failf(
			task, err,
			"%.*s; is PostgreSQL running, is there a database of the name in "
			"grantd.conf, and may this user connect to it? Nothing is lost meanwhile",
			STR_FMT(task->reason));
	return err;
}

/* What one transaction is to add. */
struct completion {
	struct str issuer;
	struct keyring *keys;
	struct key_record *records;
	size_t count;
	size_t made; /* what was missing in earnest */
};

static bool has_purpose(const struct key_record *records, size_t count, struct str purpose)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(records[i].purpose, purpose))
			return true;
	return false;
}

/* One node at a time: another one may have made the same keys a moment ago. */
static enum err write_completion(struct task *task, struct db *db, void *arg)
{
	struct completion *completion = arg;
	struct key_record *there = NULL;
	size_t count = 0;

	completion->made = 0;
	TRY(mark_step(task, db, STR("keys")));
	TRY(root_key_found(task, db, completion->keys));
	TRY(fact_set(task, db, STR("issuer"), completion->issuer));
	TRY(key_row_list_live(task, db, &there, &count));
	for (size_t i = 0; i < completion->count; i++) {
		if (has_purpose(there, count, completion->records[i].purpose))
			continue;
		TRY(key_row_insert(task, db, &completion->records[i]));
		completion->made++;
	}
	return OK;
}

/* The keys that ought to be there and are not, made and not yet written. */
struct key_plan {
	struct keyring *keys;
	const struct key_record *there;
	size_t there_count;
	struct completion *completion;
};

static enum err plan_key(struct task *task, struct key_plan *plan, struct str purpose, enum alg alg)
{
	struct completion *completion = plan->completion;

	if (has_purpose(plan->there, plan->there_count, purpose))
		return OK;
	TRY(keys_generate(task, plan->keys, purpose, alg, &completion->records[completion->count]));
	completion->count++;
	return OK;
}

static enum err plan_keys(struct task *task, struct key_plan *plan, const struct config *config)
{
	TRY(plan_key(task, plan, STR("access"), ALG_ES256));
	TRY(plan_key(task, plan, STR("id"), ALG_RS256));
	for (size_t i = 0; i < config->resource_count; i++) {
		const struct resource *resource = &config->resources[i];
		bool is_rsa = str_equals(resource->token_alg, STR("RS256"));

		if (resource->has_own_keys)
			TRY(plan_key(task, plan,
				     STR_JOIN(&task->arena, STR("resource:"), resource->name),
				     is_rsa ? ALG_RS256 : ALG_ES256));
	}
	return OK;
}

static enum err complete(struct task *task, struct store *store, struct keyring *keys,
			 const struct config *config, struct completion *completion)
{
	struct key_record *there = NULL;
	struct db *db = NULL;
	size_t count = 0;
	struct key_plan plan = { .keys = keys, .completion = completion };

	completion->issuer = config->issuer;
	completion->records = NEW_ARRAY(&task->arena, struct key_record, NEW_KEYS_MAX);
	completion->keys = keys;
	TRY(store_reader(task, store, &db));
	TRY(key_row_list_live(task, db, &there, &count));
	plan.there = there;
	plan.there_count = count;
	TRY(plan_keys(task, &plan, config));
	return OK;
}

enum err installation_complete(struct task *task, struct store *store, struct keyring *keys,
			       const struct config *config, size_t *ret_made)
{
	struct completion completion = { 0 };
	bool has_root = false;

	TRY(installation_has_root(task, store, &has_root));
	if (has_root)
		TRY(installation_check(task, store, keys, config));
	TRY(complete(task, store, keys, config, &completion));
	if (!has_root || completion.count > 0)
		TRY(store_write(task, store, write_completion, &completion));
	*ret_made = completion.made;
	return OK;
}

/* A fact, or STR_NONE when init never got that far. */
static enum err find_fact(struct task *task, struct store *store, struct str name,
			  struct str *ret_value)
{
	struct db *db = NULL;
	enum err err;

	TRY(store_reader(task, store, &db));
	err = fact_find(task, db, name, ret_value);
	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	*ret_value = STR_NONE;
	return OK;
}

enum err installation_has_root(struct task *task, struct store *store, bool *ret_has)
{
	struct str value = STR_NONE;

	TRY(find_fact(task, store, ROOT_FIRST, &value));
	*ret_has = value.at != NULL;
	return OK;
}

enum err installation_look(struct task *task, struct store *store, struct installation *ret_there)
{
	TRY(find_fact(task, store, STR("issuer"), &ret_there->issuer));
	return find_fact(task, store, ROOT_FIRST, &ret_there->root_fingerprint);
}

enum err installation_check_root(struct task *task, struct store *store,
				 const struct installation *there, struct str root_file)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;

	TRY(keys_open(task, root_file, there->issuer, &keys));
	return root_key_take_up(task, store, keys, root_file);
}

enum err installation_check(struct task *task, struct store *store, struct keyring *keys,
			    const struct config *config)
{
	struct str issuer = STR_NONE, known = STR_NONE;

	TRY(find_fact(task, store, STR("issuer"), &issuer));
	TRY(find_fact(task, store, ROOT_FIRST, &known));
	if (issuer.at == NULL || known.at == NULL)
		return failf(
			task, ERR_CONFIG,
			"the database was never set up to its end; run: grantd init --dir %.*s",
			STR_FMT(config->dir));
	if (!str_equals(issuer, config->issuer))
		return failf(
			task, ERR_CONFIG,
			"issuer is %.*s in the configuration, but this database was set up for "
			"%.*s; every token and client knows it by that name: put it back",
			STR_FMT(config->issuer), STR_FMT(issuer));
	return root_key_take_up(task, store, keys, config->root_key_file);
}

/* No key signs before every node can verify it. */
static void wait_for_other_nodes(void)
{
	struct timespec time = { .tv_sec = (time_t)(NODES_KEY_LEAD_MS / SECOND_MS) };

	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}

enum err installation_add_keys(struct task *task, struct store *store, struct keyring *keys,
			       const struct config *config)
{
	size_t made = 0;

	TRY(installation_complete(task, store, keys, config, &made));
	if (made > 0 && store_is_shared(store))
		wait_for_other_nodes();
	return OK;
}

enum err installation_load_keys(struct task *task, struct store *store, struct keyring *keys,
				const struct config *config)
{
	struct key_record *records = NULL;
	struct db *db = NULL;
	size_t count = 0;

	TRY(installation_add_keys(task, store, keys, config));
	TRY(store_reader(task, store, &db));
	TRY(key_row_list_live(task, db, &records, &count));
	return keys_load(task, keys, records, count);
}

struct str installation_ended_file(struct task *task, const struct config *config)
{
	return file_path(task, config->dir, STR("ended.log"));
}

enum err installation_newest(struct task *task, struct db *db, int64_t *ret_at)
{
	int64_t event = 0, mark = 0;

	TRY(event_newest(task, db, &event));
	TRY(mark_find(task, db, STR("clock"), &mark));
	*ret_at = event > mark ? event : mark;
	return OK;
}

enum err installation_check_age(struct task *task, struct store *store, const struct config *config)
{
	struct arena *arena = &task->arena;
	struct db *db = NULL;
	int64_t newest = 0, ended = 0;

	TRY(store_reader(task, store, &db));
	TRY(installation_newest(task, db, &newest));
	TRY(ended_newest(task, installation_ended_file(task, config), &ended));
	if (newest == 0 || ended <= newest + AGE_SLACK_MS)
		return OK;
	return failf(
		task, ERR_CONFIG,
		"the database ends at %s, but something was revoked at %s (ended.log) and would "
		"live again: this is an older copy, or its last commits are lost. Put a backup "
		"back with grantd restore, which keeps ended what has ended",
		clock_format(arena, newest).at, clock_format(arena, ended).at);
}

bool installation_is_served(const struct config *config)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there;

	memcpy(address.sun_path, config->admin_socket.at, config->admin_socket.len);
	is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return is_there;
}

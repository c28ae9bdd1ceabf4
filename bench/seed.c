/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	seed DIR GRANTS TOKENS FILE
 *
 * Fills the database of an installation that nobody serves, through the store's own functions:
 * GRANTS people, each with a grant of `mail.read` to the client `mail-agent` and one installation
 * of it. Writes TOKENS refresh tokens, a line each, of grants evenly spread over those it made. The
 * resource `mail` and the client must be there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority/issue.h"
#include "crypto/random.h"
#include "grantd/installation.h"
#include "store/clients.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/users.h"

#define GRANTS_MAX 10000000
#define BATCH	   1000 /* grants in one transaction */
#define ID_LEN_MAX (ID_RANDOM_LEN + 8)

enum noun { USER, GRANT, FAMILY, NOUNS };

static const struct str scope_names[] = { STR_INIT("mail.read") };

struct seed {
	struct clock clock;
	struct log log;
	struct config_live *config;
	struct store *store;
	struct keyring *keys;
	struct authority authority;
	struct client client;
	const struct resource *resource;
	char (*ids[NOUNS])[ID_LEN_MAX];
	size_t done;
};

static void die(struct task *task, enum err err)
{
	fprintf(stderr, "seed: %s: %.*s\n", err_name(err), STR_FMT(task->reason));
	exit(1);
}

static enum err open_all(struct task *task, struct seed *seed, const struct config_source *source)
{
	const struct config *config = NULL;
	struct store_config store = { .threads = 1, .clock = task->clock, .log = task->log };
	struct db *db = NULL;

	TRY(config_load(task, source, &config));
	seed->config = config_live_new(config);
	store.database = config->database;
	TRY(installation_open_store(task, &store, &seed->store));
	TRY(keys_open(task, config->root_key_file, config->issuer, &seed->keys));
	TRY(installation_check(task, seed->store, seed->keys, config));
	TRY(installation_load_keys(task, seed->store, seed->keys, config));
	TRY(authority_open(task, &seed->authority, seed->store, seed->keys, seed->config));
	seed->resource = config_find_resource_named(config, STR("mail"));
	if (seed->resource == NULL)
		return fail(task, ERR_CONFIG, "there is no resource called mail");
	TRY(store_reader(task, seed->store, &db));
	return client_find(task, db, STR("mail-agent"), &seed->client);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/*
 * Ids are random, and a large table that grows at random places rewrites most of its pages with
 * each transaction. In the order of their ids the same rows take a fraction of the time.
 */
static void make_ids(struct seed *seed, enum noun noun, size_t count)
{
	static const char *const prefixes[NOUNS] = { "usr_", "gra_", "fam_" };
	struct task task;

	seed->ids[noun] = calloc(count, ID_LEN_MAX);
	if (seed->ids[noun] == NULL)
		abort();
	task_begin(&task, &seed->clock, &seed->log);
	for (size_t i = 0; i < count; i++) {
		struct str id = noun == FAMILY ? random_id_at(&task.arena, prefixes[noun],
							      task.now - (int64_t)i)
					       : random_id(&task.arena, prefixes[noun]);

		memcpy(seed->ids[noun][i], id.at, id.len);
	}
	task_end(&task);
	qsort(seed->ids[noun], count, ID_LEN_MAX, by_text);
}

static enum err insert_user(struct task *task, struct seed *seed, struct db *db, struct str id)
{
	struct user user = {
		.id = id, .username = str_from(id, 4), .version = 1, .created_at = task->now
	};

	TRY(keys_new_user_key(task, seed->keys, id, &user.wrapped_key));
	return user_insert(task, db, &user);
}

static enum err insert_grant(struct task *task, struct seed *seed, struct db *db,
			     struct family *family)
{
	struct permission permission = { .scope = scope_names[0],
					 .expires_at = NEVER,
					 .granted_at = task->now };
	struct grant grant = { .id = str_from_c(seed->ids[GRANT][seed->done]),
			       .user_id = family->user_id,
			       .client_id = seed->client.id,
			       .resource = seed->resource->uri,
			       .basis = STR("person"),
			       .created_at = task->now,
			       .updated_at = task->now,
			       .expires_at = NEVER,
			       .permissions = &permission,
			       .permission_count = 1 };

	return grant_put(task, db, &grant, &family->grant_id);
}

static enum err insert_one(struct task *task, struct seed *seed, struct db *db)
{
	uint8_t bytes[SHA256_LEN];
	struct family family = {
		.id = str_from_c(seed->ids[FAMILY][seed->done]),
		.user_id = str_from_c(seed->ids[USER][seed->done]),
		.client_id = seed->client.id,
		.ceiling = { scope_names, COUNT_OF(scope_names) },
		.seed = { (const char *)bytes, sizeof(bytes) },
		.root_number = keys_root_number(seed->keys),
		.generation = 1,
		.marks = { { .at = task->now, .generation = 1 } },
		.mark_count = 1,
		.auth_time = task->now,
		.acr = STR(ACR_PASSWORD),
		.created_at = task->now,
		.last_used_at = task->now,
		.idle_expires_at = task->now + 30 * DAY_MS,
	};

	random_bytes(bytes, sizeof(bytes));
	TRY(insert_user(task, seed, db, family.user_id));
	TRY(insert_grant(task, seed, db, &family));
	TRY(family_insert(task, db, &family));
	seed->done++;
	return OK;
}

struct batch {
	struct seed *seed;
	size_t count;
};

static enum err insert_batch(struct task *task, struct db *db, void *arg)
{
	const struct batch *batch = arg;

	for (size_t i = 0; i < batch->count; i++)
		TRY(insert_one(task, batch->seed, db));
	return OK;
}

static void insert_grants(struct seed *seed, size_t count)
{
	for (int noun = 0; noun < NOUNS; noun++)
		make_ids(seed, (enum noun)noun, count);
	while (seed->done < count) {
		size_t missing = count - seed->done;
		struct batch batch = { seed, missing < BATCH ? missing : BATCH };
		struct task task;
		enum err err;

		task_begin(&task, &seed->clock, &seed->log);
		err = store_write(&task, seed->store, insert_batch, &batch);
		if (err != OK)
			die(&task, err);
		task_end(&task);
	}
}

static enum err mint(struct task *task, struct seed *seed, size_t number, FILE *file)
{
	struct token_answer answer;
	struct standing standing;
	struct wish wish;
	struct db *db = NULL;

	TRY(store_reader(task, seed->store, &db));
	TRY(standing_find_by_family(task, db, str_from_c(seed->ids[FAMILY][number]), &standing));
	wish = (struct wish){ .scope = standing.family.ceiling,
			      .resource = standing.grant.resource,
			      .offered = issue_offered(task, &seed->authority,
						       standing.grant.resource) };
	TRY(issue_tokens(
		task, &seed->authority,
		&(struct issue_order){ .standing = &standing, .wish = &wish, .is_renewable = true },
		&answer));
	fprintf(file, "%.*s\n", STR_FMT(answer.refresh_token));
	return OK;
}

static void write_tokens(struct seed *seed, size_t count, const char *path)
{
	FILE *file = fopen(path, "we");

	for (size_t i = 0; i < count && file != NULL; i++) {
		struct task task;
		enum err err;

		task_begin(&task, &seed->clock, &seed->log);
		err = mint(&task, seed, i * seed->done / count, file);
		if (err != OK)
			die(&task, err);
		task_end(&task);
	}
	if (file == NULL || fclose(file) != 0) {
		fprintf(stderr, "seed: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct seed seed = { .log = { .fd = -1 } };
	struct config_source source = { .digest = sha256,
					.environment = (const char *const *)environ };
	uint64_t grants, tokens;
	struct task task;
	enum err err;

	if (argc != 5 || !str_to_u64(str_from_c(argv[2]), GRANTS_MAX, &grants) ||
	    !str_to_u64(str_from_c(argv[3]), grants, &tokens)) {
		fprintf(stderr, "usage: seed DIR GRANTS TOKENS FILE\n");
		return 2;
	}
	source.dir = str_from_c(argv[1]);
	task_begin(&task, &seed.clock, &seed.log);
	err = open_all(&task, &seed, &source);
	if (err != OK)
		die(&task, err);
	insert_grants(&seed, grants);
	write_tokens(&seed, tokens, argv[4]);
	authority_close(&seed.authority);
	store_free(&seed.store);
	keys_free(&seed.keys);
	config_live_free(&seed.config);
	task_end(&task);
	for (int noun = 0; noun < NOUNS; noun++)
		free(seed.ids[noun]);
	return 0;
}

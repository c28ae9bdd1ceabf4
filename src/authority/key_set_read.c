/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/key_set_read.h"

#include "authority/document_flights.h"
#include "authority/documents.h"
#include "crypto/jwk_set.h"

#define FETCH_MS 3000
/* a key that is gone from the set must not count for long */
#define LIFE_MAX HOUR_MS

enum err key_set_check_place(struct task *task, const struct config *config,
			     const struct key_set_place *place)
{
	if (place->is_operators)
		return OK;
	if (document_is_meant(place->client_id))
		return document_check_policy(task, config, place->uri);
	return document_check_domain(task, config, place->uri);
}

bool key_set_comes_too_late(const struct config *config, const struct client *client)
{
	return client->jwks_uri.at != NULL &&
	       (client->par_required_at != 0 || config->require_pushed_requests);
}

enum err key_set_read(struct task *task, struct key_set_reading *reading, then_fn *then, void *arg)
{
	const struct authority *authority = reading->authority;
	const struct config *config = authority_config(authority);
	struct outgoing *outgoing = documents_outgoing(authority->documents);
	const struct outgoing_wish wish = {
		.url = reading->place.uri,
		.accept = STR("application/jwk-set+json, application/json"),
		.answer_max = JWK_SET_PUBLISHED_MAX,
		.timeout_ms = FETCH_MS,
		.allow_loopback = config->client_metadata_loopback,
	};

	reading->row = (struct key_set_row){ .client_id = reading->place.client_id,
					     .uri = reading->place.uri,
					     .read_at = task->now };
	TRY(key_set_check_place(task, config, &reading->place));
	if (outgoing == NULL)
		return fail(task, ERR_CLIENT, "nothing is fetched here");
	return outgoing_get(task, outgoing, &wish, &reading->answer, then, arg);
}

enum err key_set_judge(struct task *task, struct key_set_reading *reading, enum err result)
{
	const struct outgoing_answer *answer = &reading->answer;
	int64_t life;

	TRY(result);
	TRY(fetch_check_answer(task, reading->place.uri, answer));
	if (jwk_set_take(task, answer->body, &reading->row.jwks) != OK)
		return ERR_CLIENT_DOCUMENT; /* the reason is noted */
	life = document_life(answer->cache_control, answer->age);
	reading->row.due_at = task->now + (life < LIFE_MAX ? life : LIFE_MAX);
	return OK;
}

enum err key_set_keep(struct task *task, struct db *db, void *arg)
{
	struct key_set_reading *reading = arg;
	struct key_set_row before = { 0 };

	TRY(key_set_find(task, db, reading->place.client_id, &before));
	reading->is_news = !str_equals(before.jwks, reading->row.jwks);
	return key_set_put(task, db, &reading->row);
}

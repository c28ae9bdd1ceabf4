/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/device.h"

#include "authority/events.h"
#include "authority/scope_choice.h"
#include "authority/throttle_shared.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "http/address.h"
#include "store/requests.h"

/* RFC 8628 6.1: no vowels, so that no code is a word; 20 to the power of 8 is 34.6 bits. */
#define LETTERS	     "BCDFGHJKLMNPQRSTVWXZ"
#define LETTER_COUNT (sizeof(LETTERS) - 1)
#define CODE_LEN     8
#define TYPED_MAX    64
#define SECRET_BYTES 32
#define TRIES	     3 /* that two codes are the same happens once in a million */

bool device_is_for(const struct authority *authority, const struct client *client)
{
	enum device_flow policy = authority_config(authority)->device_flow;

	if (policy == DEVICE_FLOW_OFF || !client_allows(client, GRANT_DEVICE_CODE))
		return false;
	return policy == DEVICE_FLOW_OPEN || client_is_operators(client);
}

static enum err mac(struct task *task, const struct authority *authority, struct str what,
		    struct str input, struct str *ret_tag)
{
	char *tag = arena_alloc(&task->arena, SHA256_LEN);

	TRY(keys_mac(task, authority->keys, MAC_USER_CODE,
		     STR_JOIN(&task->arena, what, STR("\0"), input), (uint8_t *)tag));
	*ret_tag = (struct str){ tag, SHA256_LEN };
	return OK;
}

/*
 * 2^64 is a billion times the number of codes, so that none is likelier than another to speak of.
 */
static enum err code_of(struct task *task, const struct authority *authority, struct str request_id,
			struct str *ret_code)
{
	char *code = arena_alloc(&task->arena, CODE_LEN);
	struct str tag;
	uint64_t number = 0;

	TRY(mac(task, authority, STR("code"), request_id, &tag));
	for (size_t i = 0; i < sizeof(number); i++)
		number = number << 8 | (unsigned char)tag.at[i];
	for (size_t i = 0; i < CODE_LEN; i++) {
		code[i] = LETTERS[number % LETTER_COUNT];
		number /= LETTER_COUNT;
	}
	*ret_code = (struct str){ code, CODE_LEN };
	return OK;
}

static struct str written(struct arena *arena, struct str code)
{
	return STR_JOIN(arena, str_sub(code, 0, CODE_LEN / 2), STR("-"),
			str_from(code, CODE_LEN / 2));
}

/* The letters of what was typed; STR_NONE when it has others, or too few, or too many. */
static struct str letters_of(struct arena *arena, struct str typed)
{
	char *code = arena_alloc(arena, CODE_LEN);
	size_t len = 0;

	if (typed.len > TYPED_MAX)
		return STR_NONE;
	for (size_t i = 0; i < typed.len; i++) {
		char c = typed.at[i];

		if (c == '-' || c == ' ')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (!str_has(STR(LETTERS), c) || len == CODE_LEN)
			return STR_NONE;
		code[len++] = c;
	}
	return len == CODE_LEN ? (struct str){ code, len } : STR_NONE;
}

struct str device_code_written(struct arena *arena, struct str typed)
{
	struct str code = letters_of(arena, typed);

	return code.at == NULL ? STR_NONE : written(arena, code);
}

enum err device_user_code(struct task *task, const struct authority *authority,
			  const struct auth_request *request, struct str *ret_code)
{
	struct str code, tag;

	TRY(code_of(task, authority, request->id, &code));
	TRY(mac(task, authority, STR("tag"), code, &tag));
	if (!secret_equals(tag, request->user_code))
		return fail(task, ERR_NOT_FOUND, "made with an earlier root key");
	*ret_code = written(&task->arena, code);
	return OK;
}

/* --- the device asks --- */

static enum err insert_request(struct task *task, struct db *db, void *arg)
{
	const struct device_wish *wish = arg;

	return auth_request_insert(task, db, &wish->request);
}

static enum err open_request(struct task *task, struct device_wish *wish);

static enum err inserted(struct task *task, enum err result, void *arg)
{
	struct device_wish *wish = arg;
	enum err err;

	if (result != ERR_CONFLICT || wish->tries == TRIES)
		return wish->then(task, result, wish);
	task_forgive(task);
	err = open_request(task, wish);
	return err == ERR_PARKED ? ERR_PARKED : wish->then(task, err, wish);
}

static enum err open_request(struct task *task, struct device_wish *wish)
{
	struct auth_request *request = &wish->request;
	struct str code;

	wish->tries++;
	request->id = random_id(&task->arena, "req_");
	TRY(code_of(task, wish->authority, request->id, &code));
	TRY(mac(task, wish->authority, STR("tag"), code, &request->user_code));
	wish->user_code = written(&task->arena, code);
	return store_submit_relaxed(task, wish->authority->store, insert_request, wish, inserted);
}

static void describe(struct task *task, struct device_wish *wish, const struct scope_choice *choice)
{
	char secret[SECRET_BYTES];

	random_bytes(secret, sizeof(secret));
	wish->device_code =
		STR_JOIN(&task->arena, STR("gdc_"),
			 base64url_encode(&task->arena, (struct str){ secret, sizeof(secret) }));
	wish->request = (struct auth_request){
		.state = REQUEST_PENDING,
		.browser_hash = STR(""),
		.client_id = wish->client.id,
		.resource = choice->chosen->uri,
		.scope = choice->asked,
		.details = choice->details,
		.redirect_uri = STR(""),
		.code_challenge = STR(""),
		.max_age = -1,
		.dpop_jkt = wish->jkt,
		.asked_from = wish->source,
		.poll_ms = DEVICE_INTERVAL_MS,
		.code_hash = sha256_str(&task->arena, wish->device_code),
		.created_at = task->now,
		.expires_at = task->now + DEVICE_LIFE_MS,
	};
}

/*
 * Each question is a row. In the name of a public client anybody can cause one: so many from one
 * network for all clients and for one, so many of one client, and so many in all, which is what
 * bounds the table. Who authenticates has a measure of its own, which nobody else uses up; one that
 * made itself known counts among all the same, for there may be any number of those.
 */
static enum err check_quotas(struct task *task, struct device_wish *wish)
{
	const struct authority *authority = wish->authority;
	const struct client *client = &wish->client;
	bool is_public = client_is_public(client);
	bool is_anybodys = is_public || !client_is_operators(client);
	struct str network = address_network(&task->arena, wish->source);
	const struct {
		enum throttle_kind kind;
		bool counts;
		struct str key;
	} quotas[] = {
		{ THROTTLE_DEVICE_NETWORK, is_anybodys, network },
		{ THROTTLE_DEVICE, is_public,
		  STR_JOIN(&task->arena, client->id, STR("\0"), network) },
		{ THROTTLE_DEVICE_CLIENT, true, client->id },
		{ THROTTLE_DEVICE_ALL, is_anybodys, STR("") },
	};

	for (size_t i = 0; i < COUNT_OF(quotas); i++)
		if (quotas[i].counts)
			TRY(throttle_check(task, authority->throttle, quotas[i].kind, quotas[i].key,
					   &wish->retry_after));
	for (size_t i = 0; i < COUNT_OF(quotas); i++)
		if (quotas[i].counts)
			(void)throttle_spend(task, authority, quotas[i].kind, quotas[i].key, NULL);
	return OK;
}

enum err device_ask(struct task *task, const struct authority *authority, struct device_wish *wish,
		    then_fn *then)
{
	struct scope_choice choice = {
		.client = &wish->client,
		.scope = wish->scope,
		.resource = wish->resource,
		.resource_count = wish->resource_count,
		.conditions = wish->conditions,
	};

	wish->authority = authority;
	wish->then = then;
	if (!device_is_for(authority, &wish->client))
		return fail(task, ERR_CLIENT_NOT_ALLOWED,
			    "this client may not ask from a device (grant type device_code)");
	TRY(scope_choose(task, authority, &choice));
	TRY(check_quotas(task, wish));
	describe(task, wish, &choice);
	return open_request(task, wish);
}

/* --- a person types its code --- */

static enum err check_guesses(struct task *task, const struct authority *authority,
			      struct device_entry *entry)
{
	TRY(throttle_check(task, authority->throttle, THROTTLE_USER_CODE, entry->user.id,
			   &entry->retry_after));
	return throttle_check(task, authority->throttle, THROTTLE_USER_CODE_NETWORK,
			      address_network(&task->arena, entry->source), &entry->retry_after);
}

static enum err refuse_guess(struct task *task, const struct authority *authority,
			     const struct device_entry *entry)
{
	struct event event = event_new(task, STR("device.guessed"), STR("user"));

	event.user_id = entry->user.id;
	event.request_id = entry->request_id;
	(void)throttle_spend(task, authority, THROTTLE_USER_CODE, entry->user.id, &event);
	(void)throttle_spend(task, authority, THROTTLE_USER_CODE_NETWORK,
			     address_network(&task->arena, entry->source), NULL);
	return fail(task, ERR_NOT_FOUND, "no device waits with this code");
}

static enum err find_entered(struct task *task, const struct authority *authority,
			     struct device_entry *entry)
{
	struct str code = letters_of(&task->arena, entry->typed), tag;
	struct auth_request *request = &entry->request;
	struct db *db = NULL;
	enum err err;

	if (code.at == NULL)
		return fail(task, ERR_NOT_FOUND, "this is not a code");
	TRY(mac(task, authority, STR("tag"), code, &tag));
	TRY(store_reader(task, authority->store, &db));
	err = auth_request_find_user_code(task, db, tag, request);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == ERR_NOT_FOUND || request->state != REQUEST_PENDING ||
	    request->expires_at <= task->now ||
	    (request->user_id.at != NULL && !str_equals(request->user_id, entry->user.id))) {
		task_forgive(task);
		return refuse_guess(task, authority, entry);
	}
	return OK;
}

static enum err claim(struct task *task, struct db *db, void *arg)
{
	struct device_entry *entry = arg;
	const struct device_claim wish = {
		.user_code = entry->request.user_code,
		.user_id = entry->user.id,
		.browser_hash = sha256_str(&task->arena, entry->browser),
		.now = task->now,
	};

	return auth_request_claim(task, db, &wish, &entry->request);
}

static enum err claimed(struct task *task, enum err result, void *arg)
{
	struct device_entry *entry = arg;

	return entry->then(task, result, entry);
}

enum err device_enter(struct task *task, const struct authority *authority,
		      struct device_entry *entry, then_fn *then)
{
	entry->then = then;
	TRY(check_guesses(task, authority, entry));
	TRY(find_entered(task, authority, entry));
	return store_submit_relaxed(task, authority->store, claim, entry, claimed);
}

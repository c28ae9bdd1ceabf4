/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/refresh_token.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/base64.h"
#include "crypto/random.h"

#define FAMILY_PREFIX	 "fam_"
#define REFRESH_PREFIX	 "grt_"
#define REFRESH_TEXT_LEN ((REFRESH_BYTES * 8 + 5) / 6)
#define CRC_TEXT_LEN	 6

_Static_assert(REFRESH_FIELDS == 4 + ID_RANDOM_LEN + 8, "key number, family, generation");

/* key number ‖ family ‖ generation, big-endian. */
static void put_fields(char at[REFRESH_FIELDS], uint32_t root_number, struct str family_id,
		       int64_t generation)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(root_number >> (24 - 8 * i));
	memcpy(at + 4, family_id.at + strlen(FAMILY_PREFIX), ID_RANDOM_LEN);
	for (int i = 0; i < 8; i++)
		at[4 + ID_RANDOM_LEN + i] = (char)((uint64_t)generation >> (56 - 8 * i));
}

void refresh_token_begin(char bytes[REFRESH_FIELDS], const struct family *family)
{
	put_fields(bytes, family->root_number, family->id, family->generation);
}

struct str refresh_token_input(struct arena *arena, const struct family *family,
			       const char bytes[REFRESH_FIELDS])
{
	return STR_JOIN(arena, STR("refresh\0"), family->client_id, STR("\0"),
			(struct str){ bytes, REFRESH_FIELDS });
}

static struct str crc_text(struct arena *arena, struct str bytes)
{
	uint32_t crc = crc32_of(bytes);
	char four[] = { (char)(crc >> 24), (char)(crc >> 16), (char)(crc >> 8), (char)crc };

	return base64url_encode(arena, (struct str){ four, sizeof(four) });
}

struct str refresh_token_text(struct arena *arena, const char bytes[REFRESH_BYTES])
{
	struct str all = { bytes, REFRESH_BYTES };

	return STR_JOIN(arena, STR(REFRESH_PREFIX), base64url_encode(arena, all),
			crc_text(arena, all));
}

enum err refresh_token_parse(struct task *task, struct str text, struct refresh_token *ret_token)
{
	struct str bytes, body = str_from(text, strlen(REFRESH_PREFIX));
	struct refresh_token token = { 0 };
	uint64_t generation = 0;

	if (!str_starts_with(text, STR(REFRESH_PREFIX)) ||
	    body.len != REFRESH_TEXT_LEN + CRC_TEXT_LEN ||
	    base64url_decode(task, str_sub(body, 0, REFRESH_TEXT_LEN), &bytes) != OK ||
	    !str_equals(crc_text(&task->arena, bytes), str_from(body, REFRESH_TEXT_LEN)))
		return fail(task, ERR_GRANT, "this is not a refresh token");
	for (int i = 0; i < 4; i++)
		token.root_number = token.root_number << 8 | (unsigned char)bytes.at[i];
	token.family_id = STR_JOIN(&task->arena, STR(FAMILY_PREFIX),
				   str_sub(bytes, 4, ID_RANDOM_LEN));
	for (int i = 0; i < 8; i++)
		generation = generation << 8 | (unsigned char)bytes.at[4 + ID_RANDOM_LEN + i];
	token.tag = str_from(bytes, REFRESH_FIELDS);
	if (!id_is_valid(token.family_id, FAMILY_PREFIX) || generation > INT64_MAX)
		return fail(task, ERR_GRANT, "this is not a refresh token");
	token.generation = (int64_t)generation;
	*ret_token = token;
	return OK;
}

enum err refresh_token_refuse(struct task *task)
{
	return fail(task, ERR_GRANT, "the refresh token is not known");
}

struct str refresh_token_presented(struct arena *arena, const struct family *family,
				   const struct refresh_token *token)
{
	char fields[REFRESH_FIELDS];

	put_fields(fields, token->root_number, token->family_id, token->generation);
	return refresh_token_input(arena, family, fields);
}

/* Of those up to the current one, each was made by one root key, and no other's counts. */
static bool is_of_its_time(const struct refresh_token *token, const struct family *family)
{
	if (token->generation > family->generation) /* the database was put back: judge */
		return token->root_number >= family->root_number;
	return token->root_number == family_root_of(family, token->generation);
}

/* Agents throw away what is refused as unknown: a file without the key must not have them do it. */
static enum err check_has_root(struct task *task, const struct authority *authority,
			       const struct family *family)
{
	if (keys_find_root(authority->keys, family->root_number) != NULL ||
	    !family_is_live(family, task->now))
		return OK;
	return failf(task, ERR_BUSY,
		     "root key %u, by which the refresh tokens of %.*s are made, is not in this "
		     "node's root key file: put it back from a copy and restart grantd",
		     family->root_number, STR_FMT(family->id));
}

enum err refresh_token_check_root(struct task *task, const struct authority *authority,
				  const struct refresh_token *token, const struct family *family)
{
	TRY(check_has_root(task, authority, family));
	if (!is_of_its_time(token, family) ||
	    keys_find_root(authority->keys, token->root_number) == NULL)
		return refresh_token_refuse(task);
	return OK;
}

static enum err compare(struct task *task, struct str tag, const struct refresh_token *token)
{
	return secret_equals(tag, token->tag) ? OK : refresh_token_refuse(task);
}

static enum err tagged(struct task *task, enum err result, void *arg)
{
	const struct refresh_token_checking *checking = arg;

	if (result == OK)
		result = compare(task, checking->tag, checking->token);
	return checking->then(task, result, checking->arg);
}

enum err refresh_token_check_with_others(struct task *task, const struct authority *authority,
					 struct refresh_token_checking *checking)
{
	const struct family *family = checking->family;
	const struct mac_order order = {
		.root_number = checking->token->root_number,
		.seed = family->seed,
		.input = refresh_token_presented(&task->arena, family, checking->token),
	};

	TRY(refresh_token_check_root(task, authority, checking->token, family));
	TRY(keys_mac_refresh_with_others(task, authority->keys, &order, &checking->tag, tagged,
					 checking));
	return compare(task, checking->tag, checking->token);
}

enum err refresh_token_check(struct task *task, const struct authority *authority,
			     const struct refresh_token *token, const struct family *family)
{
	uint8_t tag[SHA256_LEN];

	TRY(refresh_token_check_root(task, authority, token, family));
	TRY(keys_mac_refresh(task, authority->keys, token->root_number, family->seed,
			     refresh_token_presented(&task->arena, family, token), tag));
	return compare(task, (struct str){ (const char *)tag, sizeof(tag) }, token);
}

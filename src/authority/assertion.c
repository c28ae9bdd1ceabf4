/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/assertion.h"

#include "authority/key_sets.h"
#include "authority/single_use.h"
#include "crypto/jwk_set.h"

#define LIFE_MS (5 * MINUTE_MS)
#define SKEW_MS (10 * SECOND_MS)

static enum err check_alg(struct task *task, const struct client *client, enum alg used)
{
	enum alg registered = used;

	if (client->auth_alg.at != NULL)
		TRY(alg_from_name(task, client->auth_alg, &registered));
	if (registered != used)
		return fail(task, ERR_CLIENT, "the assertion's alg is not the registered one");
	return OK;
}

static enum err check_signature(struct task *task, const struct authority *authority,
				const struct client *client, const struct assertion *assertion)
{
	enum err err = jwk_set_verify(task, client->jwks, &assertion->jws);

	if (err == ERR_NOT_FOUND && client->jwks_uri.at != NULL)
		key_set_miss(task, authority, client);
	if (err == ERR_NOT_FOUND || err == ERR_TOKEN)
		return fail(task, ERR_CLIENT, "the assertion is not signed by a registered key");
	return err;
}

static enum err check_names(struct task *task, const struct authority *authority,
			    const struct client *client, const struct assertion *assertion)
{
	if (!str_equals(assertion->issuer, client->id) ||
	    !str_equals(assertion->subject, client->id))
		return fail(task, ERR_CLIENT, "the assertion's iss and sub must be the client_id");
	if (!str_equals(assertion->audience, authority_config(authority)->issuer))
		return failf(task, ERR_CLIENT,
			     "the assertion's aud must be \"%.*s\", one text and not a list",
			     STR_FMT(authority_config(authority)->issuer));
	if (assertion->jti.at == NULL)
		return fail(task, ERR_CLIENT, "the assertion has no jti");
	return OK;
}

/* Who has a clock ahead of ours may say so in iat; the life is counted from there. */
static enum err check_times(struct task *task, const struct assertion *assertion)
{
	int64_t from = assertion->issued_at < 0 ? task->now : assertion->issued_at;

	if (assertion->expires_at < 0)
		return fail(task, ERR_CLIENT, "the assertion has no exp");
	if (assertion->expires_at <= task->now)
		return fail(task, ERR_CLIENT, "the assertion is over");
	if (assertion->issued_at > task->now + SKEW_MS ||
	    assertion->not_before > task->now + SKEW_MS)
		return fail(task, ERR_CLIENT, "the assertion's time has not come: check the clock");
	if (assertion->expires_at - from > LIFE_MS)
		return fail(task, ERR_CLIENT, "the assertion lives longer than five minutes");
	return OK;
}

enum err assertion_check(struct task *task, const struct authority *authority,
			 const struct client *client, const struct assertion *assertion,
			 struct spent *ret_spent)
{
	TRY(check_alg(task, client, assertion->jws.alg));
	/* what costs nothing first */
	TRY(check_names(task, authority, client, assertion));
	TRY(check_times(task, assertion));
	TRY(check_signature(task, authority, client, assertion));
	*ret_spent = (struct spent){
		.name = single_use_name(&task->arena, STR("assertion"), client->id, assertion->jti),
		/* longer than any node would take it for, whatever its clock says */
		.ends_at = assertion->expires_at + SKEW_MS,
	};
	return OK;
}

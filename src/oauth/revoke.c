/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/revoke.h"

#include "authority/client_auth.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"

static enum err answer_revocation(struct task *task, enum err result, void *arg)
{
	(void)arg;
	TRY(result);
	/* nobody has to read it (RFC 7009 2.2), but some clients read nothing else than JSON */
	reply_with(exchange_of(task), 200, STR("application/json"), STR("{}"));
	return OK;
}

/* Once an assertion that came with it is spent: how it ends does not matter to that. */
static enum err revoke(struct task *task, enum err result, void *arg)
{
	struct revocation *revocation = arg;
	enum err err;

	TRY(result);
	err = token_revoke(task, oauth_authority(exchange_of(task)), revocation, answer_revocation);
	return err == ERR_PARKED ? ERR_PARKED : answer_revocation(task, err, revocation);
}

/* RFC 7009. token_type_hint is not needed: a token says what it is. */
enum err oauth_revoke(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct revocation *revocation = NEW(&task->arena, struct revocation);
	struct single_use single_use = { 0 };
	struct form form;

	TRY(parameters_read(exchange, &form));
	TRY(oauth_client(exchange, &form, &revocation->client, &single_use));
	revocation->token = form_get(&form, "token");
	revocation->request_id = exchange->request_id;
	if (single_use_is_empty(&single_use))
		return revoke(task, OK, revocation);
	exchange->goes_on_in_lane = true; /* to find what is revoked */
	return single_use_submit(task, oauth_authority(exchange), &single_use, revoke, revocation);
}

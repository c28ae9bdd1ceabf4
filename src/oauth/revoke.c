/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/revoke.h"

#include "oauth/credentials.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"

static enum err answer_revocation(struct task *task, enum err result, void *arg)
{
	(void)arg;
	TRY(result);
	reply_with(exchange_of(task), 200, STR_NONE, STR_NONE);
	return OK;
}

/* RFC 7009. token_type_hint is not needed: a token says what it is. */
enum err oauth_revoke(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct revocation *revocation = NEW(&task->arena, struct revocation);
	struct form form;
	enum err err;

	TRY(parameters_read(exchange, &form));
	TRY(oauth_client(exchange, &form, &revocation->client));
	revocation->token = form_get(&form, "token");
	revocation->request_id = exchange->request_id;
	err = token_revoke(task, oauth_authority(exchange), revocation, answer_revocation);
	return err == ERR_PARKED ? ERR_PARKED : answer_revocation(task, err, revocation);
}

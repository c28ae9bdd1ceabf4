/* SPDX-License-Identifier: Apache-2.0 */
/* grant_type=authorization_code: from a code to the first tokens of a new family. */
#include "authority/pkce.h"
#include "authority/redemption.h"
#include "store/requests.h"

static enum err find_code(struct task *task, struct token_wish *wish)
{
	struct redemption *redemption = wish->work;
	struct db *db = NULL;
	enum err err;

	if (!str_starts_with(wish->code, STR("gac_")))
		return fail(task, ERR_GRANT, "this is not a code");
	redemption->code_hash = sha256_str(&task->arena, wish->code);
	TRY(store_reader(task, wish->authority->store, &db));
	err = auth_request_find_code(task, db, redemption->code_hash, &redemption->request);
	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_GRANT, "the code is not known");
	TRY(err);
	/* another client's code burns nothing */
	if (!str_equals(redemption->request.client_id, wish->client.id))
		return fail(task, ERR_GRANT, "the code is not known");
	return OK;
}

/* Why the code is not for who redeems it; STR_NONE: it is. */
static struct str find_misfit(const struct token_wish *wish)
{
	const struct redemption *redemption = wish->work;
	const struct auth_request *request = &redemption->request;

	if (!pkce_verify(request->code_challenge, wish->code_verifier))
		return STR("code_verifier does not fit");
	if (wish->redirect_uri.at != NULL && !str_equals(wish->redirect_uri, request->redirect_uri))
		return STR("redirect_uri does not fit");
	/* RFC 9449 10 */
	if (request->dpop_jkt.at != NULL && !str_equals(request->dpop_jkt, wish->jkt))
		return STR("the code is for another DPoP key");
	return STR_NONE;
}

enum err token_redeem_code(struct task *task, const struct authority *authority,
			   struct token_wish *wish, then_fn *then)
{
	struct redemption *redemption = NEW(&task->arena, struct redemption);
	const struct auth_request *request = &redemption->request;
	struct str misfit;

	wish->authority = authority;
	wish->then = then;
	wish->work = redemption;
	if (!client_allows(&wish->client, GRANT_AUTHORIZATION_CODE))
		return fail(task, ERR_CLIENT_NOT_ALLOWED,
			    "this client may not use authorization_code");
	if (str_is_empty(wish->code))
		return fail(task, ERR_REQUEST, "code is missing");
	TRY(find_code(task, wish));
	if (wish->resource.at != NULL)
		TRY(token_check_resource(task, wish->resource, request->resource));
	TRY(redemption_bind(task, wish));
	misfit = find_misfit(wish);
	if (request->state == REQUEST_SPENT)
		return redemption_refuse_spent(task, wish, misfit.at == NULL);
	if (request->state != REQUEST_CODE || request->code_expires_at <= task->now)
		return fail(task, ERR_GRANT, "the code is over");
	return redemption_start(task, wish, misfit.at == NULL ? OK : ERR_GRANT, misfit);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/fetches.h"

#include "authority/throttle_shared.h"
#include "http/outgoing.h"
#include "model/document.h"

enum err fetch_check(struct task *task, struct fetch *fetch)
{
	struct throttle *throttle = fetch->authority->throttle;

	TRY(throttle_check(task, throttle, THROTTLE_DOCUMENT, fetch->user_id, &fetch->retry_after));
	if (fetch->is_new_host)
		TRY(throttle_check(task, throttle, THROTTLE_DOCUMENT_HOST, fetch->user_id,
				   &fetch->retry_after));
	return OK;
}

enum err fetch_spend(struct task *task, struct fetch *fetch)
{
	const struct authority *authority = fetch->authority;

	TRY(fetch_check(task, fetch));
	(void)throttle_spend(task, authority, THROTTLE_DOCUMENT, fetch->user_id, NULL);
	if (fetch->is_new_host)
		(void)throttle_spend(task, authority, THROTTLE_DOCUMENT_HOST, fetch->user_id, NULL);
	return OK;
}

enum err fetch_check_answer(struct task *task, struct str url, const struct outgoing_answer *answer)
{
	struct str host = document_host(url);

	if (answer->status != 200)
		return failf(task, ERR_CLIENT_DOCUMENT, "%.*s answered %u and not 200",
			     STR_FMT(host), answer->status);
	if (!document_is_json(answer->type))
		return failf(task, ERR_CLIENT_DOCUMENT, "what %.*s answers is not called JSON",
			     STR_FMT(host));
	return OK;
}

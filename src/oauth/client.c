/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/credentials.h"
#include "oauth/endpoints.h"
#include "oauth/reply.h"

enum err oauth_client(struct exchange *exchange, const struct form *form, struct client *ret_client,
		      struct single_use *ret_spend)
{
	struct task *task = &exchange->task;
	struct client_credentials credentials;
	enum err err;

	TRY(credentials_read(task, &exchange->request, form, &credentials));
	err = client_authenticate(task, oauth_authority(exchange), &credentials, ret_client);
	if (err != OK) {
		oauth_retry_after(exchange, credentials.retry_after);
		return err;
	}
	task_tag(task, "client", ret_client->id);
	*ret_spend = credentials.single_use;
	return OK;
}

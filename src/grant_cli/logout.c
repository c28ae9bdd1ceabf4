/* SPDX-License-Identifier: Apache-2.0 */
/* grant logout: ends a log-in at the server (RFC 7009), then forgets it here. */
#include <stddef.h>

#include "base/task.h"
#include "grant_cli/endpoint.h"
#include "grant_cli/say.h"
#include "grant_cli/wallet.h"
#include "grant_cli/wish.h"

static enum err revoke(struct task *task, const struct login *login)
{
	const struct endpoint endpoint = { .url = login->revocation_endpoint,
					   .ca_file = login->ca_file };
	enum err err;

	if (login->refresh_token.at == NULL || login->revocation_endpoint.at == NULL)
		return OK;
	err = endpoint_revoke(task, &endpoint, login->client_id, login->refresh_token);
	if (err != OK) {
		struct str why = task->reason;

		task_forgive(task);
		return failf(task, err,
			     "%.*s. Nothing was deleted (grant logout --local deletes without "
			     "asking the server)",
			     STR_FMT(why));
	}
	return OK;
}

static enum err log_out(struct task *task, const struct wish *wish, const struct wallet *wallet,
			struct str file)
{
	CLEANUP(wallet_unlock) int lock = wallet_lock(task, wallet, file);
	struct login login;
	enum err err = wallet_read(task, wallet, file, &login);

	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	if (!wish->local)
		TRY(revoke(task, &login));
	TRY(wallet_remove(task, wallet, file));
	return wish->json ? say_login(task, &login) : OK;
}

static enum err logout_run(struct task *task, const struct wish *wish)
{
	CLEANUP(wallet_close) struct wallet wallet = WALLET_CLOSED;
	struct login login, *logins = &login;
	size_t count = 1;

	TRY(wallet_open(task, wish->home, false, &wallet));
	if (wish->all)
		TRY(wallet_list(task, &wallet, &logins, &count));
	else
		TRY(wallet_find(task, &wallet, wish->resource, &login));
	for (size_t i = 0; i < count; i++)
		TRY(log_out(task, wish, &wallet, logins[i].file));
	return OK;
}

static const struct wish_option options[] = {
	{ "--resource", "URI", "the log-in for this resource (or its last path segment)",
	  offsetof(struct wish, resource) },
	{ "--all", NULL, "every log-in", offsetof(struct wish, all) },
	{ "--local", NULL, "delete here without asking the server", offsetof(struct wish, local) },
	WISH_JSON,
	WISH_HELP,
	{ NULL },
};

const struct verb verb_logout = { "logout", "end a log-in at the server and here", options,
				  logout_run, NULL };

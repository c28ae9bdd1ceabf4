/* SPDX-License-Identifier: Apache-2.0 */
/* grant list: what this user is logged in for, as the store knows it. Asks no server. */
#include <stddef.h>

#include "base/json.h"
#include "base/printable.h"
#include "base/task.h"
#include "grant_cli/say.h"
#include "grant_cli/wallet.h"
#include "grant_cli/wish.h"

#define LIST_MAX (1024 * 1024)

static enum err list_json(struct task *task, const struct login *logins, size_t count)
{
	struct buf text = buf_in(&task->arena, LIST_MAX);
	struct json_writer json = json_write_to(&text);
	struct str line = STR_NONE;

	json_open_array(&json);
	for (size_t i = 0; i < count; i++) {
		json_open_object(&json);
		login_members(task, &json, &logins[i]);
		json_close(&json);
	}
	json_close(&json);
	TRY(buf_finish(&text, &line));
	return say_line(task, line);
}

static enum err list_text(struct task *task, const struct login *logins, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct login *login = &logins[i];
		struct str until = login->expires_at == 0
					   ? STR("revoked")
					   : clock_format(&task->arena, login->expires_at);
		struct str line = str_printf(
			&task->arena, "%-8s %.*s  %.*s  (%.*s, until %.*s)",
			login_status(login, task->now),
			STR_FMT(login->resource.at == NULL ? login->issuer : login->resource),
			STR_FMT(login->scope.at == NULL ? STR("-") : login->scope),
			STR_FMT(login->client_id), STR_FMT(until));

		TRY(say_line(task, str_printable(&task->arena, line)));
		if (login->ended.at != NULL)
			TRY(say_line(task, str_printable(&task->arena,
							 STR_JOIN(&task->arena, STR("         "),
								  login->ended))));
	}
	return OK;
}

static enum err list_run(struct task *task, const struct wish *wish)
{
	CLEANUP(wallet_close) struct wallet wallet = WALLET_CLOSED;
	struct login *logins = NULL;
	size_t count = 0;
	enum err err = wallet_open(task, wish->home, false, &wallet);

	if (err == OK)
		err = wallet_list(task, &wallet, &logins, &count);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return wish->json ? list_json(task, logins, count) : list_text(task, logins, count);
}

static const struct wish_option options[] = { WISH_JSON, WISH_HELP, { NULL } };

const struct verb verb_list = { "list", "show what you are logged in for", options, list_run,
				NULL };

/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/prove.h"

#include "base/task.h"

enum err prove_new_key(struct task *task, struct str *ret_pem)
{
	CLEANUP(client_key_free) struct client_key *key = NULL;
	CLEANUP(secret_wipe) struct secret pem = { 0 };

	TRY(client_key_new(task, &key));
	TRY(client_key_save(task, key, &pem));
	*ret_pem = str_copy(&task->arena, secret_reveal(&pem)); /* wiped with the task */
	return OK;
}

enum err prove_line(struct task *task, struct str pem, const struct proof_wish *wish,
		    struct str *ret_line)
{
	CLEANUP(client_key_free) struct client_key *key = NULL;
	struct proof_wish bare = *wish;
	struct str proof;

	bare.url = str_sub(bare.url, 0, str_find(bare.url, '?'));
	bare.url = str_sub(bare.url, 0, str_find(bare.url, '#'));
	task->now = clock_wall(task->clock); /* a proof is of now */
	if (client_key_load(task, pem, &key) != OK)
		return fail(task, ERR_STORE, "the log-in's key is damaged: log in again");
	TRY(client_key_prove(task, key, &bare, &proof));
	*ret_line = STR_JOIN(&task->arena, STR("DPoP: "), proof);
	return OK;
}

bool login_type_is_dpop(struct str token_type)
{
	return str_equals_nocase(token_type, STR("DPoP"));
}

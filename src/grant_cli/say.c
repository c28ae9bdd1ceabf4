/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/task.h"
#include "grant_cli/wallet.h"

#define LINE_MAX_BYTES (64 * 1024)
#define SHELL_SAFE     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:@%+,="

enum err say_line(struct task *task, struct str line)
{
	if (fwrite(line.at, 1, line.len, stdout) != line.len || fputc('\n', stdout) == EOF ||
	    fflush(stdout) != 0)
		return failf(task, ERR_STORE, "cannot write to stdout: %s", strerror(errno));
	return OK;
}

enum err say_note(const char *note)
{
	fprintf(stderr, "%s\n", note);
	return OK;
}

const char *login_status(const struct login *login, int64_t now)
{
	if (login->ended.at != NULL)
		return "ended";
	if (login->expires_at != 0 && now >= login->expires_at)
		return "expired";
	return "active";
}

static void member_time(struct task *task, struct json_writer *json, const char *key, int64_t time)
{
	json_key(json, key);
	if (time == 0)
		json_add_null(json);
	else
		json_add_str(json, clock_format(&task->arena, time));
}

static void member_text(struct json_writer *json, const char *key, struct str text)
{
	json_key(json, key);
	if (text.at == NULL)
		json_add_null(json);
	else
		json_add_str(json, text);
}

void login_members(struct task *task, struct json_writer *json, const struct login *login)
{
	json_member_str(json, "id", login->id);
	json_member_str(json, "status", str_from_c(login_status(login, task->now)));
	json_member_str(json, "issuer", login->issuer);
	json_member_str(json, "client_id", login->client_id);
	member_text(json, "resource", login->resource);
	member_text(json, "scope", login->scope);
	member_time(task, json, "created_at", login->created_at);
	member_time(task, json, "expires_at", login->expires_at);
	member_time(task, json, "last_used_at", login->last_used_at);
	if (login->ended.at != NULL)
		json_member_str(json, "reason", login->ended);
}

enum err say_login(struct task *task, const struct login *login)
{
	struct buf text = buf_in(&task->arena, LINE_MAX_BYTES);
	struct json_writer json = json_write_to(&text);
	struct str line = STR_NONE;

	json_open_object(&json);
	login_members(task, &json, login);
	json_close(&json);
	TRY(buf_finish(&text, &line));
	return say_line(task, line);
}

/* A word as a shell reads it back. */
static void add_word(struct buf *text, const char *option, struct str word)
{
	if (word.at == NULL)
		return;
	buf_add_c(text, option);
	if (str_only(word, SHELL_SAFE)) {
		buf_add(text, word);
		return;
	}
	buf_add_char(text, '\'');
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] == '\'')
			buf_add_c(text, "'\\''");
		else
			buf_add_char(text, word.at[i]);
	}
	buf_add_char(text, '\'');
}

struct str login_command(struct task *task, const struct login *login)
{
	struct buf text = buf_in(&task->arena, LINE_MAX_BYTES);
	struct str command;

	buf_add_c(&text, "grant login");
	add_word(&text, " --issuer ", login->issuer);
	add_word(&text, " --client ", login->client_id);
	add_word(&text, " --resource ", login->resource);
	add_word(&text, " --scope ", login->scope);
	add_word(&text, " --ca ", login->ca_file);
	return buf_finish(&text, &command) == OK ? command : STR("grant login");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* grantctl: the operator's words, one HTTP call each over the daemon's admin socket. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/task.h"

#define LIST_OPTION_MAX 32

enum option {
	OPTION_EMAIL,
	OPTION_PASSWORD_STDIN,
	OPTION_ID,
	OPTION_NAME,
	OPTION_REDIRECT_URI, /* several */
	OPTION_PUBLIC,
	OPTION_SECRET_STDIN,
	OPTION_GENERATE_SECRET,
	OPTION_AUTH,
	OPTION_JWKS_FILE,
	OPTION_JWKS_URI,
	OPTION_FILE,
	OPTION_SIGNING_ALG,
	OPTION_DPOP,
	OPTION_PAR,
	OPTION_RESOURCE,
	OPTION_SCOPE,
	OPTION_GRANT_TYPE,   /* several */
	OPTION_DELEGATES_TO, /* several */
	OPTION_USER,
	OPTION_CLIENT,
	OPTION_GRANT,
	OPTION_LIMIT,
	OPTION_TEXT,
	OPTION_FORCE,
	OPTION_PURPOSE,
	OPTION_AT_ONCE,
	OPTION_COMPROMISED,
	OPTION_FOR,
	OPTION_USES,
	OPTION_EXPIRES,
	OPTION_REFRESH,
	OPTION_CA,
	OPTION_LIST,
	OPTION_ALL,
	OPTION_COUNT
};

#define BIT(option) (UINT64_C(1) << (option))

/* What was written behind the verb. */
struct words {
	struct str dir; /* STR_NONE: only the socket was named */
	struct str socket;
	struct str share_dir; /* what is installed beside the programs */
	bool is_json;
	bool wants_help;
	struct str argument; /* NAME, ID or FILE */
	bool is_given[OPTION_COUNT];
	struct str values[OPTION_COUNT]; /* of options with one value */
	struct str redirect_uris[LIST_OPTION_MAX];
	size_t redirect_uri_count;
	struct str grant_types[LIST_OPTION_MAX];
	size_t grant_type_count;
	struct str delegates[LIST_OPTION_MAX];
	size_t delegate_count;
};

struct verb {
	const char *noun;
	const char *name;
	const char *argument; /* its name in the help, in brackets if it may be missing, or NULL */
	uint64_t options;     /* BIT(…) of those it takes */
	enum err (*run)(struct task *task, const struct words *words);
	const char *help;
};

enum err status_show(struct task *task, const struct words *words);
enum err reload(struct task *task, const struct words *words);
enum err user_create(struct task *task, const struct words *words);
enum err user_list(struct task *task, const struct words *words);
enum err user_show(struct task *task, const struct words *words);
enum err user_disable(struct task *task, const struct words *words);
enum err user_enable(struct task *task, const struct words *words);
enum err user_password(struct task *task, const struct words *words);
enum err client_create(struct task *task, const struct words *words);
enum err client_list(struct task *task, const struct words *words);
enum err client_update(struct task *task, const struct words *words);
enum err client_show(struct task *task, const struct words *words);
enum err client_disable(struct task *task, const struct words *words);
enum err client_enable(struct task *task, const struct words *words);
enum err client_remove(struct task *task, const struct words *words);
enum err register_token_make(struct task *task, const struct words *words);
enum err register_token_show_all(struct task *task, const struct words *words);
enum err register_token_take_back(struct task *task, const struct words *words);
enum err client_pin(struct task *task, const struct words *words);
enum err client_unpin(struct task *task, const struct words *words);
enum err client_doctor(struct task *task, const struct words *words);
enum err grant_list(struct task *task, const struct words *words);
enum err grant_show(struct task *task, const struct words *words);
enum err grant_pause(struct task *task, const struct words *words);
enum err grant_resume(struct task *task, const struct words *words);
enum err grant_revoke(struct task *task, const struct words *words);
enum err event_list(struct task *task, const struct words *words);
enum err event_show(struct task *task, const struct words *words);
enum err backup_make(struct task *task, const struct words *words);
enum err keys_list(struct task *task, const struct words *words);
enum err keys_rotate(struct task *task, const struct words *words);
enum err root_key_list(struct task *task, const struct words *words);
enum err root_key_rewrap(struct task *task, const struct words *words);
enum err resource_add(struct task *task, const struct words *words);
enum err resource_list(struct task *task, const struct words *words);
enum err resource_show(struct task *task, const struct words *words);
enum err resource_remove(struct task *task, const struct words *words);

/* --- words.c --- */

/* The options and the argument of a verb. ERR_REQUEST with what is wrong. */
MUST_CHECK enum err words_parse(struct task *task, const struct verb *verb, char *const *argv,
				struct words *ret_words);

/* --- call.c --- */

/*
 * One call; *ret_answer is the JSON it answered, owned by the caller. ERR_IO: nobody answers at the
 * socket; ERR_CONFLICT and others: it was refused, with the daemon's message as the reason.
 */
MUST_CHECK enum err call(struct task *task, const struct words *words, const char *method,
			 struct str path, struct str body, json_t **ret_answer);
/* One call, and what it answered printed as an object. */
MUST_CHECK enum err call_and_print(struct task *task, const struct words *words, const char *method,
				   struct str path, struct str body);
/* Follows "next" to the end: all items of a list, as one array owned by the caller. */
MUST_CHECK enum err call_list(struct task *task, const struct words *words, struct str path,
			      const char *member, json_t **ret_items);
/* base/ARGUMENT[/verb], the argument percent-encoded. */
struct str path_of(struct task *task, const char *base, struct str argument, const char *verb);

/* --- placing.c --- */

/* DIR/resources/NAME.json, new in its place, and the old one beside it. */
struct placing {
	int folder; /* -1: none */
	struct str path;
	const char *name, *new_name, *old_name;
	bool has_old;
	bool is_placed;
};

/*
 * Writes the file where the caller may; else nothing is placed, and that is OK. ERR_CONFIG with the
 * reason. To be ended in any case, and undone before when the daemon refuses.
 */
MUST_CHECK enum err placing_begin(struct task *task, struct str dir, struct str name,
				  struct str text, struct placing *ret_placing);
void placing_undo(const struct placing *placing);
void placing_end(struct placing *placing);

/* --- print.c --- */

struct column {
	const char *title;
	const char *key;
};

/* --json: the items as they are; else a table. */
enum err print_list(struct task *task, const struct words *words, const json_t *items,
		    const struct column *columns, size_t count);
/* --json: the object; else a line per member. */
enum err print_object(struct task *task, const struct words *words, const json_t *object);
/* Text from elsewhere on stdout, with '?' for what is not printable. */
void print_text(struct task *task, struct str text);
/* The same to the end of its line, from column `indent` on, where further lines begin too. */
void print_filled(struct task *task, struct str text, size_t indent);

/* --- ask.c --- */

/* One line of stdin. ERR_REQUEST when there is none. */
MUST_CHECK enum err read_secret_line(struct task *task, struct secret *ret_secret);
/*
 * From stdin when the option says so, else asked twice at the terminal without echo; no secret when
 * there is no terminal.
 */
MUST_CHECK enum err ask_password(struct task *task, const struct words *words,
				 struct secret *ret_secret);

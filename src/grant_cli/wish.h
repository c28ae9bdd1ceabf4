/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user of `grant` asks for: a verb and its options, taken from the command line by one
 * table per verb. No option takes a secret: the command line of a process is everybody's to
 * read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct task;

struct wish {
	struct str home;	  /* the directory of the store */
	char *const *environment; /* for the browser */
	struct str issuer;
	struct str client;
	struct str resource;
	struct str scope;
	struct str ca_file;
	struct str label;
	struct str url;
	struct str method;
	bool dpop;
	bool device;
	bool no_browser;
	bool fresh;
	bool all;
	bool local;
	bool json;
	bool help;
};

struct wish_option {
	const char *name;  /* "--issuer" */
	const char *value; /* what follows, for the help; NULL: a switch */
	const char *help;
	size_t offset; /* of the member in struct wish: a struct str, or a bool for a switch */
};

struct verb {
	const char *name;
	const char *summary;
	const struct wish_option *options; /* up to the one without a name */
	enum err (*run)(struct task *task, const struct wish *wish);
	const char *argument; /* the name of the URL it takes, for the help; NULL: none */
};

extern const struct verb verb_login, verb_token, verb_list, verb_logout, verb_curl, verb_exchange;

#define WISH_JSON                                                                                  \
	{                                                                                          \
		"--json", NULL, "print JSON", offsetof(struct wish, json)                          \
	}
#define WISH_HELP                                                                                  \
	{                                                                                          \
		"--help", NULL, "print this", offsetof(struct wish, help)                          \
	}

/*
 * words is NULL-terminated. ERR_REQUEST for a word that the verb does not know, or a value that
 * is missing.
 */
MUST_CHECK enum err wish_parse(struct task *task, const struct verb *verb, char *const *words,
			       struct wish *wish);
/* What the verb does and takes, in task memory. */
MUST_CHECK enum err wish_help(struct task *task, const struct verb *verb, struct str *ret_text);

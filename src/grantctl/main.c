/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "grantctl/ctl.h"

static const struct verb verbs[] = {
	{ "user", "create", "NAME", BIT(OPTION_EMAIL) | BIT(OPTION_PASSWORD_STDIN), user_create,
	  "Creates a person. The password is asked for at the terminal, or read from stdin;\n"
	  "without one the person cannot sign in yet.\n\n"
	  "  --email ADDRESS\n"
	  "  --password-stdin     one line of stdin is the password\n" },
	{ "user", "list", NULL, 0, user_list, "Lists all people.\n" },
	{ "user", "show", "NAME", 0, user_show, "Shows one person.\n" },
	{ "user", "disable", "NAME", 0, user_disable,
	  "Ends the person's sessions and stops every agent of theirs until enabled.\n" },
	{ "user", "enable", "NAME", 0, user_enable, "Lets a disabled person in again.\n" },
	{ "user", "password", "NAME", BIT(OPTION_PASSWORD_STDIN), user_password,
	  "Sets a new password, ends the person's sessions and pauses what they allowed until "
	  "they\n"
	  "confirm it.\n\n"
	  "  --password-stdin     one line of stdin is the password\n" },
	{ "client", "create", NULL,
	  BIT(OPTION_ID) | BIT(OPTION_NAME) | BIT(OPTION_REDIRECT_URI) | BIT(OPTION_PUBLIC) |
		  BIT(OPTION_SECRET_STDIN) | BIT(OPTION_GENERATE_SECRET) | BIT(OPTION_AUTH) |
		  BIT(OPTION_JWKS_FILE) | BIT(OPTION_JWKS_URI) | BIT(OPTION_SIGNING_ALG) |
		  BIT(OPTION_DPOP) | BIT(OPTION_PAR) | BIT(OPTION_RESOURCE) | BIT(OPTION_SCOPE) |
		  BIT(OPTION_GRANT_TYPE) | BIT(OPTION_DELEGATES_TO) | BIT(OPTION_REFRESH),
	  client_create,
	  "Registers an agent.\n\n"
	  "  --id ID              what it calls itself in requests\n"
	  "  --name NAME          what people read\n"
	  "  --redirect-uri URI   where answers may go; once for each\n"
	  "  --public             it cannot keep a secret (a program on a person's computer), or\n"
	  "  --secret-stdin       one line of stdin is its secret (32 characters or more), or\n"
	  "  --generate-secret    one is made, shown this once, or\n"
	  "  --jwks-file FILE     its public keys (RFC 7517), for private_key_jwt, or\n"
	  "  --jwks-uri URL       where it publishes them; read within seconds and then again "
	  "and again\n"
	  "  --auth METHOD        of a secret: client_secret_post (default), which lets Basic in, "
	  "too,\n"
	  "                       or client_secret_basic, which lets in nothing else\n"
	  "  --signing-alg ALG    the one algorithm its assertions may have: ES256, RS256, PS256, "
	  "EdDSA\n"
	  "  --dpop WORD          required: no token without proof of a key (DPoP); optional\n"
	  "  --par WORD           required: its requests come through POST /par only; optional\n"
	  "  --refresh WORD       rotation: a new refresh token each time; sender-constrained: the "
	  "same\n"
	  "                       one, where its key was proven (DPoP or private_key_jwt)\n"
	  "  --resource NAME      the resource that is meant when a request names none\n"
	  "  --scope 'S1 S2'      the most that it can be allowed\n"
	  "  --grant-type TYPE    authorization_code, refresh_token, client_credentials, "
	  "token-exchange,\n"
	  "                       device_code; once for each\n"
	  "  --delegates-to ID    another agent that may act through it, named to people when they "
	  "are\n"
	  "                       asked; once for each\n" },
	{ "client", "list", NULL, 0, client_list, "Lists all agents.\n" },
	{ "client", "show", "ID", 0, client_show, "Shows one agent.\n" },
	{ "client", "update", "ID",
	  BIT(OPTION_NAME) | BIT(OPTION_REDIRECT_URI) | BIT(OPTION_SECRET_STDIN) |
		  BIT(OPTION_GENERATE_SECRET) | BIT(OPTION_JWKS_FILE) | BIT(OPTION_JWKS_URI) |
		  BIT(OPTION_SIGNING_ALG) | BIT(OPTION_DPOP) | BIT(OPTION_PAR) |
		  BIT(OPTION_RESOURCE) | BIT(OPTION_SCOPE) | BIT(OPTION_GRANT_TYPE) |
		  BIT(OPTION_DELEGATES_TO) | BIT(OPTION_REFRESH),
	  client_update,
	  "Changes what is given and leaves the rest. What people allowed stays; a narrower scope "
	  "or a\n"
	  "redirect URI that is gone counts at once.\n\n"
	  "  --name NAME          what people read\n"
	  "  --redirect-uri URI   where answers may go, instead of all before; once for each\n"
	  "  --secret-stdin       one line of stdin is its new secret; the old one is refused, or\n"
	  "  --generate-secret    one is made, shown this once\n"
	  "  --jwks-file FILE     its public keys instead of those before, or\n"
	  "  --jwks-uri URL       where it publishes them; the same URL: read again now\n"
	  "  --signing-alg ALG    the one algorithm its assertions may have; '': any of its keys\n"
	  "  --dpop WORD          required: no token without proof of a key (DPoP); optional\n"
	  "  --par WORD           required: its requests come through POST /par only; optional\n"
	  "  --refresh WORD       rotation: a new refresh token each time; sender-constrained: the "
	  "same\n"
	  "                       one, where its key was proven (DPoP or private_key_jwt)\n"
	  "  --resource NAME      the resource that is meant when a request names none; '': none\n"
	  "  --scope 'S1 S2'      the most it can be allowed; '': whatever its resource offers\n"
	  "  --grant-type TYPE    instead of all those before; once for each\n"
	  "  --delegates-to ID    instead of all those before; once for each; '': nobody. Who is "
	  "new\n"
	  "                       acts for people who allow the agent from now on\n" },
	{ "client", "disable", "ID", 0, client_disable,
	  "Refuses every token of the agent from now on.\n" },
	{ "client", "enable", "ID", 0, client_enable, "Lets a disabled agent ask again.\n" },
	{ "client", "remove", "ID", 0, client_remove,
	  "Removes an agent that registered itself and that nobody allowed anything.\n" },
	{ "client", "register-token", NULL,
	  BIT(OPTION_FOR) | BIT(OPTION_USES) | BIT(OPTION_EXPIRES), register_token_make,
	  "Makes a token to register with, shown this once: an agent that sends it to /register\n"
	  "becomes a client although registration = token.\n\n"
	  "  --for NAME           whom it is for, for your own list\n"
	  "  --uses N             so many agents may register with it (default 1)\n"
	  "  --expires D          so long: 15m, 12h, 7d (the default), at most 366d\n" },
	{ "client", "register-tokens", NULL, 0, register_token_show_all,
	  "Lists the tokens to register with, until 30 days after their end.\n" },
	{ "client", "revoke-token", "ID", 0, register_token_take_back,
	  "Lets nobody register with that token (rtk_…) any more. Who did stays.\n" },
	{ "client", "pin", "URL", BIT(OPTION_FILE), client_pin,
	  "Keeps a copy of what an agent that nobody registered publishes about itself at its id,\n"
	  "and lets it in whatever client_metadata says. It is not read again until unpinned.\n"
	  "  --file FILE          the copy; without it, it is read from the URL now\n" },
	{ "client", "doctor", "[NAME]",
	  BIT(OPTION_RESOURCE) | BIT(OPTION_CA) | BIT(OPTION_LIST) | BIT(OPTION_ALL), client_doctor,
	  "Arrives as a well-known client does, from outside, up to the page where a person signs\n"
	  "in, and says what would fail and what to change. What it registers it removes again,\n"
	  "also after ^C.\n\n"
	  "  --list               which clients there are\n"
	  "  --all                as each of them\n"
	  "  --resource URL       begins at this protected resource, as they do; without it, at\n"
	  "                       the issuer, for the first resource\n"
	  "  --ca FILE            trusts these authorities; without it the ca.pem of grantd init,\n"
	  "                       or the system's\n" },
	{ "client", "unpin", "URL", 0, client_unpin,
	  "The document is read again when somebody next asks for the agent.\n" },
	{ "resource", "add", "FILE.json", 0, resource_add,
	  "Checks the file, writes DIR/resources/NAME.json and takes it up; an older one is "
	  "replaced.\n"
	  "One with a command in on_stop is taken from who may write there: root, with --dir.\n"
	  "Its secret_file is a path in DIR (docs/resources.md).\n" },
	{ "resource", "list", NULL, 0, resource_list, "Lists all resources.\n" },
	{ "resource", "show", "NAME", 0, resource_show, "Prints the file of a resource.\n" },
	{ "resource", "remove", "NAME", BIT(OPTION_FORCE), resource_remove,
	  "Removes a resource that no live grant uses.\n\n"
	  "  --force              also one that is used: its tokens are refused from now on\n" },
	{ "grant", "list", NULL, BIT(OPTION_USER), grant_list,
	  "Lists who allowed which agent what.\n\n"
	  "  --user NAME          of one person\n" },
	{ "grant", "show", "ID", 0, grant_show, "Shows one grant with its permissions.\n" },
	{ "grant", "pause", "ID", 0, grant_pause,
	  "Stops a grant until an operator resumes it; its person cannot.\n" },
	{ "grant", "resume", "ID", 0, grant_resume,
	  "Takes an operator's pause back; never the person's own.\n" },
	{ "grant", "revoke", "ID", 0, grant_revoke, "Ends a grant and all its tokens for good.\n" },
	{ "event", "list", NULL,
	  BIT(OPTION_USER) | BIT(OPTION_CLIENT) | BIT(OPTION_GRANT) | BIT(OPTION_LIMIT), event_list,
	  "Lists what happened, the newest first.\n\n"
	  "  --user NAME          of one person\n"
	  "  --client ID          of one agent\n"
	  "  --grant ID           of one grant\n"
	  "  --limit N            at most so many (default 50, at most 200)\n" },
	{ "event", "show", "ID", BIT(OPTION_TEXT), event_show,
	  "Shows one event with its personal details.\n\n"
	  "  --text               only the sentences that a consent page showed\n" },
	{ "keys", "list", NULL, 0, keys_list,
	  "Lists the signing keys. published: signs later; retiring: what it signed counts.\n" },
	{ "keys", "rotate", NULL,
	  BIT(OPTION_PURPOSE) | BIT(OPTION_AT_ONCE) | BIT(OPTION_COMPROMISED), keys_rotate,
	  "Makes new signing keys. They are published now and sign after signing_key_lead; the old "
	  "ones\n"
	  "are kept until the last token they signed is dead. No token is refused for it.\n\n"
	  "  --purpose P          access, id or resource:NAME; default: all\n"
	  "  --at-once            they sign in a few seconds: who keeps a copy of our keys may\n"
	  "                       refuse new tokens until it fetches them again\n"
	  "  --compromised        the old keys are exposed: they leave the published keys now,\n"
	  "                       and all that they signed is refused from now on\n" },
	{ "root-key", "list", NULL, 0, root_key_list,
	  "Lists the root keys by number and how much lies under each, counted up to 10000.\n"
	  "waiting: in the file, not used yet; old: opens what is not moved yet. UNTIL is when\n"
	  "the last installation of an agent under it is over, if it stays away until then.\n" },
	{ "root-key", "rewrap", NULL, 0, root_key_rewrap,
	  "Makes the newest root key (grantd root-key add) the current one, if every node has it,\n"
	  "and begins to move people's keys and signing keys to it. grantctl root-key list shows\n"
	  "how far it is; a restart goes on with it.\n" },
	{ "backup", NULL, "FILE", 0, backup_make,
	  "Copies the SQLite database while it is served: FILE, and FILE.keys with what opens "
	  "people's\n"
	  "details, which is good for 30 days. Put back by grantd restore.\n" },
	{ "status", NULL, NULL, 0, status_show, "Shows the daemon's version, issuer and time.\n" },
	{ "reload", NULL, NULL, 0, reload,
	  "Takes up changed configuration, resources and certificates, as SIGHUP does.\n" },
};

static int usage(FILE *to)
{
	const char *noun = "";

	fputs("usage: grantctl --dir DIR NOUN VERB …   (each verb has --help and --json)\n\n", to);
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		bool is_new = strcmp(noun, verbs[i].noun) != 0;

		fprintf(to, "%s%s%s%s", is_new && i > 0 ? "\n" : "", is_new ? "  " : " | ",
			is_new ? verbs[i].noun : "", is_new && verbs[i].name != NULL ? " " : "");
		fputs(verbs[i].name == NULL ? "" : verbs[i].name, to);
		noun = verbs[i].noun;
	}
	fputs("\n\n  --dir DIR        the installation; its admin.sock is where the daemon "
	      "answers\n"
	      "  --socket PATH    where it answers instead (admin_socket of grantd.conf)\n\n"
	      "Exit codes: 0 done, 1 refused, 2 not understood, 3 the daemon does not answer.\n",
	      to);
	return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int help(const struct verb *verb)
{
	printf("grantctl --dir DIR %s%s%s%s%s [--json]\n\n%s", verb->noun,
	       verb->name == NULL ? "" : " ", verb->name == NULL ? "" : verb->name,
	       verb->argument == NULL ? "" : " ", verb->argument == NULL ? "" : verb->argument,
	       verb->help);
	return EXIT_DONE;
}

/* The verb that argv names in its first words that are no options, and where its own words begin.
 */
static const struct verb *find_verb(char *const *argv)
{
	const char *found[2] = { NULL, NULL };
	size_t count = 0;

	for (size_t i = 0; argv[i] != NULL && count < 2; i++) {
		if (strcmp(argv[i], "--dir") == 0 || strcmp(argv[i], "--socket") == 0) {
			if (argv[++i] == NULL)
				break;
		} else if (argv[i][0] != '-') {
			found[count++] = argv[i];
		}
	}
	for (size_t i = 0; found[0] != NULL && i < COUNT_OF(verbs); i++) {
		if (strcmp(verbs[i].noun, found[0]) != 0)
			continue;
		if (verbs[i].name == NULL ||
		    (found[1] != NULL && strcmp(verbs[i].name, found[1]) == 0))
			return &verbs[i];
	}
	return NULL;
}

/* "grantctl user create" */
static const char *name_of(struct task *task, const struct verb *verb)
{
	struct str noun = STR_JOIN(&task->arena, STR("grantctl "), str_from_c(verb->noun));

	if (verb->name != NULL)
		noun = STR_JOIN(&task->arena, noun, STR(" "), str_from_c(verb->name));
	return str_to_c(&task->arena, noun);
}

static int run(struct task *task, const struct verb *verb, char *const *argv)
{
	struct words words = { .share_dir = str_from_c(getenv("GRANTD_SHARE_DIR")) };
	enum err err = words_parse(task, verb, argv, &words);

	if (words.share_dir.len == 0)
		words.share_dir = STR(GRANTD_SHARE_DIR);
	if (err == OK && words.wants_help)
		return help(verb);
	if (err == OK)
		err = verb->run(task, &words);
	if (err == OK && (fflush(stdout) != 0 || ferror(stdout)))
		err = failf(task, ERR_STORE, "cannot write to stdout: %s", strerror(errno));
	if (err != OK)
		return (int)cli_refuse(task, name_of(task, verb), err);
	return EXIT_DONE;
}

/* Also of a noun alone: "grantctl user --help". */
static bool asks_for_help(char *const *argv)
{
	while (*argv != NULL)
		if (strcmp(*argv++, "--help") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct clock clock = { 0 };
	struct log log = { .fd = -1 };
	const struct verb *verb;
	struct task task;
	int code;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("grantctl " GRANTD_VERSION) < 0;
	if (argc < 2)
		return usage(stderr);
	verb = find_verb(argv + 1);
	if (verb == NULL)
		return usage(asks_for_help(argv) ? stdout : stderr);
	cli_begin();
	task_begin(&task, &clock, &log);
	code = run(&task, verb, argv + 1);
	task_end(&task);
	return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* argv and the environment are read here and nowhere else. */
#include <getopt.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/openssl_memory.h"
#include "grantd/program.h"

enum option_letter {
	OPTION_DIR = 'd',
	OPTION_ISSUER = 'i',
	OPTION_DATABASE = 'b',
	OPTION_ROOT_KEY = 'r',
	OPTION_SHARED = 's',
	OPTION_FROM = 'f',
	OPTION_KEYS = 'k',
	OPTION_VERIFY = 'v',
	OPTION_MADE_AT = 'm',
	OPTION_NODES = 'n',
	OPTION_ENDED = 'e',
	OPTION_NUMBER = 'u',
	OPTION_SANDBOX = 'w',
	OPTION_JSON = 'j',
	OPTION_HELP = 'h',
};

struct verb {
	const char *name;
	const char *act;     /* the second word of the verb, or NULL */
	const char *options; /* the letters it takes */
	enum exit_code (*run)(struct program *program);
	const char *help;
};

static const struct verb verbs[] = {
	{ "init", NULL, "dibrsjh", init_run,
	  "grantd init --dir DIR [--issuer URL] [--database URL] [--root-key FILE] "
	  "[--shared-loopback-host]\n\n"
	  "Sets an installation up in DIR: grantd.conf, a root key, a private certificate, the "
	  "database with\n"
	  "its signing keys. Again on a finished DIR it changes nothing; what a crash left half "
	  "made it ends.\n\n"
	  "  --issuer URL             default https://grantd.localhost:8443; cannot be changed "
	  "later\n"
	  "  --database URL           sqlite:PATH or postgresql://[HOST]/NAME?host=SOCKETDIR;\n"
	  "                           default sqlite:grantd.db\n"
	  "  --root-key FILE          copy this root key instead of making one: for a further node "
	  "on a\n"
	  "                           PostgreSQL database that is set up already; its issuer is "
	  "taken over\n"
	  "  --shared-loopback-host   accept localhost or an IP address as the issuer's host\n" },
	{ "serve", NULL, "djh", serve_run,
	  "grantd serve --dir DIR\n\n"
	  "Serves until SIGTERM. Prints \"ready\" on stderr when it answers; logs JSON lines on "
	  "stdout.\n"
	  "SIGHUP takes up changed configuration, resources and certificates.\n" },
	{ "check", NULL, "dwjh", check_run,
	  "grantd check --dir DIR [--sandbox]\n\n"
	  "Looks at configuration, keys, certificate and database, changes nothing, and says "
	  "everything that\n"
	  "is wrong. Exit code 0: nothing is; 1: something is.\n\n"
	  "  --sandbox   say instead what shuts in the processes of the grantd that serves DIR. "
	  "Exit code\n"
	  "              0: all that is promised is in force; 1: something is not; 3: none "
	  "answers\n" },
	{ "restore", NULL, "dfkvmnejh", restore_run,
	  "grantd restore --dir DIR --from FILE [--keys FILE.keys] [--verify]\n"
	  "grantd restore --dir DIR [--made-at TIME --nodes N [--ended FILE …]]\n\n"
	  "Puts a backup of grantctl backup back. What has ended since stays ended, every grant is "
	  "paused\n"
	  "until its person confirms, sign-ins end, signing keys are replaced. Stop grantd first. "
	  "The\n"
	  "second form is for a PostgreSQL database that its own tools have put back; without "
	  "what is in\n"
	  "brackets nobody knows all that has ended since, and every installation of an agent is "
	  "ended.\n\n"
	  "  --from FILE        the backup\n"
	  "  --keys FILE        the people's keys, at most 30 days old; default: FILE.keys\n"
	  "  --verify           only say what would be put back; also while grantd serves\n"
	  "  --made-at TIME     when pg_dump was started, as 2026-11-28T09:30:00Z\n"
	  "  --nodes N          how many nodes have served the database since, this one too\n"
	  "  --ended FILE       ended.log of another of them; once for each\n" },
	{ "root-key", "add", "djh", root_key_add_run,
	  "grantd root-key add --dir DIR\n\n"
	  "Puts a further root key into the file. grantd reads the file when it starts; the new "
	  "key is\n"
	  "used when every node has it and grantctl root-key rewrap was run.\n" },
	{ "root-key", "list", "djh", root_key_list_run,
	  "grantd root-key list --dir DIR\n\n"
	  "The numbers of the root keys in the file, and a fingerprint of each that gives "
	  "nothing away.\n"
	  "What lies under them: grantctl root-key list.\n" },
	{ "root-key", "retire", "dujh", root_key_retire_run,
	  "grantd root-key retire --dir DIR --number N\n\n"
	  "Takes an old root key out of the file, when nothing needs it any more; else it says "
	  "what does.\n"
	  "Stop grantd first.\n\n"
	  "  --number N         which one\n" },
	{ "migrate", NULL, "djh", upgrade_run,
	  "grantd migrate --dir DIR\n\n"
	  "Brings the tables of the database to what this program knows. Stop grantd first, make "
	  "a backup.\n" },
};

static const struct option options[] = {
	{ "dir", required_argument, NULL, OPTION_DIR },
	{ "issuer", required_argument, NULL, OPTION_ISSUER },
	{ "database", required_argument, NULL, OPTION_DATABASE },
	{ "root-key", required_argument, NULL, OPTION_ROOT_KEY },
	{ "shared-loopback-host", no_argument, NULL, OPTION_SHARED },
	{ "from", required_argument, NULL, OPTION_FROM },
	{ "keys", required_argument, NULL, OPTION_KEYS },
	{ "verify", no_argument, NULL, OPTION_VERIFY },
	{ "made-at", required_argument, NULL, OPTION_MADE_AT },
	{ "nodes", required_argument, NULL, OPTION_NODES },
	{ "ended", required_argument, NULL, OPTION_ENDED },
	{ "number", required_argument, NULL, OPTION_NUMBER },
	{ "sandbox", no_argument, NULL, OPTION_SANDBOX },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static enum exit_code usage(FILE *to, enum exit_code code)
{
	fprintf(to, "usage: grantd VERB --dir DIR …   (grantd VERB --help says more)\n\n"
		    "  init              set an installation up\n"
		    "  serve             serve it\n"
		    "  check             say what is wrong with it\n"
		    "  restore           put a backup of its database back\n"
		    "  root-key add      put a further root key into its file\n"
		    "  root-key list     say which root keys are in it\n"
		    "  root-key retire   take an old root key out of it\n"
		    "  migrate           bring its database up to date\n\n"
		    "grantd --version, grantd --help; each verb takes --json\n");
	return code;
}

enum exit_code say_refused(struct task *task, const char *who)
{
	(void)cli_refuse(task, who, task->error);
	return EXIT_REFUSED;
}

void say_begin(struct task *task, struct said *said)
{
	said->text = buf_in(&task->arena, SAID_MAX);
	said->json = json_write_to(&said->text);
	json_open_object(&said->json);
}

void say_end(struct said *said)
{
	struct str text = STR_NONE;

	json_close(&said->json);
	if (buf_finish(&said->text, &text) != OK)
		abort(); /* we say no such thing */
	printf("%.*s\n", STR_FMT(text));
}

/* act: the word behind the name, or NULL. */
static const struct verb *find_verb(const char *name, const char *act)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		if (verbs[i].act == NULL || (act != NULL && strcmp(verbs[i].act, act) == 0))
			return &verbs[i];
	}
	return NULL;
}

static void take_option(struct program *program, int letter)
{
	switch (letter) {
	case OPTION_DIR:
		program->source.dir = str_from_c(optarg);
		break;
	case OPTION_ISSUER:
		program->issuer = str_from_c(optarg);
		break;
	case OPTION_DATABASE:
		program->database = str_from_c(optarg);
		break;
	case OPTION_ROOT_KEY:
		program->root_key = str_from_c(optarg);
		break;
	case OPTION_FROM:
		program->from = str_from_c(optarg);
		break;
	case OPTION_KEYS:
		program->keys = str_from_c(optarg);
		break;
	case OPTION_VERIFY:
		program->is_verify = true;
		break;
	case OPTION_NUMBER:
		program->number = str_from_c(optarg);
		break;
	case OPTION_MADE_AT:
		program->made_at = str_from_c(optarg);
		break;
	case OPTION_NODES:
		program->nodes = str_from_c(optarg);
		break;
	case OPTION_ENDED:
		if (program->ended_count < COUNT_OF(program->ended))
			program->ended[program->ended_count++] = str_from_c(optarg);
		break;
	case OPTION_SANDBOX:
		program->is_sandbox = true;
		break;
	case OPTION_JSON:
		program->is_json = true;
		break;
	default:
		program->shared_loopback_host = true;
		break;
	}
}

static enum exit_code run_verb(struct program *program, const struct verb *verb, int argc,
			       char **argv)
{
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (letter == '?')
			return EXIT_USAGE;
		if (strchr(verb->options, letter) == NULL) {
			fprintf(stderr, "grantd %s: this verb does not take that option\n",
				verb->name);
			return EXIT_USAGE;
		}
		if (letter == OPTION_HELP) {
			fputs(verb->help, stdout);
			return EXIT_DONE;
		}
		take_option(program, letter);
	}
	if (optind < argc || program->source.dir.len == 0) {
		fputs(verb->help, stderr);
		return EXIT_USAGE;
	}
	return verb->run(program);
}

/* Few allocator arenas: our threads are few and our memory is in blocks, so more would only lie
 * idle. */
static void tune(void)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 512 * 1024);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	signal(SIGPIPE, SIG_IGN);
	json_start();
	openssl_memory_start();
}

/*
 * libpq looks both up with each connection, in /etc/passwd, which is replaced by a new file with
 * each change; and the sandbox gives leave to the file that it was at the start.
 */
static void know_oneself(void)
{
	const struct passwd *user = getpwuid(geteuid());

	if (user == NULL)
		return;
	(void)setenv("PGUSER", user->pw_name, 0);
	(void)setenv("HOME", user->pw_dir, 0);
}

static enum exit_code run(int argc, char **argv)
{
	struct program program = { .log = { .fd = STDOUT_FILENO, .level = LOG_INFO } };
	const struct verb *verb;
	int words;

	if (argc < 2)
		return usage(stderr, EXIT_USAGE);
	if (strcmp(argv[1], "--version") == 0) {
		puts("grantd " GRANTD_VERSION);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--help") == 0)
		return usage(stdout, EXIT_DONE);
	verb = find_verb(argv[1], argv[2]);
	if (verb == NULL)
		return usage(stderr, EXIT_USAGE);
	words = verb->act == NULL ? 1 : 2;
	tune();
	if (verb->run == serve_run)
		know_oneself();
	program.source.environment = (const char *const *)environ;
	program.source.digest = sha256_early;
	program.notify_socket = str_from_c(getenv("NOTIFY_SOCKET"));
	return run_verb(&program, verb, argc - words, argv + words);
}

int main(int argc, char **argv)
{
	return (int)run(argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The errands process asked as a thief in grantd would ask it: what it opens, writes and runs. */
#include "grantd/errands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/file.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "grantd/errands_wire.h"
#include "grantd/process.h"
#include "script.h"

/* No store and no thread, for it is forked off as in grantd: before there are any. */
static struct home {
	struct check_clock clock;
	struct task task;
	char folder[64];
	struct str dir;
} home;

static struct errands errands;
static struct config_source source;
static const struct config *config;

static struct task *now(void)
{
	task_forgive(&home.task);
	return &home.task;
}

static struct str in_dir(const char *name)
{
	return file_path(now(), config->dir, str_from_c(name));
}

static void write_file(struct str path, struct str text)
{
	CHECK_ERR(file_replace(now(), path, text, 0600), OK);
}

static struct str resource_with(const char *on_stop)
{
	return str_printf(
		&now()->arena,
		"{\"name\":\"mail\",\"uri\":\"https://mail.example/r\",\"title\":\"Mail\","
		"\"on_stop\":%s,"
		"\"scopes\":[{\"name\":\"mail.read\",\"title\":\"R\",\"can\":[\"read\"]}]}",
		on_stop);
}

static struct str scripted(const char *text)
{
	struct str path = script_write(now(), home.dir, "kick", text);

	return resource_with(
		str_printf(&now()->arena, "[\"%.*s\",\"{username}\",\"{client}\"]", STR_FMT(path))
			.at);
}

/* The errno that it answers; a file that comes along is closed. */
static int opens(struct str path)
{
	struct errand_message message = { ERRAND_OPEN, path, -1 };

	CHECK_ERR(errand_send(now(), errands.files.socket, &message), OK);
	CHECK_ERR(errand_receive(now(), errands.files.socket, &message), OK);
	CHECK((message.file >= 0) == (message.number == 0));
	if (message.file >= 0)
		close(message.file);
	return (int)message.number;
}

static int begin(void **state)
{
	struct str path;

	(void)state;
	check_clock_start(&home.clock);
	task_begin(&home.task, &home.clock.clock, NULL);
	(void)snprintf(home.folder, sizeof(home.folder), "/tmp/grantd-errands-XXXXXX");
	assert_non_null(mkdtemp(home.folder));
	home.dir = str_from_c(home.folder);
	(void)signal(SIGPIPE, SIG_IGN); /* as main.c does */
	source = (struct config_source){ .dir = home.dir, .digest = sha256 };
	path = file_path(now(), home.dir, STR("resources"));
	(void)mkdir(str_to_c(&now()->arena, path), 0700);
	write_file(file_path(now(), home.dir, STR("grantd.conf")),
		   STR("issuer = https://grantd.example\n"));
	CHECK_ERR(errands_load(now(), &source, &errands, &config), OK);
	if (!file_exists(now(), config->root_key_file))
		CHECK_ERR(keys_create_root(now(), config->root_key_file), OK);
	CHECK_ERR(errands_start(now(), &source, config, &errands), OK);
	/* what a test writes comes later than what it has begun with */
	CHECK(opens(in_dir("grantd.conf")) == 0);
	return 0;
}

static int end(void **state)
{
	char *const remove[] = { (char[]){ "rm" }, (char[]){ "-rf" }, home.folder, NULL };

	(void)state;
	errands_stop(&errands);
	CHECK(errands.pid == 0);
	config_free(&config);
	if (fork() == 0)
		_exit(execv("/bin/rm", remove));
	(void)wait(NULL);
	task_end(&home.task);
	return 0;
}

static void files_of_the_installation_are_opened_and_others_are_not(void **state)
{
	(void)state;
	CHECK(opens(in_dir("grantd.conf")) == 0);
	CHECK(opens(in_dir("resources")) == 0);
	CHECK(opens(in_dir("nowhere")) == ENOENT);
	CHECK(opens(STR("/etc/shadow")) == EACCES);
	CHECK(opens(STR("/etc/passwd")) == EACCES);
	CHECK(opens(in_dir("resources/../../../etc/passwd")) == EACCES);
	CHECK(opens(STR_JOIN(&now()->arena, config->dir, STR("x"))) == EACCES);
	CHECK(opens(STR("")) == EACCES && opens(STR("grantd.conf")) == EACCES);
	CHECK(opens(STR_JOIN(&now()->arena, in_dir("grantd.conf"), STR("\0"), STR("x"))) == EACCES);
}

static void the_root_key_is_opened_under_no_name(void **state)
{
	(void)state;
	CHECK(opens(config->root_key_file) == EACCES);
	CHECK(opens(in_dir("./root.key")) == EACCES);
	CHECK(link(config->root_key_file.at, in_dir("copy").at) == 0);
	CHECK(opens(in_dir("copy")) == EACCES);
	write_file(in_dir("root.key.new"), STR("1 and a second one, when its change was killed\n"));
	CHECK(opens(in_dir("root.key.new")) == EACCES);
	CHECK(symlink("root.key", in_dir("there").at) == 0);
	CHECK(opens(in_dir("there")) == EACCES);
	/* one that was taken away, as with LoadCredential, keeps nothing else shut */
	CHECK(unlink(config->root_key_file.at) == 0 && opens(in_dir("grantd.conf")) == 0);
}

static enum err put(struct str text)
{
	enum err err = errands_put_resource(now(), &errands, STR("mail"), text);

	return err;
}

static enum err undo(void)
{
	return errands_undo_resource(now(), &errands);
}

static void reload(void)
{
	CHECK_ERR(errands_look(now(), &errands), OK);
	CHECK_ERR(errands_take_up(now(), &errands), OK);
}

static void a_command_that_no_file_had_is_not_written(void **state)
{
	struct str url = resource_with("\"https://mail.example/stop\"");
	struct str evil = resource_with("[\"sh\",\"-c\",\"cat root.key\"]");
	struct str file = in_dir("resources/mail.json");
	struct str text;

	(void)state;
	CHECK(put(evil) == ERR_CONFIG);
	CHECK(str_starts_with(home.task.reason, STR("on_stop: a command is taken only")));
	CHECK(memmem(home.task.reason.at, home.task.reason.len, "or run this as root", 19) != NULL);
	CHECK(!file_exists(now(), file));
	CHECK_ERR(put(url), OK);
	CHECK(put(evil) == ERR_CONFIG);
	CHECK_ERR(file_read(now(), file, RESOURCE_FILE_MAX, &text), OK);
	CHECK_STR(text, url);
	CHECK(errands_put_resource(now(), &errands, STR("../evil"), url) == ERR_REQUEST);
	CHECK(errands_remove_resource(now(), &errands, STR("../grantd.conf")) == ERR_REQUEST);
	CHECK(put(STR("{")) == ERR_CONFIG);
}

static void what_stands_in_the_file_already_is_taken_with_its_command(void **state)
{
	struct str kick = resource_with("\"doveadm kick {username}\"");
	struct str other = resource_with("\"doveadm kick everybody\"");
	struct str file = in_dir("resources/mail.json"), text;

	(void)state;
	write_file(file, kick);
	CHECK_ERR(put(kick), OK);
	CHECK(put(other) == ERR_CONFIG);
	/* nothing was changed, so nothing is undone: who wrote it puts it back himself */
	CHECK_ERR(undo(), OK);
	CHECK_ERR(file_read(now(), file, RESOURCE_FILE_MAX, &text), OK);
	CHECK_STR(text, kick);
	CHECK(put(str_printf(&now()->arena, "%.*s ", STR_FMT(kick))) == ERR_CONFIG);
	reload();
	CHECK_ERR(put(str_printf(&now()->arena, "%.*s ", STR_FMT(kick))), OK);
	CHECK(put(other) == ERR_CONFIG);
}

static void a_change_is_undone_to_the_byte_also_of_a_file_that_was_wrong(void **state)
{
	struct str url = resource_with("\"https://mail.example/stop\"");
	struct str file = in_dir("resources/mail.json"), text;

	(void)state;
	write_file(file, STR("{\"name\":"));
	CHECK_ERR(put(url), OK);
	CHECK_ERR(undo(), OK);
	CHECK_ERR(file_read(now(), file, RESOURCE_FILE_MAX, &text), OK);
	CHECK_STR(text, STR("{\"name\":"));
	CHECK_ERR(errands_remove_resource(now(), &errands, STR("mail")), OK);
	CHECK(!file_exists(now(), file));
	CHECK_ERR(undo(), OK);
	CHECK(file_exists(now(), file));
	CHECK_ERR(errands_remove_resource(now(), &errands, STR("mail")), OK);
	CHECK_ERR(put(url), OK);
	CHECK_ERR(undo(), OK);
	CHECK(!file_exists(now(), file));
	CHECK_ERR(undo(), OK);
}

static struct str with_secret_in(struct str path)
{
	return str_printf(
		&now()->arena,
		"{\"name\":\"mail\",\"uri\":\"https://mail.example/r\",\"title\":\"Mail\","
		"\"scopes\":[{\"name\":\"mail.read\",\"title\":\"R\",\"can\":[\"read\"]}],"
		"\"introspection\":[{\"id\":\"rs\",\"secret_file\":\"%.*s\"}]}",
		STR_FMT(path));
}

static void a_file_outside_of_dir_is_named_by_who_may_write_in_dir_only(void **state)
{
	struct str outside = STR_JOIN(&now()->arena, home.dir, STR(".secret"));
	struct str named = with_secret_in(outside);
	struct str file = in_dir("resources/mail.json");

	(void)state;
	write_file(outside, STR("0123456789abcdef0123456789abcdef\n"));
	CHECK(put(named) == ERR_CONFIG);
	CHECK(opens(outside) == EACCES);
	CHECK(put(with_secret_in(STR("root.key"))) == ERR_CONFIG);
	/* named in a file by hand and looked at, it is opened: no restart for a new one */
	write_file(file, named);
	CHECK_ERR(put(named), OK);
	CHECK(opens(outside) == 0);
	reload();
	CHECK(opens(outside) == 0);
	CHECK(unlink(outside.at) == 0);
}

static void a_file_that_the_start_named_is_opened_from_the_first(void **state)
{
	struct str outside = STR_JOIN(&now()->arena, home.dir, STR(".secret"));

	(void)state;
	write_file(outside, STR("0123456789abcdef0123456789abcdef\n"));
	write_file(in_dir("resources/mail.json"), with_secret_in(outside));
	CHECK(opens(outside) == EACCES);
	errands_stop(&errands);
	config_free(&config);
	CHECK_ERR(errands_load(now(), &source, &errands, &config), OK);
	CHECK_ERR(errands_start(now(), &source, config, &errands), OK);
	CHECK(opens(outside) == 0);
	CHECK(opens(STR_JOIN(&now()->arena, outside, STR("x"))) == EACCES);
	CHECK(unlink(outside.at) == 0);
}

static void a_configuration_that_is_wrong_is_not_looked_at_twice(void **state)
{
	(void)state;
	CHECK(errands_take_up(now(), &errands) == ERR_REQUEST);
	CHECK_ERR(errands_look(now(), &errands), OK);
	write_file(in_dir("resources/mail.json"), STR("{"));
	CHECK(errands_look(now(), &errands) == ERR_CONFIG);
	CHECK(errands_take_up(now(), &errands) == ERR_REQUEST);
}

static enum err stop_for(const char *username, const char *client)
{
	const struct stop_names names = { STR("mail"), str_from_c(username), str_from_c(client) };

	return errands_stop_command(now(), &errands, &names);
}

static void the_command_is_what_was_taken_up_with_the_names_filled_in(void **state)
{
	const struct stop_names nobody = { STR("crm"), STR("alice"), STR("agent") };
	struct str file = in_dir("resources/mail.json");

	(void)state;
	write_file(file, scripted("echo \"$@\" >> %s/told"));
	CHECK(stop_for("alice", "agent") == ERR_CONFIG);
	reload();
	CHECK_ERR(stop_for("alice", "agent"), OK);
	CHECK_STR(script_left(now(), home.dir, "told"), STR("alice agent\n"));
	CHECK(errands_stop_command(now(), &errands, &nobody) == ERR_CONFIG);
	/* a mistake anywhere, or an edit that nobody has taken up yet, changes nothing */
	write_file(in_dir("grantd.conf"), STR("lops = 2\n"));
	write_file(file, resource_with("\"false {username}\""));
	CHECK_ERR(stop_for("bob", "agent"), OK);
	CHECK_STR(script_left(now(), home.dir, "told"), STR("alice agent\nbob agent\n"));
	CHECK(unlink(file.at) == 0);
	CHECK_ERR(stop_for("carol", "agent"), OK);
}

static void a_command_that_fails_or_is_gone_says_so(void **state)
{
	(void)state;
	write_file(in_dir("resources/mail.json"), scripted("exit 75"));
	reload();
	CHECK(stop_for("alice", "agent") == ERR_IO);
	CHECK_STR(home.task.reason, STR("it ended with exit status 75"));
	write_file(in_dir("resources/mail.json"), resource_with("\"https://mail.example/stop\""));
	reload();
	CHECK(stop_for("alice", "agent") == ERR_CONFIG);
}

static void names_that_nobody_has_are_filled_in_nowhere(void **state)
{
	static const char *const rows[][2] = {
		{ "alice; id", "agent" }, { "Alice", "agent" },	 { " alice", "agent" },
		{ "-alice", "agent" },	  { "", "agent" },	 { "alice", "" },
		{ "alice", "-agent" },	  { "alice", "a gent" }, { "alice", "$(id)" },
		{ "../alice", "agent" },
	};

	(void)state;
	write_file(in_dir("resources/mail.json"), scripted("echo \"$@\" >> %s/told"));
	reload();
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_ROW(stop_for(rows[i][0], rows[i][1]) == ERR_REQUEST,
			  "\"%s\" and \"%s\" were filled in\n", rows[i][0], rows[i][1]);
	CHECK(!file_exists(now(), in_dir("told")));
}

/* The number of its answer. */
static uint32_t answer_on(int socket, uint32_t errand)
{
	struct errand_message message = { errand, STR("mail"), -1 };

	CHECK_ERR(errand_send(now(), socket, &message), OK);
	CHECK_ERR(errand_receive(now(), socket, &message), OK);
	return message.number;
}

static void each_line_is_for_its_own_errands(void **state)
{
	(void)state;
	for (uint32_t errand = 0; errand < ERRAND_COUNT; errand++) {
		if (errand != ERRAND_STOP)
			CHECK(answer_on(errands.commands.socket, errand) == ERR_SYNTAX);
	}
	CHECK(answer_on(errands.files.socket, ERRAND_STOP) == ERR_SYNTAX);
}

static void it_ends_when_either_line_breaks_off(void **state)
{
	static const uint32_t too_long[] = { ERRAND_STOP, 0x7FFFFFFF };

	(void)state;
	CHECK(send(errands.commands.socket, too_long, sizeof(too_long), MSG_NOSIGNAL) ==
	      sizeof(too_long));
	CHECK(process_ends(errands.pid, 10000));
	CHECK(stop_for("alice", "agent") == ERR_BUSY);
	CHECK(put(resource_with("\"https://mail.example/stop\"")) == ERR_BUSY);
}

/* What would be taken for the answer to the next question stands behind it. */
static void a_line_on_which_an_answer_is_lost_is_not_asked_again(void **state)
{
	static const uint32_t too_long[] = { OK, 0x7FFFFFFF }, done[] = { OK, 0 };
	int ends[2], socket = errands.files.socket;

	(void)state;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	errands.files.socket = ends[0];
	CHECK(send(ends[1], too_long, sizeof(too_long), 0) == sizeof(too_long));
	CHECK(send(ends[1], done, sizeof(done), 0) == sizeof(done));
	for (int i = 0; i < 2; i++)
		CHECK(put(resource_with("\"https://mail.example/stop\"")) == ERR_BUSY);
	close(ends[1]);
	errands.files.socket = socket;
}

static void what_has_no_known_form_does_nothing(void **state)
{
	static const uint32_t too_long[] = { ERRAND_PUT, 0x7FFFFFFF };
	struct errand_message message = { 77, STR("x"), -1 };
	struct str how = STR_NONE;

	(void)state;
	CHECK_ERR(errand_send(now(), errands.files.socket, &message), OK);
	CHECK_ERR(errand_receive(now(), errands.files.socket, &message), OK);
	CHECK(message.number == ERR_SYNTAX && message.file == -1);
	CHECK(send(errands.files.socket, too_long, sizeof(too_long), MSG_NOSIGNAL) ==
	      sizeof(too_long));
	CHECK(process_ends(errands.pid, 10000));
	CHECK(process_is_gone(&now()->arena, errands.pid, &how));
	CHECK(put(resource_with("\"https://mail.example/stop\"")) == ERR_BUSY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(CASE(files_of_the_installation_are_opened_and_others_are_not),
		   CASE(the_root_key_is_opened_under_no_name),
		   CASE(a_command_that_no_file_had_is_not_written),
		   CASE(what_stands_in_the_file_already_is_taken_with_its_command),
		   CASE(a_change_is_undone_to_the_byte_also_of_a_file_that_was_wrong),
		   CASE(a_file_outside_of_dir_is_named_by_who_may_write_in_dir_only),
		   CASE(a_file_that_the_start_named_is_opened_from_the_first),
		   CASE(a_configuration_that_is_wrong_is_not_looked_at_twice),
		   CASE(the_command_is_what_was_taken_up_with_the_names_filled_in),
		   CASE(a_command_that_fails_or_is_gone_says_so),
		   CASE(names_that_nobody_has_are_filled_in_nowhere),
		   CASE(each_line_is_for_its_own_errands),
		   CASE(it_ends_when_either_line_breaks_off),
		   CASE(a_line_on_which_an_answer_is_lost_is_not_asked_again),
		   CASE(what_has_no_known_form_does_nothing));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The errands process asked as a thief in grantd would ask it: what it opens, writes and runs. */
#include "grantd/errands.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "grantd/errands_wire.h"
#include "grantd/process.h"
#include "script.h"
#include "world.h"

static struct world world;
static struct errands errands;
static struct config_source source;
static const struct config *config;

static struct task *now(void)
{
	return world_task(&world);
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
	struct str path = script_write(now(), world.dir, "kick", text);

	return resource_with(
		str_printf(&now()->arena, "[\"%.*s\",\"{username}\",\"{client}\"]", STR_FMT(path))
			.at);
}

static int begin(void **state)
{
	struct str path;

	(void)state;
	world_open(&world);
	(void)signal(SIGPIPE, SIG_IGN); /* as main.c does */
	source = (struct config_source){ .dir = world.dir, .digest = sha256 };
	path = file_path(now(), world.dir, STR("resources"));
	(void)mkdir(str_to_c(&now()->arena, path), 0700);
	write_file(file_path(now(), world.dir, STR("grantd.conf")),
		   STR("issuer = https://grantd.example\n"));
	errands_note_files(&errands, &world.home.task.arena);
	CHECK_ERR(config_load(now(), &source, &config), OK);
	if (!file_exists(now(), config->root_key_file))
		CHECK_ERR(keys_create_root(now(), config->root_key_file), OK);
	CHECK_ERR(errands_start(now(), &source, config, &errands), OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	errands_stop(&errands);
	CHECK(errands.pid == 0);
	config_free(&config);
	world_close(&world);
	return 0;
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
	CHECK(symlink("root.key", in_dir("there").at) == 0);
	CHECK(opens(in_dir("there")) == EACCES);
}

static enum err put(struct str text)
{
	enum err err = errands_put_resource(now(), &errands, STR("mail"), text);

	return err;
}

static void a_command_that_no_file_had_is_not_written(void **state)
{
	struct str url = resource_with("\"https://mail.example/stop\"");
	struct str evil = resource_with("[\"sh\",\"-c\",\"cat root.key\"]");
	struct str file = in_dir("resources/mail.json");
	struct str text;

	(void)state;
	CHECK(put(evil) == ERR_CONFIG);
	CHECK(str_starts_with(world.home.task.reason, STR("on_stop: a command is not taken")));
	CHECK(!file_exists(now(), file));
	CHECK_ERR(put(url), OK);
	CHECK(put(evil) == ERR_CONFIG);
	CHECK_ERR(file_read(now(), file, RESOURCE_FILE_MAX, &text), OK);
	CHECK_STR(text, url);
	CHECK(errands_put_resource(now(), &errands, STR("../evil"), url) == ERR_REQUEST);
	CHECK(errands_remove_resource(now(), &errands, STR("../grantd.conf")) == ERR_REQUEST);
	CHECK(put(STR("{")) == ERR_CONFIG);
}

static void what_the_operator_wrote_stays_and_may_come_back(void **state)
{
	struct str kick = resource_with("\"doveadm kick {username}\"");
	struct str other = resource_with("\"doveadm kick everybody\"");
	struct str file = in_dir("resources/mail.json");

	(void)state;
	write_file(file, kick);
	CHECK_ERR(put(kick), OK);
	CHECK(put(other) == ERR_CONFIG);
	/* a change that is refused later is undone */
	CHECK_ERR(put(resource_with("\"https://mail.example/stop\"")), OK);
	CHECK_ERR(put(kick), OK);
	CHECK_ERR(errands_remove_resource(now(), &errands, STR("mail")), OK);
	CHECK_ERR(put(kick), OK);
	CHECK(put(other) == ERR_CONFIG);
}

static void the_command_is_what_the_file_says_with_the_names_filled_in(void **state)
{
	const struct stop_names names = { STR("mail"), STR("alice; id"), STR("-agent") };
	const struct stop_names good = { STR("mail"), STR("alice; id"), STR("agent") };
	const struct stop_names nobody = { STR("crm"), STR("alice"), STR("agent") };

	(void)state;
	write_file(in_dir("resources/mail.json"), scripted("echo \"$@\" >> %s/told"));
	CHECK_ERR(errands_stop_command(now(), &errands, &good), OK);
	CHECK_STR(script_left(now(), world.dir, "told"), STR("alice; id agent\n"));
	CHECK(errands_stop_command(now(), &errands, &names) == ERR_INTERNAL);
	CHECK(errands_stop_command(now(), &errands, &nobody) == ERR_CONFIG);
	write_file(in_dir("resources/mail.json"), resource_with("\"https://mail.example/stop\""));
	CHECK(errands_stop_command(now(), &errands, &good) == ERR_CONFIG);
	write_file(in_dir("resources/mail.json"), scripted("exit 75"));
	CHECK(errands_stop_command(now(), &errands, &good) == ERR_IO);
	CHECK_STR(world.home.task.reason, STR("it ended with exit status 75"));
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
		   CASE(what_the_operator_wrote_stays_and_may_come_back),
		   CASE(the_command_is_what_the_file_says_with_the_names_filled_in),
		   CASE(what_has_no_known_form_does_nothing));
}

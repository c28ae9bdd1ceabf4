/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grantd check --sandbox: what shuts in each process of the grantd that serves the directory. The
 * kernel's word (/proc) where it has one, the daemon's for Landlock, of which /proc says nothing.
 */
#include "grantd/check_sandbox.h"

#include <stdio.h>

#include "base/json.h"
#include "base/task.h"
#include "grantd/proc_status.h"
#include "grantd/program.h"
#include "http/client.h"

#define ANSWER_MAX 8192
#define TIMEOUT_MS 10000

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_NONE };

/* What is looked at for each process, and what it must be. */
enum wall { WALL_PRIVILEGES, WALL_CALLS, WALL_FILES, WALL_CORE, WALL_MEMORY, WALL_COUNT };

static const struct {
	const char *name; /* in JSON */
	const char *title;
} walls[WALL_COUNT] = {
	[WALL_PRIVILEGES] = { "no_new_privileges", "no new privileges" },
	[WALL_CALLS] = { "system_calls_listed", "system calls listed" },
	[WALL_FILES] = { "files_listed", "files listed" },
	[WALL_CORE] = { "no_core", "no core file" },
	[WALL_MEMORY] = { "memory_hidden", "memory hidden" },
};

struct shut {
	const char *name;
	const char *member; /* its pid in the daemon's answer */
	bool is_outside;    /* runs the operator's commands: only core and memory are promised */
	pid_t pid;
	uint64_t filters; /* lists of system calls: those that all were started with, and its own */
	bool has[WALL_COUNT];
};

static enum err ask(struct task *task, const struct config *config, json_t **ret_answer)
{
	struct http_call call = {
		.method = STR("GET"),
		.url = STR("http://localhost/v1/sandbox"),
		.unix_socket = config->admin_socket,
		.allow_loopback_http = true,
		.answer_max = ANSWER_MAX,
		.timeout_ms = TIMEOUT_MS,
	};
	struct http_answer answer = { 0 };

	if (http_client_call(task, &call, &answer) != OK)
		return failf(task, ERR_IO,
			     "no grantd answers at %.*s; what is in force is seen only while it "
			     "serves",
			     STR_FMT(config->admin_socket));
	if (answer.status != 200)
		return failf(task, ERR_IO, "the daemon answered %u%s", answer.status,
			     answer.status == 403 ? ": root or a member of admin_group is asked for"
						  : "");
	return json_parse(task, answer.body, ANSWER_MAX, ret_answer);
}

static enum err look(struct task *task, const json_t *answer, struct shut *shut)
{
	struct proc_status status;
	bool is_listed = json_integer_value(json_object_get(answer, "landlock")) > 0;

	shut->pid = (pid_t)json_integer_value(json_object_get(answer, shut->member));
	if (proc_status_read(task, shut->pid, &status) != OK)
		return failf(task, ERR_IO, "%s (process %d): /proc does not show it to us",
			     shut->name, (int)shut->pid);
	shut->filters = status.filters;
	shut->has[WALL_PRIVILEGES] = status.has_no_new_privs;
	shut->has[WALL_CALLS] = status.is_filtered;
	shut->has[WALL_FILES] = is_listed && !shut->is_outside;
	shut->has[WALL_CORE] = !status.leaves_core;
	shut->has[WALL_MEMORY] = !status.is_dumpable &&
				 json_is_true(json_object_get(answer, "memory_hidden"));
	return OK;
}

/*
 * A list that systemd or a container gave all of them is none of ours: errands has that one only.
 */
static void leave_out_given(struct shut *list, size_t count, uint64_t given)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].filters <= given)
			list[i].has[WALL_CALLS] = false;
}

static bool is_promised(const struct shut *shut, enum wall wall)
{
	return !shut->is_outside || wall == WALL_CORE || wall == WALL_MEMORY;
}

static bool holds(const struct shut *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (enum wall wall = 0; wall < WALL_COUNT; wall++)
			if (is_promised(&list[i], wall) && !list[i].has[wall])
				return false;
	return true;
}

static void print_table(const json_t *answer, const struct shut *list, size_t count)
{
	printf("%-21s", "");
	for (size_t i = 0; i < count; i++)
		printf(" %-10s", list[i].name);
	printf("\n%-21s", "process");
	for (size_t i = 0; i < count; i++)
		printf(" %-10d", (int)list[i].pid);
	putchar('\n');
	for (enum wall wall = 0; wall < WALL_COUNT; wall++) {
		printf("%-21s", walls[wall].title);
		for (size_t i = 0; i < count; i++)
			printf(" %-10s", list[i].has[wall]	       ? "yes"
					 : is_promised(&list[i], wall) ? "NO"
								       : "-");
		putchar('\n');
	}
	printf("\nLandlock version %lld; root key out of reach: %s\n",
	       (long long)json_integer_value(json_object_get(answer, "landlock")),
	       json_is_true(json_object_get(answer, "root_key_out_of_reach")) ? "yes" : "NO");
}

static void print_json(const json_t *answer, const struct shut *list, size_t count)
{
	json_t *object = json_object(), *processes = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "name", json_string(list[i].name));
		json_object_set_new(one, "pid", json_integer(list[i].pid));
		for (enum wall wall = 0; wall < WALL_COUNT; wall++)
			json_object_set_new(one, walls[wall].name, json_boolean(list[i].has[wall]));
		json_array_append_new(processes, one);
	}
	json_object_set_new(object, "processes", processes);
	json_object_set(object, "landlock", json_object_get(answer, "landlock"));
	json_object_set(object, "wanted", json_object_get(answer, "wanted"));
	json_object_set(object, "root_key_out_of_reach",
			json_object_get(answer, "root_key_out_of_reach"));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

enum exit_code check_sandbox(struct task *task, struct program *program)
{
	CLEANUP(config_free) const struct config *config = NULL;
	CLEANUP(json_unref) json_t *answer = NULL;
	struct shut list[] = {
		{ .name = "grantd", .member = "network_pid" },
		{ .name = "keyd", .member = "keyd_pid" },
		{ .name = "errands", .member = "errands_pid", .is_outside = true },
	};
	enum err err = config_load(task, &program->source, &config);

	if (err == OK)
		err = ask(task, config, &answer);
	for (size_t i = 0; i < COUNT_OF(list) && err == OK; i++)
		err = look(task, answer, &list[i]);
	if (err != OK)
		return cli_refuse(task, "grantd check", err);
	leave_out_given(list, COUNT_OF(list), list[2].filters);
	if (program->is_json)
		print_json(answer, list, COUNT_OF(list));
	else
		print_table(answer, list, COUNT_OF(list));
	if (!json_is_true(json_object_get(answer, "wanted")))
		fprintf(stderr, "grantd check: sandbox = no stands in the configuration\n");
	return holds(list, COUNT_OF(list)) &&
			       json_is_true(json_object_get(answer, "root_key_out_of_reach"))
		       ? EXIT_DONE
		       : EXIT_REFUSED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key process from inside: what the filter of system calls lets a process do and what ends it.
 * Where a sanitizer is built in there is no filter, and only the rest is tested.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "config/config.h"
#include "crypto/keys.h"
#include "grantd/filter.h"
#include "grantd/keyd.h"
#include "grantd/keyd_filter.h"
#include "grantd/process.h"

#define IS_SANITIZED (!filter_is_possible())

static struct check_clock check_clock;
static struct task task;

static int begin(void **state)
{
	(void)state;
	check_clock_start(&check_clock);
	task_begin(&task, &check_clock.clock, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	task_end(&task);
	return 0;
}

/* --- the filter --- */

static int pipe_of_all[2];

static void use_pipe(void)
{
	char byte = 0;

	if (write(pipe_of_all[1], &byte, 1) != 1 || read(pipe_of_all[0], &byte, 1) != 1)
		_exit(3);
}

static void use_memory(void)
{
	for (size_t size = 16; size < 4u << 20; size *= 2) {
		char *at = malloc(size);

		if (at == NULL)
			_exit(3);
		at[size - 1] = 1;
		free(at);
	}
}

static void draw_randomness(void)
{
	char bytes[32];

	if (syscall(SYS_getrandom, bytes, sizeof(bytes), 0) != sizeof(bytes))
		_exit(3);
}

static void make_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void make_unix_socket(void)
{
	(void)socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void open_file(void)
{
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EACCES)
		_exit(3);
}

static void open_file_by_another_call(void)
{
	(void)syscall(SYS_openat2, AT_FDCWD, "/dev/null", NULL, 0);
}

static void start_program(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void make_child(void)
{
	(void)fork();
}

static void trace_parent(void)
{
	(void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void read_parents_memory(void)
{
	(void)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void kill_parent(void)
{
	(void)kill(getppid(), 0);
}

static void duplicate_file(void)
{
	(void)dup(0);
}

static void map_code(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0);
}

static void turn_memory_into_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		_exit(3);
	(void)mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

/* How a child ends that filters itself and then does this: 0 well, else its signal, or -1. */
static int ends_by(void (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (keyd_filter(&task) != OK)
			_exit(2);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void what_answering_takes_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(pipe2(pipe_of_all, O_CLOEXEC), 0);
	CHECK(ends_by(use_pipe) == 0);
	CHECK(ends_by(use_memory) == 0);
	CHECK(ends_by(draw_randomness) == 0);
	close(pipe_of_all[0]);
	close(pipe_of_all[1]);
}

static void anything_else_ends_the_process(void **state)
{
	static void (*const acts[])(void) = {
		make_socket,	make_unix_socket, open_file_by_another_call, start_program,
		make_child,	trace_parent,	  read_parents_memory,	     kill_parent,
		duplicate_file, map_code,	  turn_memory_into_code,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(acts) && !IS_SANITIZED; i++)
		CHECK_ROW(ends_by(acts[i]) == SIGSYS, "act %zu was not the end\n", i);
}

static void a_file_is_not_opened_and_that_is_not_the_end(void **state)
{
	(void)state;
	CHECK(IS_SANITIZED || ends_by(open_file) == 0);
}

/* By x32, on x86-64: the same calls with other numbers, which no list has. */
static void call_as_another_architecture(void)
{
	(void)syscall(0x40000000 | SYS_getpid);
}

static struct beside {
	pthread_barrier_t together;
	void (*act)(void);
} beside;

static void *act_in_thread(void *arg)
{
	(void)arg;
	(void)pthread_barrier_wait(&beside.together); /* begun: that takes other calls */
	(void)pthread_barrier_wait(&beside.together); /* filtered */
	beside.act();
	return NULL;
}

static void filter_beside_a_thread(void)
{
	pthread_t thread;

	/* without the filter: it is set in here, after the thread was made */
	if (pthread_barrier_init(&beside.together, NULL, 2) != 0 ||
	    pthread_create(&thread, NULL, act_in_thread, NULL) != 0)
		_exit(3);
	(void)pthread_barrier_wait(&beside.together);
	if (keyd_filter(&task) != OK)
		_exit(2);
	(void)pthread_barrier_wait(&beside.together);
	(void)pthread_join(thread, NULL);
	_exit(0);
}

static void check_thread_ends_all(void (*act)(void))
{
	pid_t pid;
	int status = 0;

	beside.act = act;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		filter_beside_a_thread();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	CHECK(IS_SANITIZED || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS));
}

static void threads_that_are_there_are_filtered_too(void **state)
{
	(void)state;
	check_thread_ends_all(make_socket);
}

static void a_call_as_another_architecture_ends_the_process_and_not_only_its_thread(void **state)
{
	(void)state;
	check_thread_ends_all(call_as_another_architecture);
}

/* --- the process --- */

struct place {
	char folder[64];
	struct str root_file;
	struct config config;
};

static struct place place_new(void)
{
	struct place place = { .config = { .issuer = STR("https://grantd.example") } };

	(void)snprintf(place.folder, sizeof(place.folder), "/tmp/grantd-keyd-XXXXXX");
	assert_non_null(mkdtemp(place.folder));
	place.config.root_key_file = place.root_file = str_printf(&task.arena, "%s/root.key",
								  place.folder);
	CHECK_ERR(keys_create_root(&task, place.root_file), OK);
	return place;
}

static void place_remove(const struct place *place)
{
	(void)unlink(place->root_file.at);
	assert_int_equal(rmdir(place->folder), 0);
}

/* Everything a keyring is for, so that no call of it meets a system call that is not allowed. */
static void use(struct keyring *keys)
{
	static const enum alg algs[] = { ALG_ES256, ALG_RS256 };
	static const struct seal_place seal = { .table = STR_INIT("sessions"),
						.user_id = STR_INIT("usr_1") };
	static const struct key_order both = { .purpose = STR_INIT("access"),
					       .typ = STR_INIT("at+jwt"),
					       .claims = STR_INIT("{}"),
					       .wants_tag = true,
					       .root_number = 1,
					       .seed = STR_INIT("seed"),
					       .input = STR_INIT("x") };
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct str wrapped = STR_NONE, sealed = STR_NONE, jwt = STR_NONE;
	struct key_issued issued;
	uint8_t tag[SHA256_LEN];
	struct key_record record;

	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		CHECK_ERR(keys_generate(&task, keys, STR("access"), algs[i], &record), OK);
		CHECK_ERR(keys_load(&task, keys, &record, 1), OK);
		CHECK_ERR(keys_sign_jwt(&task, keys, STR("access"), STR("at+jwt"), STR("{}"), &jwt),
			  OK);
	}
	CHECK_ERR(keys_mac(&task, keys, MAC_CODE, STR("x"), tag), OK);
	CHECK_ERR(keys_mac_refresh(&task, keys, 1, STR("seed"), STR("x"), tag), OK);
	CHECK_ERR(keys_issue(&task, keys, &both, &issued), OK);
	CHECK_ERR(keys_new_user_key(&task, keys, STR("usr_1"), &wrapped), OK);
	CHECK_ERR(keys_seal(&task, keys, wrapped, &seal, STR("mail"), &sealed), OK);
	CHECK_ERR(keys_unseal(&task, keys, wrapped, &seal, sealed, &plain), OK);
	CHECK_STR(secret_reveal(&plain), STR("mail"));
	/* refusals are spelled over there as well */
	CHECK_ERR(keys_mac_refresh(&task, keys, 9, STR("seed"), STR("x"), tag), ERR_CRYPTO);
	CHECK_ERR(keys_sign_jwt(&task, keys, STR("none"), STR("at+jwt"), STR("{}"), &jwt),
		  ERR_CRYPTO);
}

static void every_channel_of_keyd_answers_everything(void **state)
{
	struct place place = place_new();
	struct keyring *keys = NULL;
	struct str how = STR_NONE;
	struct keyd keyd = { 0 };

	(void)state;
	CHECK_ERR(keyd_start(&task, &task.arena, &place.config, 3, &keyd), OK);
	CHECK_ERR(keyd_connect(&task, &keyd, &keys), OK);
	for (task.thread = 0; task.thread < 3; task.thread++)
		use(keys);
	CHECK(!process_is_gone(&task.arena, keyd.pid, &how));
	keys_free(&keys);
	keyd_stop(&keyd);
	CHECK(keyd.pid == 0);
	place_remove(&place);
}

static void without_a_root_key_it_says_why_and_ends(void **state)
{
	struct place place = place_new();
	struct keyring *keys = NULL;
	struct keyd keyd = { 0 };

	(void)state;
	CHECK(unlink(place.root_file.at) == 0);
	CHECK_ERR(keyd_start(&task, &task.arena, &place.config, 2, &keyd), OK);
	CHECK_ERR(keyd_connect(&task, &keyd, &keys), ERR_CONFIG);
	CHECK(str_starts_with(task.reason, STR("the root key /tmp/grantd-keyd-")));
	CHECK(keys == NULL);
	keyd_stop(&keyd);
	place_remove(&place);
}

static void a_killed_keyd_is_noticed_and_asking_it_does_not_hang(void **state)
{
	struct place place = place_new();
	struct keyring *keys = NULL;
	struct str how = STR_NONE;
	struct keyd keyd = { 0 };
	uint8_t tag[SHA256_LEN];
	siginfo_t info;

	(void)state;
	CHECK_ERR(keyd_start(&task, &task.arena, &place.config, 2, &keyd), OK);
	CHECK_ERR(keyd_connect(&task, &keyd, &keys), OK);
	CHECK(kill(keyd.pid, SIGKILL) == 0);
	CHECK_ERR(keys_mac(&task, keys, MAC_CODE, STR("x"), tag), ERR_BUSY);
	CHECK(waitid(P_PID, (id_t)keyd.pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(process_is_gone(&task.arena, keyd.pid, &how));
	CHECK_STR(how, STR("signal 9"));
	keys_free(&keys);
	keyd_stop(&keyd);
	place_remove(&place);
}

static void a_keyd_that_was_never_asked_ends_with_us(void **state)
{
	struct place place = place_new();
	struct keyd keyd = { 0 };

	(void)state;
	CHECK_ERR(keyd_start(&task, &task.arena, &place.config, 2, &keyd), OK);
	keyd_stop(&keyd);
	CHECK(keyd.pid == 0);
	keyd_stop(&keyd); /* and again is nothing */
	place_remove(&place);
}

static int ignore_pipes(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as main.c does */
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_answering_takes_is_allowed),
		CASE(anything_else_ends_the_process),
		CASE(a_file_is_not_opened_and_that_is_not_the_end),
		CASE(threads_that_are_there_are_filtered_too),
		CASE(a_call_as_another_architecture_ends_the_process_and_not_only_its_thread),
		CASE(every_channel_of_keyd_answers_everything),
		CASE(without_a_root_key_it_says_why_and_ends),
		CASE(a_killed_keyd_is_noticed_and_asking_it_does_not_hang),
		CASE(a_keyd_that_was_never_asked_ends_with_us),
	};

	return check_run(tests, COUNT_OF(tests), ignore_pipes, NULL);
}

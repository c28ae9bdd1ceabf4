/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches from our own server over TLS. What a name leads to is said here: the lookup of the C
 * library is replaced by a table, and each connect(2) of the process is counted.
 */
#include "tls_wire.h"

#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "http/outgoing.h"

/* A name and its addresses; "wait" answers when the test lets it. */
static const struct {
	const char *name;
	const char *addresses[4];
} names[] = {
	{ "localhost", { "127.0.0.1" } },
	{ "private.example", { "10.0.0.1" } },
	{ "metadata.example", { "169.254.169.254" } },
	{ "mixed.example", { "93.184.216.34", "10.0.0.1" } },
	{ "mixed6.example", { "2606:4700::1111", "::1" } },
	{ "mapped.example", { "::ffff:10.0.0.1" } },
	{ "nat64.example", { "64:ff9b::a00:1" } },
	{ "6to4.example", { "2002:a00:1::1" } },
	{ "teredo.example", { "2001:0:a00:1::" } },
	{ "slow.example", { "wait" } },
	{ "slow1.example", { "wait" } },
	{ "slow2.example", { "wait" } },
	{ "slow3.example", { "wait" } },
	{ "slow4.example", { "wait" } },
	{ "slow5.example", { "wait" } },
	{ "slow6.example", { "wait" } },
	{ "slow7.example", { "wait" } },
	{ "slow8.example", { "wait" } },
};

static _Atomic unsigned lookups, connects;
static _Atomic unsigned readings, readings_before_lookup; /* of whom to trust */
static sem_t answered;					  /* one for each lookup that waits */

static struct addrinfo *entry_of(const char *text, struct addrinfo *next)
{
	struct {
		struct addrinfo entry;
		struct sockaddr_in6 address;
	} *made = calloc(1, sizeof(*made));
	struct sockaddr_in *v4 = (void *)&made->address;

	CHECK(made != NULL);
	made->entry.ai_addr = (void *)&made->address;
	made->entry.ai_next = next;
	made->entry.ai_family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
	made->entry.ai_addrlen = made->entry.ai_family == AF_INET ? sizeof(*v4)
								  : sizeof(made->address);
	made->address.sin6_family = (sa_family_t)made->entry.ai_family;
	CHECK(inet_pton(made->entry.ai_family, text,
			made->entry.ai_family == AF_INET ? (void *)&v4->sin_addr
							 : (void *)&made->address.sin6_addr) == 1);
	return &made->entry;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
						       const struct addrinfo *hints,
						       struct addrinfo **ret_found)
{
	struct addrinfo *found = NULL;

	(void)service;
	(void)hints;
	atomic_fetch_add(&lookups, 1);
	atomic_store(&readings_before_lookup, atomic_load(&readings));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(name, names[i].name) != 0)
			continue;
		if (strcmp(names[i].addresses[0], "wait") == 0) {
			CHECK(sem_wait(&answered) == 0);
			return EAI_AGAIN;
		}
		for (size_t k = COUNT_OF(names[i].addresses); k-- > 0;)
			if (names[i].addresses[k] != NULL)
				found = entry_of(names[i].addresses[k], found);
	}
	*ret_found = found;
	return found == NULL ? EAI_NONAME : 0;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *found)
{
	while (found != NULL) {
		struct addrinfo *next = found->ai_next;

		free(found);
		found = next;
	}
}

__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address,
						   socklen_t len)
{
	atomic_fetch_add(&connects, 1);
	return (int)syscall(SYS_connect, fd, address, len);
}

/* One fetch, and who waits for it. */
struct fetch {
	struct task task; /* first: a task that comes home is its fetch */
	sem_t home;
	enum err result;
	struct outgoing_answer answer;
};

static struct outgoing *outgoing;
static struct str trusted = STR_INIT("");

static enum err extra_ca(struct task *task, void *context, struct str *ret_pem)
{
	char pem[4096];
	FILE *file = fopen(cert_file.at, "r");
	size_t len;

	(void)context;
	atomic_fetch_add(&readings, 1);
	CHECK(file != NULL);
	len = fread(pem, 1, sizeof(pem), file);
	CHECK(fclose(file) == 0);
	*ret_pem = trusted.len == 0 ? STR("") : str_copy(&task->arena, (struct str){ pem, len });
	return OK;
}

static void come_home(struct task *task)
{
	sem_post(&((struct fetch *)(void *)task)->home);
}

static enum err take(struct task *task, enum err result, void *arg)
{
	struct fetch *fetch = arg;

	(void)task;
	fetch->result = result;
	return result;
}

static int start(void **state)
{
	const struct outgoing_config config = { &wire.clock, &wire.log, extra_ca, NULL };

	(void)state;
	trusted = STR("yes");
	atomic_store(&lookups, 0);
	atomic_store(&connects, 0);
	outgoing = outgoing_new(&config);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	outgoing_free(&outgoing);
	return 0;
}

static void fetch_begin(struct fetch *fetch)
{
	memset(fetch, 0, sizeof(*fetch));
	task_begin(&fetch->task, &wire.clock, &wire.log);
	fetch->task.home = come_home;
	sem_init(&fetch->home, 0, 0);
}

static enum err ask_for(struct fetch *fetch, const struct outgoing_wish *wish)
{
	return outgoing_get(&fetch->task, outgoing, wish, &fetch->answer, take, fetch);
}

static enum err wait_for(struct fetch *fetch)
{
	CHECK(sem_wait(&fetch->home) == 0);
	return task_go_on(&fetch->task);
}

static struct outgoing_wish wish_for(const char *host, const char *path)
{
	return (struct outgoing_wish){
		.url = str_printf(&wire.task.arena, "https://%s:%u%s", host, wire.port, path),
		.accept = STR("application/json"),
		.answer_max = 64,
		.timeout_ms = 10000,
	};
}

static enum err fetch_all(struct fetch *fetch, const struct outgoing_wish *wish)
{
	fetch_begin(fetch);
	CHECK_ERR(ask_for(fetch, wish), ERR_PARKED);
	return wait_for(fetch);
}

static void an_answer_comes_home_to_its_task(void **state)
{
	struct outgoing_wish wish = wish_for("localhost", "/");
	struct fetch fetch;

	(void)state;
	wish.allow_loopback = true;
	CHECK_ERR(fetch_all(&fetch, &wish), OK);
	assert_int_equal(fetch.answer.status, 200);
	CHECK_STR(fetch.answer.body, STR("root"));
	CHECK_STR(fetch.answer.type, STR("text/plain"));
	CHECK(atomic_load(&lookups) == 1 && atomic_load(&connects) == 1);
	task_end(&fetch.task);
	/* nothing is kept: not the connection, not the name */
	CHECK_ERR(fetch_all(&fetch, &wish), OK);
	CHECK(atomic_load(&lookups) == 2 && atomic_load(&connects) == 2);
	task_end(&fetch.task);
}

static void a_name_that_leads_inside_is_refused_before_a_packet(void **state)
{
	static const char *const hosts[] = { "private.example", "metadata.example", "mixed.example",
					     "mixed6.example",	"mapped.example",   "nat64.example",
					     "6to4.example",	"teredo.example" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct outgoing_wish wish = wish_for(hosts[i], "/");
		struct fetch fetch;

		/* loopback is all that the switch lets through */
		wish.allow_loopback = strcmp(hosts[i], "mixed6.example") != 0;
		CHECK_ERR(fetch_all(&fetch, &wish), ERR_REQUEST);
		CHECK(fetch.task.reason.len > 0 && fetch.answer.status == 0);
		task_end(&fetch.task);
	}
	assert_int_equal(atomic_load(&lookups), COUNT_OF(hosts));
	assert_int_equal(atomic_load(&connects), 0);
}

static void loopback_is_refused_without_the_switch(void **state)
{
	struct outgoing_wish wish = wish_for("localhost", "/");
	struct fetch fetch;

	(void)state;
	fetch_begin(&fetch);
	CHECK_ERR(ask_for(&fetch, &wish), ERR_REQUEST);
	assert_int_equal(atomic_load(&lookups), 0);
	task_end(&fetch.task);
}

static void what_is_no_https_url_of_a_name_is_not_even_looked_up(void **state)
{
	static const char *const urls[] = {
		"http://app.example/",
		"https://127.0.0.1/",
		"https://[::1]/",
		"https://2130706433/",
		"https://0x7f.1/",
		"https://a@app.example/",
		"https://app.example/#at",
		"ftp://app.example/",
		"https://app.example./",
		"/app",
		"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct outgoing_wish wish = { .url = str_from_c(urls[i]),
					      .answer_max = 64,
					      .timeout_ms = 1000,
					      .allow_loopback = true };
		struct fetch fetch;

		fetch_begin(&fetch);
		CHECK_ERR(ask_for(&fetch, &wish), ERR_REQUEST);
		task_end(&fetch.task);
	}
	assert_int_equal(atomic_load(&lookups), 0);
}

static void a_name_that_nobody_knows_and_a_stranger_s_certificate_are_said_in_words(void **state)
{
	struct outgoing_wish wish = wish_for("nobody.example", "/");
	struct fetch fetch;

	(void)state;
	CHECK_ERR(fetch_all(&fetch, &wish), ERR_IO);
	CHECK(strstr(fetch.task.reason.at, "looked up") != NULL);
	task_end(&fetch.task);
	wish = wish_for("localhost", "/");
	wish.allow_loopback = true;
	trusted = STR("");
	CHECK_ERR(fetch_all(&fetch, &wish), ERR_IO);
	CHECK(strstr(fetch.task.reason.at, "certificate") != NULL);
	task_end(&fetch.task);
}

static void an_answer_over_the_cap_and_one_that_does_not_come_are_left(void **state)
{
	struct outgoing_wish wish = wish_for("localhost", "/");
	struct fetch fetch;

	(void)state;
	wish.allow_loopback = true;
	wish.answer_max = 3; /* of four */
	CHECK_ERR(fetch_all(&fetch, &wish), ERR_TOO_LARGE);
	task_end(&fetch.task);
	wish = wish_for("localhost", "/park");
	wish.allow_loopback = true;
	wish.timeout_ms = 100;
	CHECK_ERR(fetch_all(&fetch, &wish), ERR_TIMEOUT);
	task_end(&fetch.task);
	stage_await(&stage.parked_count, 1);
	task_resume(stage.parked[0], OK);
}

/* The lookup's thread is still there; its fetch is not, and its place is taken. */
static void a_name_that_is_not_found_in_time_is_waited_for_by_nobody(void **state)
{
	struct outgoing_wish wish = wish_for("slow.example", "/");
	struct fetch fetches[4], more;

	(void)state;
	wish.timeout_ms = 50;
	for (size_t i = 0; i < COUNT_OF(fetches); i++) {
		CHECK_ERR(fetch_all(&fetches[i], &wish), ERR_TIMEOUT);
		task_end(&fetches[i].task);
	}
	fetch_begin(&more);
	CHECK_ERR(ask_for(&more, &wish), ERR_BUSY);
	task_end(&more.task);
	for (size_t i = 0; i < COUNT_OF(fetches); i++)
		sem_post(&answered);
}

/* It may outlive all that the reading of the file needs. */
static void a_lookup_comes_after_the_reading_of_whom_to_trust(void **state)
{
	struct outgoing_wish wish = wish_for("nobody.example", "/");
	unsigned before = atomic_load(&readings);
	struct fetch fetch;

	(void)state;
	CHECK_ERR(fetch_all(&fetch, &wish), ERR_IO);
	task_end(&fetch.task);
	CHECK(atomic_load(&readings_before_lookup) == before + 1);
	CHECK(atomic_load(&readings) == before + 1);
}

static void no_more_than_thirty_two_are_under_way(void **state)
{
	static struct fetch fetches[32];
	struct outgoing_wish wish;
	struct fetch more;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(fetches); i++) {
		char host[32];

		(void)snprintf(host, sizeof(host), "slow%u.example", i / 4 + 1);
		wish = wish_for(host, "/");
		fetch_begin(&fetches[i]);
		CHECK_ERR(ask_for(&fetches[i], &wish), ERR_PARKED);
	}
	wish = wish_for("private.example", "/");
	fetch_begin(&more);
	CHECK_ERR(ask_for(&more, &wish), ERR_BUSY);
	task_end(&more.task);
	for (unsigned i = 0; i < COUNT_OF(fetches); i++)
		sem_post(&answered);
	for (unsigned i = 0; i < COUNT_OF(fetches); i++) {
		CHECK_ERR(wait_for(&fetches[i]), ERR_IO);
		task_end(&fetches[i].task);
	}
}

static int begin_all(void **state)
{
	CHECK(begin(state) == 0);
	sem_init(&answered, 0, 0);
	wire_start(&wire);
	return 0;
}

#define FETCH(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FETCH(an_answer_comes_home_to_its_task),
		FETCH(a_name_that_leads_inside_is_refused_before_a_packet),
		FETCH(loopback_is_refused_without_the_switch),
		FETCH(what_is_no_https_url_of_a_name_is_not_even_looked_up),
		FETCH(a_name_that_nobody_knows_and_a_stranger_s_certificate_are_said_in_words),
		FETCH(an_answer_over_the_cap_and_one_that_does_not_come_are_left),
		FETCH(a_name_that_is_not_found_in_time_is_waited_for_by_nobody),
		FETCH(a_lookup_comes_after_the_reading_of_whom_to_trust),
		FETCH(no_more_than_thirty_two_are_under_way),
	};

	return check_run(tests, COUNT_OF(tests), begin_all, end);
}

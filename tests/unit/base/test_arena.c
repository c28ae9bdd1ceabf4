/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void every_allocation_is_zeroed_aligned_and_apart(void **state)
{
	struct arena arena = { 0 };
	char *before = NULL;

	(void)state;
	for (size_t size = 1; size < 9000; size += 37) {
		char *at = arena_alloc(&arena, size);

		CHECK((uintptr_t)at % alignof(max_align_t) == 0);
		for (size_t i = 0; i < size; i++)
			CHECK(at[i] == 0);
		memset(at, 0xA5, size);
		CHECK(before == NULL || *before == (char)0xA5);
		before = at;
	}
	arena_free(&arena);
}

static void one_larger_than_any_block_fits_and_so_does_the_next(void **state)
{
	struct arena arena = { 0 };
	char *large = arena_alloc(&arena, 3 * 1024 * 1024);
	char *small = arena_alloc(&arena, 16);

	(void)state;
	large[3 * 1024 * 1024 - 1] = 1;
	small[15] = 2;
	CHECK(large[3 * 1024 * 1024 - 1] == 1);
	arena_free(&arena);
}

static void only_what_was_allocated_last_grows_where_it_lies(void **state)
{
	struct arena arena = { 0 };
	char *first = arena_alloc(&arena, 5), *last = arena_alloc(&arena, 5);
	size_t room = (size_t)(arena.end - arena.at);

	(void)state;
	memset(last, 0xA5, 5);
	CHECK(!arena_extend(&arena, first, 5, 1));
	CHECK(arena_extend(&arena, last, 5, 3)); /* within its own alignment */
	CHECK(arena_extend(&arena, last, 8, 92));
	for (size_t i = 0; i < 100; i++)
		CHECK(last[i] == (i < 5 ? (char)0xA5 : 0));
	CHECK(arena_alloc(&arena, 1) >= (void *)(last + 100));
	CHECK(!arena_extend(&arena, last, 100, 1));
	last = arena_alloc(&arena, 16);
	CHECK(!arena_extend(&arena, last, 16, room));
	CHECK(!arena_extend(&arena, last, 16, SIZE_MAX - 16));
	arena_free(&arena);
}

static void a_freed_arena_is_empty_and_can_be_used_again(void **state)
{
	struct arena arena = { 0 };
	char *at;

	(void)state;
	memset(arena_alloc(&arena, 100), 0xFF, 100);
	arena_free(&arena);
	CHECK(arena.block == NULL && arena.at == NULL && arena.end == NULL);
	at = arena_alloc(&arena, 100);
	for (size_t i = 0; i < 100; i++)
		CHECK(at[i] == 0);
	arena_free(&arena);
	arena_free(&arena);
}

/* True if call ends a process of its own by abort. */
static bool aborts(void (*call)(struct arena *arena))
{
	struct arena arena = { 0 };
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		static const struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		call(&arena);
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* volatile: the compiler is not to see the sizes and warn */
static volatile size_t most = SIZE_MAX;

static void ask_for_most(struct arena *arena)
{
	(void)arena_alloc(arena, most);
}

static void ask_for_half(struct arena *arena)
{
	(void)arena_alloc(arena, most / 2 + 2);
}

static void ask_for_a_product(struct arena *arena)
{
	(void)arena_alloc_array(arena, most / 8 + 1, 16);
}

static void ask_for_little(struct arena *arena)
{
	(void)arena_alloc_array(arena, 0, 16);
	arena_free(arena);
}

static void a_size_that_overflows_ends_the_process(void **state)
{
	(void)state;
	CHECK(aborts(ask_for_most));
	CHECK(aborts(ask_for_half));
	CHECK(aborts(ask_for_a_product));
	CHECK(!aborts(ask_for_little));
}

int main(void)
{
	return RUN(cmocka_unit_test(every_allocation_is_zeroed_aligned_and_apart),
		   cmocka_unit_test(one_larger_than_any_block_fits_and_so_does_the_next),
		   cmocka_unit_test(only_what_was_allocated_last_grows_where_it_lies),
		   cmocka_unit_test(a_freed_arena_is_empty_and_can_be_used_again),
		   cmocka_unit_test(a_size_that_overflows_ends_the_process));
}

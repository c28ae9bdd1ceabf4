/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void ids_have_their_prefix_and_26_characters(void **state)
{
	struct arena arena = { 0 };
	struct str id = random_id(&arena, "gra_");

	(void)state;
	CHECK(id.len == 4 + ID_RANDOM_LEN);
	CHECK(str_starts_with(id, STR("gra_")));
	CHECK(id_is_valid(id, "gra_"));
	CHECK(id.at[id.len] == '\0');
	arena_free(&arena);
}

static void two_ids_differ(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	CHECK(!str_equals(random_id(&arena, "x_"), random_id(&arena, "x_")));
	CHECK(random_u64() != random_u64());
	arena_free(&arena);
}

static void an_id_of_a_digest_is_its_first_16_bytes(void **state)
{
	static const uint8_t zeros[ID_BYTES + 1] = { [ID_BYTES] = 0xFF };
	static const uint8_t ones[ID_BYTES] = { [0] = 0x08, [15] = 0x01 };
	struct arena arena = { 0 };

	(void)state;
	CHECK_STR(id_of_digest(&arena, "tok_", zeros), STR("tok_22222222222222222222222222"));
	CHECK_STR(id_of_digest(&arena, "tok_", ones), STR("tok_32222222222222222222222226"));
	CHECK(id_is_valid(id_of_digest(&arena, "tok_", ones), "tok_"));
	arena_free(&arena);
}

/* The child answers with what it would call something next. */
static void child_of(int pipe_end, struct arena *arena)
{
	struct str id = random_id(arena, "x_");
	ssize_t written = write(pipe_end, id.at, id.len);

	_exit(written == (ssize_t)id.len ? 0 : 1);
}

static void a_child_process_does_not_give_the_names_that_its_parent_gives(void **state)
{
	struct arena arena = { 0 };
	char theirs[2 + ID_RANDOM_LEN];
	int ends[2], status;
	pid_t child;

	(void)state;
	(void)random_id(&arena, "x_"); /* something is left for the next ones */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		child_of(ends[1], &arena);
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int i = 0; i < 64; i++)
		CHECK(!str_equals(random_id(&arena, "x_"), (struct str){ theirs, sizeof(theirs) }));
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	arena_free(&arena);
}

static void every_bit_of_an_id_takes_both_values(void **state)
{
	uint8_t ones[16] = { 0 }, zeros[16] = { 0 };

	(void)state;
	for (size_t round = 0; round < 64; round++) {
		uint8_t bytes[16];

		random_bytes(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++) {
			ones[i] |= bytes[i];
			zeros[i] |= (uint8_t)~bytes[i];
		}
	}
	for (size_t i = 0; i < sizeof(ones); i++)
		CHECK(ones[i] == 0xFF && zeros[i] == 0xFF);
}

static void ids_of_a_later_millisecond_sort_behind(void **state)
{
	struct arena arena = { 0 };
	struct str last = random_id_at(&arena, "evt_", CHECK_NOW);

	(void)state;
	for (int64_t step = 1; step < 200; step++) {
		struct str next = random_id_at(&arena, "evt_", CHECK_NOW + step * step * step);

		CHECK(id_is_valid(next, "evt_"));
		CHECK(str_compare(last, next) < 0);
		last = next;
	}
	arena_free(&arena);
}

static void ids_of_one_millisecond_still_differ(void **state)
{
	struct arena arena = { 0 };
	struct str a = random_id_at(&arena, "evt_", CHECK_NOW);
	struct str b = random_id_at(&arena, "evt_", CHECK_NOW);

	(void)state;
	CHECK_STR(str_sub(a, 0, 13), str_sub(b, 0, 13));
	CHECK(!str_equals(a, b));
	arena_free(&arena);
}

static void what_is_no_id_is_refused(void **state)
{
	(void)state;
	CHECK(id_is_valid(STR("usr_abcdefghijklmnopqrstuvwxyz"), "usr_"));
	CHECK(id_is_valid(STR("usr_234567abcdefghijklmnopqrst"), "usr_"));
	CHECK(!id_is_valid(STR("usr_abcdefghijklmnopqrstuvwxy"), "usr_"));
	CHECK(!id_is_valid(STR("usr_abcdefghijklmnopqrstuvwxyza"), "usr_"));
	CHECK(!id_is_valid(STR("gra_abcdefghijklmnopqrstuvwxyz"), "usr_"));
	CHECK(!id_is_valid(STR("usr_Abcdefghijklmnopqrstuvwxyz"), "usr_"));
	CHECK(!id_is_valid(STR("usr_1bcdefghijklmnopqrstuvwxyz"), "usr_"));
	CHECK(!id_is_valid(STR("usr_abcdefghijklm\0opqrstuvwxyz"), "usr_"));
	CHECK(!id_is_valid(STR("usr_abcdefghijklm'opqrstuvwxyz"), "usr_"));
	CHECK(!id_is_valid(STR_NONE, "usr_"));
}

int main(void)
{
	return RUN(cmocka_unit_test(ids_have_their_prefix_and_26_characters),
		   cmocka_unit_test(two_ids_differ),
		   cmocka_unit_test(an_id_of_a_digest_is_its_first_16_bytes),
		   cmocka_unit_test(a_child_process_does_not_give_the_names_that_its_parent_gives),
		   cmocka_unit_test(every_bit_of_an_id_takes_both_values),
		   cmocka_unit_test(ids_of_a_later_millisecond_sort_behind),
		   cmocka_unit_test(ids_of_one_millisecond_still_differ),
		   cmocka_unit_test(what_is_no_id_is_refused));
}

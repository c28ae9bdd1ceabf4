/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_world.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define KEY_B "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA"

static void check_reason(struct keys_world *world, const char *words)
{
	assert_non_null(strstr(world->task.reason.at, words));
}

static enum err open_text(struct keys_world *world, struct str text, mode_t mode,
			  struct keyring **ret_keys)
{
	struct str file = world_file(world, "other.key");

	world_write(file, text, mode);
	return keys_open(&world->task, file, ISSUER, ret_keys);
}

static void a_created_root_is_private_and_opens(void **state)
{
	struct keys_world *world = *state;
	struct stat status;

	CHECK(stat(world->root_file.at, &status) == 0);
	CHECK((status.st_mode & 07777) == 0600);
	CHECK(status.st_nlink == 1);
	CHECK(keys_root_number(world->keys) == 1);
	CHECK(access(world_file(world, "root.key.new").at, F_OK) != 0);
}

static void a_root_that_exists_is_never_overwritten(void **state)
{
	struct keys_world *world = *state;
	struct stat before, after;

	CHECK(stat(world->root_file.at, &before) == 0);
	CHECK_ERR(keys_create_root(&world->task, world->root_file), ERR_CONFLICT);
	CHECK(stat(world->root_file.at, &after) == 0);
	CHECK(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

static void a_root_half_written_by_a_killed_init_is_made_anew(void **state)
{
	struct keys_world *world = *state;

	world_write(world_file(world, "other.key.new"), STR("1 AAEC"), 0600);
	CHECK_ERR(keys_create_root(&world->task, world_file(world, "other.key")), OK);
	CHECK(access(world_file(world, "other.key.new").at, F_OK) != 0);
}

static void a_root_in_a_folder_that_does_not_exist_is_an_io_error(void **state)
{
	struct keys_world *world = *state;

	CHECK_ERR(keys_create_root(&world->task, world_file(world, "none/root.key")), ERR_IO);
	check_reason(world, "No such file");
}

static void a_root_open_to_others_is_refused_with_what_to_do(void **state)
{
	static const mode_t modes[] = { 0644, 0640, 0620, 0604, 0602, 0610, 0601, 0660, 0666 };
	struct keys_world *world = *state;
	struct keyring *keys = NULL;

	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		CHECK_ERR(open_text(world, STR("1 " KEY_A "\n"), modes[i], &keys), ERR_CONFIG);
		check_reason(world, "run chmod 600");
	}
	CHECK(keys == NULL);
	CHECK_ERR(open_text(world, STR("1 " KEY_A "\n"), 0400, &keys), OK);
	keys_free(&keys);
}

static void a_root_of_another_user_is_refused_with_what_to_do(void **state)
{
	struct keys_world *world = *state;
	struct str file = world_file(world, "other.key");
	struct keyring *keys = NULL;

	if (geteuid() != 0)
		skip();
	world_write(file, STR("1 " KEY_A "\n"), 0600);
	CHECK(chown(file.at, 12345, 0) == 0);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &keys), ERR_CONFIG);
	check_reason(world, "chown it");
}

static void a_missing_root_is_refused_with_what_to_do(void **state)
{
	struct keys_world *world = *state;
	struct keyring *keys = NULL;

	CHECK_ERR(keys_open(&world->task, world_file(world, "none"), ISSUER, &keys), ERR_CONFIG);
	check_reason(world, "put it back from its copy");
	CHECK_ERR(keys_open(&world->task, str_from_c(world->folder), ISSUER, &keys), ERR_CONFIG);
	check_reason(world, "not a regular file");
}

static void a_pipe_in_the_place_of_the_root_does_not_hang(void **state)
{
	struct keys_world *world = *state;
	struct str file = world_file(world, "other.key");
	struct keyring *keys = NULL;

	CHECK(mkfifo(file.at, 0600) == 0);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &keys), ERR_CONFIG);
}

static void malformed_root_files_are_refused(void **state)
{
	static const struct str texts[] = {
		STR_INIT(""),
		STR_INIT("# only a comment\n"),
		STR_INIT(KEY_A "\n"),
		STR_INIT("1\n"),
		STR_INIT("1 \n"),
		STR_INIT("0 " KEY_A "\n"),
		STR_INIT("-1 " KEY_A "\n"),
		STR_INIT("01 " KEY_A "\n"),
		STR_INIT("4294967296 " KEY_A "\n"),
		STR_INIT("1  " KEY_A "\n"),
		STR_INIT(" 1 " KEY_A "\n"),
		STR_INIT("1 " KEY_A " \n"),
		STR_INIT("1 " KEY_A "\r\n"),
		STR_INIT("1 " KEY_A "=\n"),
		STR_INIT("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n"), /* stray bits */
		STR_INIT("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\n"),  /* 31 bytes */
		STR_INIT("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH!8\n"),
		STR_INIT("1 " KEY_A "\n1 " KEY_B "\n"), /* which one? */
		STR_INIT("1 " KEY_A "\n2 AAEC"),	/* cut */
	};
	struct keys_world *world = *state;
	struct keyring *keys = NULL;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		CHECK_ERR(open_text(world, texts[i], 0600, &keys), ERR_CONFIG);
		check_reason(world, "back from its copy");
	}
	CHECK(keys == NULL);
}

static void files_beyond_the_bounds_are_refused(void **state)
{
	struct keys_world *world = *state;
	struct buf many = buf_in(&world->task.arena, 4000),
		   large = buf_in(&world->task.arena, 9000);
	struct keyring *keys = NULL;
	struct str text;

	for (uint64_t i = 1; i <= 17; i++) {
		buf_add_u64(&many, i);
		buf_add(&many, STR(" " KEY_A "\n"));
	}
	CHECK_ERR(buf_finish(&many, &text), OK);
	CHECK_ERR(open_text(world, text, 0600, &keys), ERR_CONFIG);
	for (int i = 0; i < 400; i++)
		buf_add(&large, STR("# a comment\n"));
	CHECK_ERR(buf_finish(&large, &text), OK);
	CHECK_ERR(open_text(world, text, 0600, &keys), ERR_CONFIG);
}

static void the_lowest_number_is_the_current_root_until_another_is_named(void **state)
{
	struct keys_world *world = *state;
	struct keyring *keys = NULL;

	CHECK_ERR(open_text(world, STR("# two\n7 " KEY_B "\n\n2 " KEY_A), 0600, &keys), OK);
	CHECK(keys_root_number(keys) == 2);
	CHECK_ERR(keys_use_root(&world->task, keys, 7), OK);
	CHECK(keys_root_number(keys) == 7);
	CHECK_ERR(keys_use_root(&world->task, keys, 2), OK); /* heard of too late */
	CHECK(keys_root_number(keys) == 7);
	keys_free(&keys);
}

/* VL-022 */
static void the_fingerprint_tells_another_root_and_survives_a_newer_one(void **state)
{
	struct keys_world *world = *state;
	struct keyring *one = NULL, *two = NULL, *other = NULL;
	struct str first, second, third;

	CHECK_ERR(open_text(world, STR("1 " KEY_A "\n"), 0600, &one), OK);
	CHECK_ERR(open_text(world, STR("1 " KEY_A "\n2 " KEY_B "\n"), 0600, &two), OK);
	CHECK_ERR(open_text(world, STR("1 " KEY_B "\n"), 0600, &other), OK);
	first = keys_find_root(one, 1)->fingerprint;
	second = keys_find_root(two, 1)->fingerprint;
	third = keys_find_root(other, 1)->fingerprint;
	CHECK_STR(first, second);
	CHECK(!str_equals(first, third));
	CHECK_STR(keys_find_root(two, 2)->fingerprint, third);
	CHECK(keys_find_root(two, 3) == NULL);
	keys_free(&one);
	keys_free(&two);
	keys_free(&other);
}

/* Whoever has taken the network process over must not have new things sealed by an exposed root. */
static void the_holder_takes_no_older_root_back(void **state)
{
	struct keys_world *world = *state;
	struct key_holder *holder = NULL;
	struct keyring *keys = NULL;

	CHECK_ERR(open_text(world, STR("1 " KEY_A "\n2 " KEY_B "\n"), 0600, &keys), OK);
	keys_free(&keys);
	CHECK_ERR(holder_open(&world->task, world_file(world, "other.key"), ISSUER, &holder), OK);
	CHECK_ERR(holder_use_root(&world->task, holder, 2), OK);
	CHECK_ERR(holder_use_root(&world->task, holder, 2), OK);
	CHECK_ERR(holder_use_root(&world->task, holder, 1), ERR_CRYPTO);
	check_reason(world, "root key 1 is older");
	CHECK_ERR(holder_use_root(&world->task, holder, 3), ERR_CRYPTO);
	CHECK(holder_root_number(holder) == 2);
	holder_free(&holder);
}

struct follower {
	struct keyring *keys;
	uint32_t number;
};

static void *follow(void *arg)
{
	static struct clock clock;
	struct follower *follower = arg;
	struct task task;

	task_begin(&task, &clock, NULL);
	CHECK_ERR(keys_use_root(&task, follower->keys, follower->number), OK);
	task_end(&task);
	return NULL;
}

static void of_several_that_follow_at_once_the_highest_root_stays(void **state)
{
	struct keys_world *world = *state;
	struct follower followers[KEY_ROOTS_MAX - 1];
	pthread_t threads[COUNT_OF(followers)];
	struct keyring *keys = NULL;
	uint32_t number = 0;

	for (size_t i = 0; i < COUNT_OF(followers); i++)
		CHECK_ERR(keys_add_root(&world->task, world->root_file, &number), OK);
	CHECK_ERR(keys_open(&world->task, world->root_file, ISSUER, &keys), OK);
	for (size_t i = 0; i < COUNT_OF(followers); i++) {
		followers[i] = (struct follower){ keys, number - (uint32_t)i };
		CHECK(pthread_create(&threads[i], NULL, follow, &followers[i]) == 0);
	}
	for (size_t i = 0; i < COUNT_OF(followers); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(keys_root_number(keys) == number);
	keys_free(&keys);
}

/* It cannot read what the others write now, nor hear of a signing key that they have ended. */
static void without_the_current_root_nothing_is_answered_any_more(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = STR_NONE, jwt = STR_NONE, purpose = STR_NONE;
	struct key_record record = { 0 };
	uint8_t tag[SHA256_LEN];
	json_t *claims = NULL;

	CHECK_ERR(keys_generate(&world->task, world->keys, STR("access"), ALG_ES256, &record), OK);
	CHECK_ERR(keys_load(&world->task, world->keys, &record, 1), OK);
	CHECK_ERR(keys_sign_jwt(&world->task, world->keys, STR("access"), STR("JWT"), STR("{}"),
				&jwt),
		  OK);
	CHECK_ERR(keys_check(&world->task, world->keys), OK);
	CHECK_ERR(keys_use_root(&world->task, world->keys, 2), ERR_CRYPTO);
	check_reason(world, "root key 2 is not in the file");
	CHECK_ERR(keys_check(&world->task, world->keys), OK);
	CHECK_ERR(keys_miss_root(&world->task, world->keys, 2), ERR_BUSY);
	check_reason(world, "root key 2, by which the database is sealed now, is not in this node");
	CHECK_ERR(keys_check(&world->task, world->keys), ERR_BUSY);
	CHECK_ERR(keys_verify_jwt(&world->task, world->keys, jwt, STR("JWT"), &claims, &purpose),
		  ERR_BUSY);
	CHECK_ERR(keys_jwks(&world->task, world->keys, STR_NONE, &jwt), ERR_BUSY);
	CHECK_ERR(keys_new_user_key(&world->task, world->keys, STR("usr_1"), &wrapped), ERR_BUSY);
	CHECK_ERR(keys_mac(&world->task, world->keys, MAC_CODE, STR("x"), tag), ERR_BUSY);
	CHECK(keys_root_number(world->keys) == 1 && wrapped.at == NULL && claims == NULL);
}

int main(void)
{
	return RUN(WORLD_CASE(a_created_root_is_private_and_opens),
		   WORLD_CASE(a_root_that_exists_is_never_overwritten),
		   WORLD_CASE(a_root_half_written_by_a_killed_init_is_made_anew),
		   WORLD_CASE(a_root_in_a_folder_that_does_not_exist_is_an_io_error),
		   WORLD_CASE(a_root_open_to_others_is_refused_with_what_to_do),
		   WORLD_CASE(a_root_of_another_user_is_refused_with_what_to_do),
		   WORLD_CASE(a_missing_root_is_refused_with_what_to_do),
		   WORLD_CASE(a_pipe_in_the_place_of_the_root_does_not_hang),
		   WORLD_CASE(malformed_root_files_are_refused),
		   WORLD_CASE(files_beyond_the_bounds_are_refused),
		   WORLD_CASE(the_lowest_number_is_the_current_root_until_another_is_named),
		   WORLD_CASE(the_holder_takes_no_older_root_back),
		   WORLD_CASE(of_several_that_follow_at_once_the_highest_root_stays),
		   WORLD_CASE(without_the_current_root_nothing_is_answered_any_more),
		   WORLD_CASE(the_fingerprint_tells_another_root_and_survives_a_newer_one));
}

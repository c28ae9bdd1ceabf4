/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grant_cli/wallet.h"
#include "short_folder.h"

struct world {
	struct check_clock clock;
	struct log log;
	struct task task;
	struct wallet wallet;
	char dir[64];
};

static void world_begin(struct world *world)
{
	memset(world, 0, sizeof(*world));
	check_clock_start(&world->clock);
	world->log.fd = -1;
	task_begin(&world->task, &world->clock.clock, &world->log);
	memcpy(world->dir, "/tmp/test_wallet.XXXXXX", sizeof("/tmp/test_wallet.XXXXXX"));
	CHECK(mkdtemp(world->dir) != NULL);
	CHECK_ERR(wallet_open(&world->task, str_from_c(world->dir), false, &world->wallet), OK);
}

static void world_end(struct world *world)
{
	DIR *dir = opendir(world->dir);
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (unlinkat(world->wallet.fd, entry->d_name, 0) != 0)
			unlinkat(world->wallet.fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
	wallet_close(&world->wallet);
	rmdir(world->dir);
	task_end(&world->task);
}

static struct login some_login(struct world *world, struct str resource)
{
	struct str issuer = STR("https://as.example"), client = STR("reader");

	return (struct login){
		.file = wallet_file(&world->task, issuer, client, resource),
		.id = STR("log_1"),
		.issuer = issuer,
		.client_id = client,
		.resource = resource,
		.scope = STR("mail.read"),
		.token_endpoint = STR("https://as.example/token"),
		.created_at = CHECK_NOW,
		.last_used_at = CHECK_NOW,
		.access_token = STR("at1"),
		.access_expires_at = CHECK_NOW + 1000,
		.refresh_token = STR("rt1"),
	};
}

static size_t count_files(struct world *world)
{
	DIR *dir = opendir(world->dir);
	size_t count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2;
}

static void a_login_comes_back_as_it_was_put(void **state)
{
	struct world world;
	struct login login, back;
	struct stat info;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &login), OK);
	CHECK_ERR(wallet_read(&world.task, &world.wallet, login.file, &back), OK);
	CHECK_STR(back.resource, login.resource);
	CHECK_STR(back.access_token, login.access_token);
	CHECK_STR(back.refresh_token, login.refresh_token);
	CHECK(back.ca_file.at == NULL && back.ended.at == NULL);
	CHECK(back.access_expires_at == login.access_expires_at);
	CHECK(fstatat(world.wallet.fd, login.file.at, &info, 0) == 0);
	CHECK((info.st_mode & 0777) == 0600);
	assert_int_equal(count_files(&world), 1);
	world_end(&world);
}

static void a_write_that_follows_an_older_token_is_dropped(void **state)
{
	struct world world;
	struct login login, back;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &login), OK);
	login.refresh_token = STR("rt2");
	CHECK_ERR(wallet_replace(&world.task, &world.wallet, &login, STR("rt1")), OK);
	login.refresh_token = STR("rt1-late");
	CHECK_ERR(wallet_replace(&world.task, &world.wallet, &login, STR("rt1")), ERR_CONFLICT);
	CHECK_ERR(wallet_read(&world.task, &world.wallet, login.file, &back), OK);
	CHECK_STR(back.refresh_token, STR("rt2"));
	assert_int_equal(count_files(&world), 1);
	world_end(&world);
}

static void a_refresh_does_not_bring_back_what_was_logged_out(void **state)
{
	struct world world;
	struct login login;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &login), OK);
	CHECK_ERR(wallet_remove(&world.task, &world.wallet, login.file), OK);
	CHECK_ERR(wallet_replace(&world.task, &world.wallet, &login, STR("rt1")), ERR_NOT_FOUND);
	assert_int_equal(count_files(&world), 0);
	world_end(&world);
}

static void a_logout_also_deletes_what_killed_processes_left(void **state)
{
	struct world world;
	struct login login;
	struct str draft;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	draft = STR_JOIN(&world.task.arena, STR("."), login.file, STR(".left"));
	close(openat(world.wallet.fd, draft.at, O_CREAT | O_WRONLY, 0600));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &login), OK);
	CHECK_ERR(wallet_remove(&world.task, &world.wallet, login.file), OK);
	assert_int_equal(count_files(&world), 0);
	world_end(&world);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
	struct world world;
	struct login login, back;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &login), OK);
	fchmodat(world.wallet.fd, login.file.at, 0644, 0);
	CHECK_ERR(wallet_read(&world.task, &world.wallet, login.file, &back), ERR_STORE);
	world_end(&world);
}

static void a_link_in_place_of_the_file_is_refused(void **state)
{
	struct world world;
	struct login login, back;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	CHECK(symlinkat("/etc/hostname", world.wallet.fd, login.file.at) == 0);
	CHECK_ERR(wallet_read(&world.task, &world.wallet, login.file, &back), ERR_STORE);
	world_end(&world);
}

static void a_directory_that_others_may_change_is_refused(void **state)
{
	struct world world;
	struct wallet wallet;

	(void)state;
	world_begin(&world);
	chmod(world.dir, 0777);
	CHECK_ERR(wallet_open(&world.task, str_from_c(world.dir), false, &wallet), ERR_STORE);
	world_end(&world);
}

static void a_damaged_file_says_what_to_do(void **state)
{
	struct world world;
	struct login login, back;
	int fd;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	fd = openat(world.wallet.fd, login.file.at, O_CREAT | O_WRONLY, 0600);
	CHECK(write(fd, "{\"version\":1", 12) == 12);
	close(fd);
	CHECK_ERR(wallet_read(&world.task, &world.wallet, login.file, &back), ERR_STORE);
	CHECK(str_ends_with(world.task.reason, STR("remove it, log in again")));
	world_end(&world);
}

static void a_directory_that_is_not_read_to_its_end_is_no_shorter_list(void **state)
{
	struct world world;
	struct login login, *list = NULL;
	size_t count = 0;

	(void)state;
	world_begin(&world);
	login = some_login(&world, STR("https://rs.example/r/mail"));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &login), OK);
	for (int given = 0; given < 3; given++) {
		entries_left = given;
		CHECK_ERR(wallet_list(&world.task, &world.wallet, &list, &count), ERR_STORE);
		entries_left = given;
		CHECK_ERR(wallet_remove(&world.task, &world.wallet, login.file), ERR_STORE);
	}
	entries_left = -1;
	CHECK_ERR(wallet_list(&world.task, &world.wallet, &list, &count), OK);
	CHECK(count == 0);
	CHECK_ERR(wallet_remove(&world.task, &world.wallet, login.file), OK);
	world_end(&world);
}

static void a_resource_is_found_by_uri_or_last_segment(void **state)
{
	struct world world;
	struct login mail, contacts, found;

	(void)state;
	world_begin(&world);
	mail = some_login(&world, STR("https://rs.example/r/mail"));
	contacts = some_login(&world, STR("https://rs.example/r/contacts"));
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &mail), OK);
	CHECK_ERR(wallet_find(&world.task, &world.wallet, STR_NONE, &found), OK);
	CHECK_ERR(wallet_put(&world.task, &world.wallet, &contacts), OK);
	CHECK_ERR(wallet_find(&world.task, &world.wallet, STR("contacts"), &found), OK);
	CHECK_STR(found.resource, contacts.resource);
	CHECK_ERR(wallet_find(&world.task, &world.wallet, mail.resource, &found), OK);
	CHECK_STR(found.resource, mail.resource);
	CHECK_ERR(wallet_find(&world.task, &world.wallet, STR_NONE, &found), ERR_CONFLICT);
	task_forgive(&world.task);
	CHECK_ERR(wallet_find(&world.task, &world.wallet, STR("ail"), &found), ERR_NOT_FOUND);
	world_end(&world);
}

static void the_lock_is_one_at_a_time_and_can_be_missed(void **state)
{
	struct world world;
	int lock;

	(void)state;
	world_begin(&world);
	lock = wallet_lock(&world.task, &world.wallet, STR("a.json"));
	CHECK(lock >= 0);
	wallet_unlock(&lock);
	lock = wallet_lock(&world.task, &world.wallet, STR("a.json"));
	CHECK(lock >= 0);
	wallet_unlock(&lock);
	CHECK(mkdirat(world.wallet.fd, "b.json.lock", 0700) == 0);
	CHECK(wallet_lock(&world.task, &world.wallet, STR("b.json")) == -1);
	world_end(&world);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_login_comes_back_as_it_was_put),
		   cmocka_unit_test(a_write_that_follows_an_older_token_is_dropped),
		   cmocka_unit_test(a_refresh_does_not_bring_back_what_was_logged_out),
		   cmocka_unit_test(a_logout_also_deletes_what_killed_processes_left),
		   cmocka_unit_test(a_file_that_others_may_read_is_refused),
		   cmocka_unit_test(a_link_in_place_of_the_file_is_refused),
		   cmocka_unit_test(a_directory_that_others_may_change_is_refused),
		   cmocka_unit_test(a_damaged_file_says_what_to_do),
		   cmocka_unit_test(a_directory_that_is_not_read_to_its_end_is_no_shorter_list),
		   cmocka_unit_test(a_resource_is_found_by_uri_or_last_segment),
		   cmocka_unit_test(the_lock_is_one_at_a_time_and_can_be_missed));
}

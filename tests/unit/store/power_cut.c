/* SPDX-License-Identifier: Apache-2.0 */
#include "power_cut.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define SECTOR	 512
#define PATH_LEN 320

const char *const cut_names[CUTS] = { "dropped", "kept", "begun", "shuffled", "torn", "garbled" };

/* Steele and others, "Fast Splittable Pseudorandom Number Generators" (2014). */
static uint64_t dice_next(struct dice *dice)
{
	uint64_t mixed = (dice->state += 0x9E3779B97F4A7C15);

	mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
	mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
	return mixed ^ (mixed >> 31);
}

uint64_t dice_below(struct dice *dice, uint64_t limit)
{
	return dice_next(dice) % limit;
}

/* One file as it comes out of a cut. */
struct content {
	unsigned char *bytes;
	size_t size, room;
};

static void set_size(struct content *content, size_t size)
{
	if (size > content->room) {
		content->room = 2 * size;
		content->bytes = realloc(content->bytes, content->room);
		CHECK(content->bytes != NULL);
	}
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

static void put(struct content *content, const struct entry *entry, size_t from, size_t to)
{
	size_t at = (size_t)entry->at;

	if (content->size < at + to)
		set_size(content, at + to);
	memcpy(content->bytes + at + from, entry->bytes + from, to - from);
}

static void apply(struct content *content, const struct entry *entry)
{
	if (entry->kind == WRITTEN)
		put(content, entry, 0, entry->count);
	if (entry->kind == CUT_OFF)
		set_size(content, (size_t)entry->at);
}

/* Sectors of the file, not of the write: where one ends, another write may begin. */
static void apply_sectors(struct content *content, const struct entry *entry, struct dice *dice)
{
	size_t from = 0;

	while (from < entry->count) {
		size_t to = from + SECTOR - ((size_t)entry->at + from) % SECTOR;

		to = to < entry->count ? to : entry->count;
		if (dice_below(dice, 2) == 0)
			put(content, entry, from, to);
		from = to;
	}
}

struct chance {
	enum cut cut;
	struct dice *dice;
};

static void apply_unsynced(struct content *content, const struct entry *entry, struct chance chance)
{
	if (chance.cut != CUT_SHUFFLED && entry->kind == WRITTEN)
		apply_sectors(content, entry, chance.dice);
	else if (dice_below(chance.dice, 2) == 0)
		apply(content, entry);
}

/* Up to the end of what was written, so that all that was not kept of it is noise. */
static void make_noise(struct content *content, const struct entry *entry, struct dice *dice)
{
	size_t end = (size_t)entry->at + entry->count;
	size_t old = content->size;

	if (entry->kind != WRITTEN || end <= old)
		return;
	set_size(content, end);
	for (size_t i = old; i < end; i++)
		content->bytes[i] = (unsigned char)dice_below(dice, 256);
}

static bool changes(const struct entry *entry, int inode)
{
	return entry->inode == inode && (entry->kind == WRITTEN || entry->kind == CUT_OFF);
}

static size_t last_sync(size_t moment, int inode)
{
	for (size_t i = moment; i > 0; i--)
		if (recorder_entries()[i - 1].kind == SYNCED &&
		    recorder_entries()[i - 1].inode == inode)
			return i;
	return 0;
}

static size_t count_changes(size_t from, size_t to, int inode)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += changes(&recorder_entries()[i], inode);
	return count;
}

/* The writes that were synced, one after another. */
static void fill_certain(struct content *content, int inode, size_t synced)
{
	for (size_t i = 0; i < synced; i++)
		if (changes(&recorder_entries()[i], inode))
			apply(content, &recorder_entries()[i]);
}

/* Those since then, by luck. */
static void fill_uncertain(struct content *content, int inode, size_t synced, size_t moment,
			   struct chance chance)
{
	size_t begun = dice_below(chance.dice, count_changes(synced, moment, inode) + 1);

	for (size_t i = synced; i < moment; i++) {
		const struct entry *entry = &recorder_entries()[i];

		if (!changes(entry, inode))
			continue;
		if (chance.cut == CUT_GARBLED)
			make_noise(content, entry, chance.dice);
		if (chance.cut == CUT_KEPT || (chance.cut == CUT_BEGUN && begun > 0))
			apply(content, entry);
		else if (chance.cut >= CUT_SHUFFLED)
			apply_unsynced(content, entry, chance);
		begun -= begun > 0;
	}
}

static bool is_of_directory(const struct entry *entry)
{
	return entry->kind == MADE || entry->kind == REMOVED;
}

/* Names are made and removed in order, as every journalling file system does it. */
static void find_inodes(size_t moment, enum cut cut, struct dice *dice, int inodes[NAMES])
{
	size_t certain = 0;
	size_t pending = 0;

	for (size_t i = 0; i < moment; i++)
		if (recorder_entries()[i].kind == DIRECTORY_SYNCED)
			certain = i;
	for (size_t i = certain; i < moment; i++)
		pending += is_of_directory(&recorder_entries()[i]);
	if (cut == CUT_DROPPED)
		pending = 0;
	else if (cut != CUT_KEPT)
		pending = dice_below(dice, pending + 1);
	for (size_t i = 0; i < moment; i++) {
		const struct entry *entry = &recorder_entries()[i];

		if (!is_of_directory(entry) || (i >= certain && pending == 0))
			continue;
		pending -= i >= certain;
		inodes[entry->name] = entry->inode;
	}
}

static void write_file(const char *path, const struct content *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, content->bytes, content->size) == (ssize_t)content->size);
	close(fd);
}

bool cut_is_at_sync(size_t moment)
{
	return moment > 0 && recorder_entries()[moment - 1].kind == SYNCED;
}

void cut_restore(size_t moment, enum cut cut, struct dice *dice, const char *directory)
{
	int inodes[NAMES] = { 0 };
	char path[PATH_LEN];

	find_inodes(moment, cut, dice, inodes);
	snprintf(path, sizeof(path), "%s/grantd.db-shm", directory);
	unlink(path);
	for (int name = 0; name < NAMES; name++) {
		size_t synced = last_sync(moment, inodes[name]);
		struct content content = { 0 };

		snprintf(path, sizeof(path), "%s%s", directory, recorder_ending((enum name)name));
		unlink(path);
		if (inodes[name] == 0)
			continue;
		fill_certain(&content, inodes[name], synced);
		fill_uncertain(&content, inodes[name], synced, moment,
			       (struct chance){ cut, dice });
		write_file(path, &content);
		free(content.bytes);
	}
}

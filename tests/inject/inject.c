/* SPDX-License-Identifier: Apache-2.0 */
#include "inject.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define SITES 16384

/* The file, as the test reads and writes it; tests/flow/inject.mjs knows the offsets. */
struct site {
	_Atomic uint64_t id; /* 0: free */
	uint32_t kind;
	uint32_t frame; /* where in its library the call stands */
	char name[44];
	uint32_t within;
	char library[32]; /* for people */
};

/* Who called, from however far away: one of those that themselves crash without memory. */
enum within { WITHIN_NONE, WITHIN_SECCOMP, WITHIN_LOOK_UP };

_Static_assert(sizeof(struct site) == 96, "as the test reads it");

struct board {
	_Atomic uint64_t armed; /* the site that fails, once; 0: none */
	_Atomic uint32_t frame; /* its; 0: every site that is passed is written down */
	uint32_t unused[5];
	struct site sites[SITES];
};

struct walk {
	uint64_t id;
	uint32_t frame;
	const char *library;
	unsigned skip, left;
	enum within within;
};

static struct board *board;
/* glibc's look-ups of a user or a group, by where they begin */
static uintptr_t look_ups[8];
/* whoever is in here is not asked again: the way down may call what is watched */
static _Thread_local __attribute__((tls_model("initial-exec"))) bool is_busy;

static void find_look_ups(void)
{
	static const char *const names[] = {
		"getpwnam",   "getpwuid",   "getgrnam",	  "getgrgid",
		"getpwnam_r", "getpwuid_r", "getgrnam_r", "getgrgid_r"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		look_ups[i] = (uintptr_t)inject_real(names[i]);
}

__attribute__((constructor)) static void map_board(void)
{
	const char *path = getenv("INJECT_BOARD");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return;
	find_look_ups();
	board = at;
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *at, size_t len)
{
	const unsigned char *bytes = at;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Offsets in their libraries, so that a place is the same one in each process. */
static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	uintptr_t at = _Unwind_GetIP(context);
	struct dl_find_object found;
	uint64_t offset;

	if (walk->skip > 0) {
		walk->skip--;
		return _URC_NO_REASON;
	}
	if (at == 0 || walk->left-- == 0 || _dl_find_object((void *)at, &found) != 0)
		return _URC_END_OF_STACK;
	offset = at - (uintptr_t)found.dlfo_link_map->l_addr;
	if (walk->library == NULL) {
		walk->frame = (uint32_t)offset;
		walk->library = found.dlfo_link_map->l_name;
	}
	walk->id = mix(walk->id, &offset, sizeof(offset));
	walk->id = mix(walk->id, found.dlfo_link_map->l_name, strlen(found.dlfo_link_map->l_name));
	return _URC_NO_REASON;
}

static _Unwind_Reason_Code take_caller(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	uintptr_t at = _Unwind_GetIP(context), begins = _Unwind_GetRegionStart(context);
	struct dl_find_object found;

	if (at == 0 || _dl_find_object((void *)at, &found) != 0)
		return _URC_END_OF_STACK;
	if (strstr(found.dlfo_link_map->l_name, "/libseccomp.so") != NULL)
		walk->within = WITHIN_SECCOMP;
	for (size_t i = 0; i < sizeof(look_ups) / sizeof(*look_ups); i++)
		if (begins == look_ups[i])
			walk->within = WITHIN_LOOK_UP;
	return walk->within == WITHIN_NONE ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static void copy_name(char *ret, size_t size, const char *name)
{
	for (size_t i = 0; i < size - 1 && name[i] != '\0'; i++)
		ret[i] = name[i];
}

static const char *file_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static void note(const struct walk *walk, enum inject_kind kind, const char *name)
{
	for (size_t i = 0, slot = walk->id % SITES; i < SITES; i++, slot = (slot + 1) % SITES) {
		struct site *site = &board->sites[slot];
		uint64_t free_slot = 0;

		if (atomic_load(&site->id) == walk->id) {
			/* reached from elsewhere too: then it is anybody's */
			if (site->within != walk->within)
				site->within = WITHIN_NONE;
			return;
		}
		if (!atomic_compare_exchange_strong(&site->id, &free_slot, walk->id))
			continue;
		site->kind = kind;
		site->frame = walk->frame;
		site->within = walk->within;
		copy_name(site->name, sizeof(site->name), name);
		copy_name(site->library, sizeof(site->library),
			  file_of(walk->library == NULL ? "" : walk->library));
		return;
	}
}

/*
 * To walk a stack takes far longer than most of what is watched. While one site is waited for,
 * only calls are walked that may be it: libraries lie at whole pages, so the last digits of where a
 * call returns to are the same in each process.
 */
static bool may_be(uint32_t frame, const void *caller)
{
	return frame == 0 || (((uintptr_t)caller ^ frame) & 0xFFF) == 0;
}

bool inject_here(enum inject_kind kind, const char *name, const void *caller)
{
	struct walk walk = { .id = UINT64_C(0xcbf29ce484222325), .skip = 2, .left = INJECT_FRAMES };
	uint32_t frame;
	uint64_t id;
	bool fails;

	if (board == NULL || is_busy)
		return false;
	frame = atomic_load(&board->frame);
	if (!may_be(frame, caller))
		return false;
	is_busy = true;
	walk.id = mix(walk.id, name, strlen(name));
	(void)_Unwind_Backtrace(take_frame, &walk);
	if (frame == 0) {
		if (kind == INJECT_MALLOC)
			(void)_Unwind_Backtrace(take_caller, &walk);
		note(&walk, kind, name);
	}
	id = walk.id;
	fails = atomic_load(&board->armed) == id &&
		atomic_compare_exchange_strong(&board->armed, &id, 0);
	is_busy = false;
	return fails;
}

void *inject_real(const char *name)
{
	void *real;

	is_busy = true;
	real = dlsym(RTLD_NEXT, name);
	is_busy = false;
	if (real == NULL)
		abort();
	return real;
}

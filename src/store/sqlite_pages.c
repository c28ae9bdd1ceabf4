/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_pages.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "store/page_cache.h"

#define LOG_HEAD   32
#define FRAME_HEAD 24
#define FRAME_LEN  (FRAME_HEAD + PAGE_LEN)
#define VERSION	   3007000

/* The start of the shared index, in the byte order of the machine: walformat.html, 2.1 and 2.2. */
struct log_index {
	uint32_t version;
	uint32_t unused;
	uint32_t change; /* counts commits */
	uint8_t is_ready;
	uint8_t is_big_endian;
	uint16_t page_len;
	uint32_t frames; /* committed */
	uint32_t pages;
	uint32_t frame_checksum[2];
	uint32_t salts[2];
	uint32_t checksum[2];
	uint32_t copy[12];
	uint32_t moved; /* frames that the database has, by checkpoints that came to their end */
};

struct kept_pages {
	const volatile struct log_index *index;
	struct page_cache *cache;
	unsigned users;
	struct kept_pages *next;
};

static pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;
static struct kept_pages *all;

static struct kept_pages *new_pages(const volatile void *index)
{
	struct kept_pages *pages = calloc(1, sizeof(*pages));

	if (pages == NULL)
		return NULL;
	*pages = (struct kept_pages){ .index = index, .cache = page_cache_new(), .next = all };
	if (pages->cache == NULL) {
		free(pages);
		return NULL;
	}
	all = pages;
	return pages;
}

struct kept_pages *pages_join(const volatile void *index)
{
	struct kept_pages *pages;

	pthread_mutex_lock(&listing);
	pages = all;
	while (pages != NULL && pages->index != (const volatile struct log_index *)index)
		pages = pages->next;
	if (pages == NULL)
		pages = new_pages(index);
	if (pages != NULL)
		pages->users++;
	pthread_mutex_unlock(&listing);
	return pages;
}

static void free_pages(struct kept_pages *pages)
{
	struct kept_pages **at = &all;

	while (*at != pages)
		at = &(*at)->next;
	*at = pages->next;
	page_cache_free(&pages->cache);
	free(pages);
}

void pages_leave(struct kept_pages **leaving)
{
	struct kept_pages *pages = *leaving;

	*leaving = NULL;
	if (pages == NULL)
		return;
	pthread_mutex_lock(&listing);
	if (--pages->users == 0)
		free_pages(pages);
	pthread_mutex_unlock(&listing);
}

static int read_as_it_is(const struct page_read *read)
{
	return read->lower->pMethods->xRead(read->lower, read->bytes, read->len, read->offset);
}

static int read_page(const struct kept_pages *pages, const struct page_key *key,
		     const struct page_read *read)
{
	int code;

	if (page_cache_get(pages->cache, key, read->bytes))
		return SQLITE_OK;
	code = read_as_it_is(read);
	if (code == SQLITE_OK)
		page_cache_put(pages->cache, key, read->bytes);
	return code;
}

/* Of another form nothing is known. */
static bool is_known(const struct kept_pages *pages)
{
	return pages != NULL && pages->index->version == VERSION && pages->index->is_ready != 0;
}

static uint32_t moved(const struct kept_pages *pages)
{
	return __atomic_load_n(&pages->index->moved, __ATOMIC_ACQUIRE);
}

struct page_view pages_view(const struct kept_pages *pages)
{
	struct page_view view = { .is_in_log = is_known(pages) };

	if (view.is_in_log)
		view.moved = moved(pages);
	return view;
}

/* The count alone begins again where a log is recovered. */
bool pages_state(const struct kept_pages *pages, uint64_t *ret_state)
{
	uint32_t frames;

	if (!is_known(pages))
		return false;
	frames = __atomic_load_n(&pages->index->frames, __ATOMIC_ACQUIRE);
	*ret_state = (uint64_t)__atomic_load_n(&pages->index->change, __ATOMIC_ACQUIRE) << 32 |
		     frames;
	return true;
}

static bool can_keep(const struct kept_pages *pages, const struct page_view *view,
		     const struct page_read *read)
{
	return view->is_in_log && is_known(pages) && read->len == PAGE_LEN &&
	       pages->index->page_len == PAGE_LEN;
}

static uint64_t generation(const struct kept_pages *pages)
{
	return (uint64_t)pages->index->salts[0] << 32 | pages->index->salts[1];
}

int pages_read_database(const struct kept_pages *pages, const struct page_view *view,
			const struct page_read *read)
{
	struct page_key key = { .offset = read->offset };

	if (!can_keep(pages, view, read) || read->offset % PAGE_LEN != 0)
		return read_as_it_is(read);
	key.generation = generation(pages);
	key.moved = moved(pages);
	return key.moved < view->moved ? read_as_it_is(read) : read_page(pages, &key, read);
}

/* Behind the last commit a writer may write, take back and write anew. */
static bool is_committed_page(const struct kept_pages *pages, sqlite3_int64 offset)
{
	sqlite3_int64 before = (offset - LOG_HEAD) / FRAME_LEN;

	return offset == LOG_HEAD + before * FRAME_LEN + FRAME_HEAD &&
	       before < pages->index->frames;
}

int pages_read_log(const struct kept_pages *pages, const struct page_view *view,
		   const struct page_read *read)
{
	struct page_key key = { .offset = read->offset, .is_log = true };

	if (!can_keep(pages, view, read) || !is_committed_page(pages, read->offset))
		return read_as_it_is(read);
	key.generation = generation(pages);
	return read_page(pages, &key, read);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of pages of one database, shared by the threads that read it: at most 8 MiB, what was not
 * asked for longest goes first. It knows pages by their keys alone; that a key never means two
 * contents is its user's affair (sqlite_pages.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAGE_LEN 4096

struct page_cache;

struct page_key {
	uint64_t generation; /* of the log */
	int64_t offset;	     /* in its file */
	uint32_t moved;	     /* frames of the log that the database has; 0 for the log's own */
	bool is_log;
};

/* NULL when there is no memory. */
struct page_cache *page_cache_new(void);
void page_cache_free(struct page_cache **cache);
/* Fills ret_page with PAGE_LEN bytes, or answers false and leaves it as it is. */
bool page_cache_get(struct page_cache *cache, const struct page_key *key, void *ret_page);
void page_cache_put(struct page_cache *cache, const struct page_key *key, const void *page);

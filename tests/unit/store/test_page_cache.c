/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "store/page_cache.h"
#include "store/sqlite_pages.h"

static void the_cache_gives_what_was_put_under_the_whole_key_only(void **state)
{
	struct page_cache *cache = page_cache_new();
	const struct page_key key = { .generation = 5, .offset = 3 * PAGE_LEN, .moved = 7 };
	char in[PAGE_LEN] = "a page", out[PAGE_LEN] = "nothing", other[PAGE_LEN] = "another";
	struct page_key near = key;

	(void)state;
	page_cache_put(cache, &key, in);
	near.generation++;
	CHECK(!page_cache_get(cache, &near, out));
	near = key;
	near.offset += PAGE_LEN;
	CHECK(!page_cache_get(cache, &near, out));
	near = key;
	near.moved++;
	CHECK(!page_cache_get(cache, &near, out));
	near = key;
	near.is_log = true;
	CHECK(!page_cache_get(cache, &near, out));
	assert_string_equal(out, "nothing");
	CHECK(page_cache_get(cache, &key, out));
	assert_memory_equal(in, out, PAGE_LEN);
	page_cache_put(cache, &key, other);
	CHECK(page_cache_get(cache, &key, out));
	assert_string_equal(out, "another");
	page_cache_free(&cache);
	CHECK(cache == NULL);
}

/* As many again as there is room for, and the one that is asked for all the time stays. */
static void the_cache_lets_go_of_what_nobody_asks_for(void **state)
{
	struct page_cache *cache = page_cache_new();
	char page[PAGE_LEN] = "";
	struct page_key key = { .generation = 1 }, first = key;
	int kept = 0;

	(void)state;
	for (int i = 0; i < 4096; i++) {
		key.offset = (int64_t)i * PAGE_LEN;
		page_cache_put(cache, &key, page);
		CHECK(page_cache_get(cache, &first, page));
	}
	for (int i = 0; i < 4096; i++) {
		key.offset = (int64_t)i * PAGE_LEN;
		kept += page_cache_get(cache, &key, page);
	}
	CHECK(kept > 1024 && kept <= 2048);
	page_cache_free(&cache);
}

static int reads;

static int fill(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	(void)file;
	(void)offset;
	memset(bytes, ++reads, (size_t)len);
	return SQLITE_OK;
}

/* A process that died while it wrote the index leaves it to be made again from the log. */
static void a_log_that_was_recovered_gives_nothing_to_who_began_before(void **state)
{
	static const sqlite3_io_methods methods = { .iVersion = 1, .xRead = fill };
	sqlite3_file file = { &methods };
	uint32_t index[64] = { [0] = 3007000, [3] = 1 | (PAGE_LEN << 16), [4] = 9, [24] = 5 };
	struct kept_pages *pages = pages_join(index);
	unsigned char page[PAGE_LEN] = { 0 };
	const struct page_read read = { &file, page, PAGE_LEN, PAGE_LEN };
	struct page_view before = pages_view(pages), after;

	(void)state;
	reads = 0;
	for (int i = 0; i < 2; i++)
		CHECK(pages_read_database(pages, &before, &read) == SQLITE_OK && page[0] == 1);
	index[24] = 0;
	after = pages_view(pages);
	CHECK(pages_read_database(pages, &after, &read) == SQLITE_OK && page[0] == 2);
	CHECK(pages_read_database(pages, &before, &read) == SQLITE_OK && page[0] == 3);
	CHECK(pages_read_database(pages, &after, &read) == SQLITE_OK && page[0] == 2);
	pages_leave(&pages);
}

int main(void)
{
	return RUN(cmocka_unit_test(the_cache_gives_what_was_put_under_the_whole_key_only),
		   cmocka_unit_test(the_cache_lets_go_of_what_nobody_asks_for),
		   cmocka_unit_test(a_log_that_was_recovered_gives_nothing_to_who_began_before));
}

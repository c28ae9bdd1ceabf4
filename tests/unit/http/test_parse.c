/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "http/chunks.h"
#include "http/parse.h"
#include "rows.h"

/* How a request ended: its status (0: accepted) and how many bytes of body it had. */
struct verdict {
	unsigned status;
	size_t body;
};

static const struct verdict unfinished = { .status = 999 };

static struct verdict feed_chunks(struct str bytes, size_t step)
{
	struct chunks chunks = { 0 };
	struct verdict verdict = { 0 };

	for (size_t at = 0; at < bytes.len; at += step) {
		struct str data, rest = str_sub(bytes, at, step);
		enum chunk_step last;

		while ((last = chunks_next(&chunks, HTTP_BODY_MAX, &rest, &data)) == CHUNK_DATA)
			verdict.body += data.len;
		if (last == CHUNK_BAD)
			return (struct verdict){ .status = 400 };
		if (last == CHUNK_TOO_LARGE)
			return (struct verdict){ .status = 413 };
		if (last == CHUNK_DONE)
			return verdict;
	}
	return unfinished;
}

/* Feeds the bytes `step` at a time, from memory of exactly their size. */
static struct verdict feed(struct str bytes, size_t step)
{
	struct request *request = calloc(1, sizeof(*request));
	char *copy = malloc(bytes.len);
	struct verdict verdict = unfinished;
	struct head head = { 0 };
	enum head_state state = HEAD_MORE;

	assert_true(request != NULL && copy != NULL);
	memcpy(copy, bytes.at, bytes.len);
	for (size_t len = step; state == HEAD_MORE; len += step) {
		size_t sent = len < bytes.len ? len : bytes.len;

		state = head_feed(&head, request, copy, sent);
		if (sent == bytes.len)
			break;
	}
	if (state == HEAD_REFUSED)
		verdict = (struct verdict){ .status = head.status };
	else if (state == HEAD_DONE && head.is_chunked)
		verdict = feed_chunks((struct str){ copy + head.at, bytes.len - head.at }, step);
	else if (state == HEAD_DONE)
		verdict = (struct verdict){ .body = (size_t)head.length };
	free(copy);
	free(request);
	return verdict;
}

#define complain(...) (print_error(__VA_ARGS__), 1u)

static void every_row_ends_as_the_table_says(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = { 0 };
		struct str bytes = row_bytes(&arena, &rows[i]);
		struct verdict verdict = feed(bytes, bytes.len);

		if (verdict.status != rows[i].status)
			failures += complain("%s: %u instead of %u\n", rows[i].name, verdict.status,
					     rows[i].status);
		arena_free(&arena);
	}
	CHECK(failures == 0);
}

static void no_cut_changes_the_outcome(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 1000, 16384 };
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = { 0 };
		struct str bytes = row_bytes(&arena, &rows[i]);
		struct verdict whole = feed(bytes, bytes.len);

		for (size_t k = 0; k < COUNT_OF(steps); k++) {
			struct verdict cut = feed(bytes, steps[k]);

			if (cut.status != whole.status || cut.body != whole.body)
				failures += complain("%s in steps of %zu: %u instead of %u\n",
						     rows[i].name, steps[k], cut.status,
						     whole.status);
		}
		arena_free(&arena);
	}
	CHECK(failures == 0);
}

static void parse(struct request *request, struct head *head, struct str bytes)
{
	memset(request, 0, sizeof(*request));
	*head = (struct head){ 0 };
	assert_int_equal(head_feed(head, request, bytes.at, bytes.len), HEAD_DONE);
}

static void the_parts_of_a_head_are_slices_of_it(void **state)
{
	static struct request request;
	struct str bytes = STR("POST /a%20b?x=1&y=?2 HTTP/1.1\r\nHost: h:8\r\nA:  b c \t\r\n"
			       "Content-Length: 3\r\n\r\nxyz");
	struct head head;

	(void)state;
	parse(&request, &head, bytes);
	CHECK_STR(request.method, STR("POST"));
	CHECK_STR(request.target, STR("/a%20b?x=1&y=?2"));
	CHECK_STR(request.path, STR("/a%20b"));
	CHECK_STR(request.query, STR("x=1&y=?2"));
	CHECK(request.version_minor == 1);
	CHECK_STR(request_field(&request, STR("a")), STR("b c"));
	CHECK(head.length == 3 && head.has_length && !head.is_chunked);
	CHECK_STR(str_from(bytes, head.at), STR("xyz"));
}

static void an_absolute_target_has_its_path_and_query(void **state)
{
	static struct request request;
	struct head head;

	(void)state;
	parse(&request, &head, STR("GET HTTPS://H:1/p?q HTTP/1.1\r\nhost: h:1\r\n\r\n"));
	CHECK_STR(request.path, STR("/p"));
	CHECK_STR(request.query, STR("q"));
	parse(&request, &head, STR("OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"));
	CHECK_STR(request.path, STR("*"));
	CHECK(request.query.at == NULL);
}

static void a_name_with_underscore_is_dropped(void **state)
{
	static struct request request;
	struct head head;

	(void)state;
	parse(&request, &head,
	      STR("GET / HTTP/1.1\r\nHost: h\r\nX_Forwarded_User: root\r\nContent_Length: 9\r\n"
		  "X-Real: 1\r\n\r\n"));
	CHECK(request.field_count == 2);
	CHECK(request_field_count(&request, STR("X_Forwarded_User")) == 0);
	CHECK(!head.has_length);
}

static void a_connection_goes_on_as_version_and_options_say(void **state)
{
	static struct request request;
	struct head head;

	(void)state;
	parse(&request, &head, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK(head_keeps_alive(&head, &request));
	parse(&request, &head, STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"));
	CHECK(!head_keeps_alive(&head, &request));
	parse(&request, &head, STR("GET / HTTP/1.0\r\n\r\n"));
	CHECK(!head_keeps_alive(&head, &request));
	parse(&request, &head, STR("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
	CHECK(head_keeps_alive(&head, &request));
}

static void a_chunked_body_ends_where_the_next_request_begins(void **state)
{
	struct str data, rest = STR("3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\nGET /");
	struct chunks chunks = { 0 };

	(void)state;
	assert_int_equal(chunks_next(&chunks, 5, &rest, &data), CHUNK_DATA);
	CHECK_STR(data, STR("abc"));
	assert_int_equal(chunks_next(&chunks, 5, &rest, &data), CHUNK_DATA);
	CHECK_STR(data, STR("de"));
	assert_int_equal(chunks_next(&chunks, 5, &rest, &data), CHUNK_DONE);
	CHECK_STR(rest, STR("GET /"));
	assert_int_equal(chunks_next(&chunks, 5, &rest, &data), CHUNK_BAD);
}

static void only_100_continue_is_an_expectation(void **state)
{
	static struct request request;
	struct head head;

	(void)state;
	parse(&request, &head,
	      STR("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n"
		  "Content-Length: 1\r\n\r\n"));
	CHECK(head.wants_continue);
	parse(&request, &head, STR("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"));
	CHECK(!head.wants_continue);
}

int main(void)
{
	return RUN(cmocka_unit_test(every_row_ends_as_the_table_says),
		   cmocka_unit_test(no_cut_changes_the_outcome),
		   cmocka_unit_test(the_parts_of_a_head_are_slices_of_it),
		   cmocka_unit_test(an_absolute_target_has_its_path_and_query),
		   cmocka_unit_test(a_name_with_underscore_is_dropped),
		   cmocka_unit_test(a_connection_goes_on_as_version_and_options_say),
		   cmocka_unit_test(a_chunked_body_ends_where_the_next_request_begins),
		   cmocka_unit_test(only_100_continue_is_an_expectation));
}

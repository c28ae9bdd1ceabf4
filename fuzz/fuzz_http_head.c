/* SPDX-License-Identifier: Apache-2.0 */
/* A request head, whole and byte by byte: both must end alike. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

static enum head_state feed(struct head *head, struct request *request, const char *bytes,
			    size_t size, size_t step)
{
	enum head_state state = HEAD_MORE;

	for (size_t len = step; len < size && state == HEAD_MORE; len += step)
		state = head_feed(head, request, bytes, len);
	return state == HEAD_MORE ? head_feed(head, request, bytes, size) : state;
}

static void check_request(const struct request *request, const struct head *head)
{
	check(request->method.len > 0 && request->path.len > 0);
	check(request->field_count <= HTTP_FIELDS_MAX && head->at <= HTTP_HEAD_MAX);
	check(request->target.len <= HTTP_TARGET_MAX);
	check(!(head->has_length && head->is_chunked) && head->length <= HTTP_BODY_MAX);
	for (size_t i = 0; i < request->field_count; i++) {
		struct str value = request->fields[i].value;

		check(http_is_token(request->fields[i].name));
		check(!str_has(value, '\r') && !str_has(value, '\n') && !str_has(value, '\0'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request whole, cut;
	struct head whole_head = { 0 }, cut_head = { 0 };
	char *bytes = malloc(size + 1);
	enum head_state state;

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	state = feed(&whole_head, &whole, bytes, size, size + 1);
	check(feed(&cut_head, &cut, bytes, size, 1) == state);
	check(whole_head.status == cut_head.status);
	if (state == HEAD_DONE) {
		check(whole_head.at == cut_head.at && whole.field_count == cut.field_count);
		check_request(&whole, &whole_head);
	}
	if (state == HEAD_REFUSED)
		check(whole_head.status >= 400 && whole_head.why != NULL);
	free(bytes);
	return 0;
}

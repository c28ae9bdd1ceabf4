/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines "NAME: VALUE" of a request that came by 127.0.0.1, once trusted and once not. Who is not
 * trusted says nothing about the client; who is can only name an address.
 */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str trusted[] = { STR_INIT("10.0.0.1"), STR_INIT("127.0.0.1") };

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static struct request read_request(struct str lines)
{
	struct request request = { .peer = { .address = trusted[1] } };
	struct str line;

	while (request.field_count < HTTP_FIELDS_MAX && str_next(&lines, '\n', &line)) {
		size_t colon = str_find(line, ':');

		request.fields[request.field_count++] = (struct http_field){
			str_sub(line, 0, colon), str_trim(str_from(line, colon + 1))
		};
	}
	return request;
}

static bool is_address(struct str text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char c[INET6_ADDRSTRLEN] = { 0 };

	if (text.len >= sizeof(c))
		return false;
	memcpy(c, text.at, text.len);
	return inet_pton(AF_INET, c, bytes) == 1 || inet_pton(AF_INET6, c, bytes) == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str lines = { (const char *)data, size };
	struct request request = read_request(lines);
	size_t count = request.field_count;

	proxy_apply(&request, trusted, COUNT_OF(trusted));
	expect(is_address(request.peer.address) && request.field_count == count);
	request = read_request(lines);
	proxy_apply(&request, trusted, 1);
	expect(str_equals(request.peer.address, trusted[1]) && !request.peer.is_secure);
	expect(request_field_count(&request, STR("X-Forwarded-For")) == 0);
	expect(request_field_count(&request, STR("X-Forwarded-Proto")) == 0);
	expect(request_field_count(&request, STR("Forwarded")) == 0);
	expect(request_field_count(&request, STR("X-Real-IP")) == 0);
	request = read_request(lines);
	request.peer.is_unix = true;
	proxy_apply(&request, trusted, COUNT_OF(trusted));
	expect(str_equals(request.peer.address, trusted[1]) && !request.peer.is_secure);
	return 0;
}

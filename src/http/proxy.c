/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESS_MAX INET6_ADDRSTRLEN

static bool is_trusted(const struct peer *peer, const struct str *trusted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (peer->is_unix ? str_equals(trusted[i], STR("unix"))
				  : str_equals(trusted[i], peer->address))
			return true;
	}
	return false;
}

static bool speaks_for_client(struct str name)
{
	return str_equals_nocase(str_sub(name, 0, 12), STR("X-Forwarded-")) ||
	       str_equals_nocase(name, STR("Forwarded")) ||
	       str_equals_nocase(name, STR("X-Real-IP"));
}

static void strip(struct request *request)
{
	size_t kept = 0;

	for (size_t i = 0; i < request->field_count; i++)
		if (!speaks_for_client(request->fields[i].name))
			request->fields[kept++] = request->fields[i];
	request->field_count = kept;
}

static bool is_address(struct str text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char c[ADDRESS_MAX] = { 0 };

	if (text.len == 0 || text.len >= sizeof(c))
		return false;
	memcpy(c, text.at, text.len);
	return inet_pton(AF_INET, c, bytes) == 1 || inet_pton(AF_INET6, c, bytes) == 1;
}

/* The last element of the last such field; STR_NONE when it is not an address. */
static struct str last_hop(const struct request *request)
{
	struct str hop = STR_NONE, part, rest = STR_NONE;

	for (size_t i = 0; i < request->field_count; i++)
		if (str_equals_nocase(request->fields[i].name, STR("X-Forwarded-For")))
			rest = request->fields[i].value;
	while (str_next(&rest, ',', &part))
		hop = str_trim(part);
	return is_address(hop) ? hop : STR_NONE;
}

void proxy_apply(struct request *request, const struct str *trusted, size_t count)
{
	struct str hop, scheme;

	if (!is_trusted(&request->peer, trusted, count)) {
		strip(request);
		return;
	}
	hop = last_hop(request);
	scheme = request_field(request, STR("X-Forwarded-Proto"));
	if (hop.at != NULL)
		request->peer.address = hop;
	request->peer.is_secure = str_equals_nocase(scheme, STR("https"));
}

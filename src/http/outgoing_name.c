/* SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "base/task.h"
#include "http/address.h"
#include "http/outgoing_call.h"

/* seconds for one server of /etc/resolv.conf, and how often each is asked */
#define SERVER_WAITS 1
#define SERVER_TRIES 2

/*
 * The name as it stands, never with a search domain behind it; and not for long: who waits is told
 * after its time in any case, but the thread is here until the answer. (Of this thread alone.)
 */
static void narrow_resolver(void)
{
	if (res_init() != 0)
		return;
	_res.options &= ~(unsigned long)(RES_DEFNAMES | RES_DNSRCH);
	_res.retrans = SERVER_WAITS;
	_res.retry = SERVER_TRIES;
}

static enum err refuse(struct call *call, enum err err, struct str why)
{
	call->why = why;
	return err;
}

static bool may_reach(const struct call *call, const struct sockaddr *address)
{
	enum address_reach reach = address_reach_of(address);

	return reach == ADDRESS_PUBLIC || (reach == ADDRESS_LOOPBACK && call->allow_loopback);
}

/* One that is not public spoils the answer: whoever mixes them means no good. */
static enum err take_addresses(struct call *call, const struct addrinfo *found)
{
	for (; found != NULL; found = found->ai_next) {
		if (!may_reach(call, found->ai_addr))
			return refuse(call, ERR_REQUEST,
				      STR_JOIN(&call->arena, STR("its name leads to "),
					       address_text(&call->arena, found->ai_addr),
					       STR(", which is not on the public internet")));
		if (call->address_count == CALL_ADDRESSES)
			continue;
		memcpy(&call->addresses[call->address_count++], found->ai_addr, found->ai_addrlen);
	}
	return OK;
}

static enum err ask(struct call *call)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	enum err err;
	int code = getaddrinfo(str_to_c(&call->arena, call->host), NULL, &hints, &found);

	if (code != 0)
		return refuse(call, ERR_IO,
			      STR_JOIN(&call->arena, STR("its name cannot be looked up: "),
				       str_from_c(gai_strerror(code))));
	err = take_addresses(call, found);
	freeaddrinfo(found);
	return err;
}

void call_look_up(struct call *call)
{
	narrow_resolver();
	call->looked_up = ask(call);
}

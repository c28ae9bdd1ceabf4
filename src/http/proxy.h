/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the client is when a TLS terminator stands in front. Its X-Forwarded-For (the last hop, which
 * it wrote itself) and X-Forwarded-Proto are believed if its address is on the list ("unix" trusts
 * every unix socket); from anybody else such fields are taken out before a handler can see them.
 */
#pragma once

#include "http/message.h"

void proxy_apply(struct request *request, const struct str *trusted, size_t count);

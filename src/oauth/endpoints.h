/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the endpoints of this folder share: the door's state and the handlers that oauth.c puts in
 * its table.
 */
#pragma once

#include "http/form.h"
#include "oauth/oauth.h"

struct client;
struct single_use;
struct metadata_cache;

struct oauth {
	struct oauth_config config;
	struct door door;
	struct metadata_cache *metadata;
};

const struct oauth *oauth_of(const struct exchange *exchange);
const struct authority *oauth_authority(const struct exchange *exchange);
/*
 * The client of this request, authenticated as it says that it wants to be (credentials.h); notes
 * its id for the log, and Retry-After when throttled. *ret_spend: an assertion, to be spent with
 * the request's own write or alone. Errors as client_authenticate.
 */
MUST_CHECK enum err oauth_client(struct exchange *exchange, const struct form *form,
				 struct client *ret_client, struct single_use *ret_spend);

enum err oauth_metadata(struct exchange *exchange);
enum err oauth_jwks(struct exchange *exchange);
enum err oauth_resource_jwks(struct exchange *exchange);
enum err oauth_authorize(struct exchange *exchange);
enum err oauth_par(struct exchange *exchange);
enum err oauth_token(struct exchange *exchange);
enum err oauth_introspect(struct exchange *exchange);
enum err oauth_revoke(struct exchange *exchange);
enum err oauth_device(struct exchange *exchange);
enum err oauth_userinfo(struct exchange *exchange);
enum err oauth_register(struct exchange *exchange);
enum err oauth_registration_read(struct exchange *exchange);
enum err oauth_registration_change(struct exchange *exchange);
enum err oauth_registration_delete(struct exchange *exchange);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the dashboard tells of grants: an agent with one resource, its scopes, its events. For
 * src/web only.
 */
#pragma once

#include "model/event.h"
#include "model/family.h"
#include "model/grant.h"
#include "web/page.h"

#define AGENTS_SHOWN 200

struct db;

/* A grant of whoever is signed in. ERR_NOT_FOUND for an unknown one and for anybody else's. */
MUST_CHECK enum err agents_find(const struct page *page, struct db *db, struct str grant_id,
				struct grant *ret_grant);
/* "name", "client_id", "monogram", "resource_title", "status", "created", "last_used", "ends". */
MUST_CHECK enum err agents_describe(const struct page *page, struct db *db,
				    const struct grant *grant, struct data *object);
/* The title of a resource, or its URI when it is not offered any more. */
struct str agents_resource_title(const struct page *page, struct str uri);
/* Installations whose powers are told of. */
struct agents_installed {
	const struct family *families;
	size_t count;
};
/*
 * The permissions, with the words that were consented; of a scope of which each of these
 * installations has a part only, with those parts.
 */
MUST_CHECK enum err agents_add_scopes(const struct page *page, const struct grant *grant,
				      const struct agents_installed *installed,
				      struct data *object);
/* How a sub-agent's path (model/delegation.h) reads; "" for "". */
struct str agents_sub_agent_name(const struct page *page, struct str path);
/*
 * One row of activity: "at", "who", "text", "agent" and "resource_title" where there are some;
 * "is_done_to" when it was not the agent that acted.
 */
MUST_CHECK enum err agents_add_event(const struct page *page, struct db *db,
				     const struct event *event, struct data *list);
/* How often tokens were used on each of the last 14 days, as bars and as a table. */
MUST_CHECK enum err agents_add_chart(const struct page *page, struct db *db, struct str client_id);

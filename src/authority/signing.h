/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing keys over their life (DESIGN 6): published before the first use, so that whoever keeps a
 * copy of our keys knows it in time; kept until the last token it signed is dead; then its private
 * part is destroyed. Key ids are thumbprints of the public key, so that none is ever given twice,
 * and nothing has to remember those that were.
 */
#pragma once

#include "authority/account.h"
#include "authority/authority.h"

/*
 * A key that no longer signs stays so long: the longest life of a token, and as much as the clocks
 * of two machines may differ.
 */
#define SIGNING_OVERLAP_MS (20 * MINUTE_MS)

enum signing_state {
	SIGNING_PUBLISHED, /* known to all, and signs later */
	SIGNING_SIGNS,
	SIGNING_RETIRING, /* signs no more; what it signed counts */
	SIGNING_RETIRED,  /* what it signed is refused */
};

/* Of one of the records, which are all keys of the installation. */
enum signing_state signing_state_at(const struct key_record *records, size_t count,
				    const struct key_record *key, int64_t now);
struct str signing_state_name(enum signing_state state);

struct signing *signing_new(void);
void signing_free(struct signing **signing);
/*
 * Reads the keys that count and hands them to the key holder; what was checked with others is
 * forgotten. Readers of the keys at the same moment take turns, so that an older set never comes
 * last.
 */
MUST_CHECK enum err signing_load(struct task *task, const struct authority *authority);
/* The same, only when the keys have changed since: by another node, or by the jobs. */
MUST_CHECK enum err signing_follow(struct task *task, const struct authority *authority);

enum rotation_kind {
	SIGNING_NORMAL, /* the next key is published now and signs after signing_key_lead */
	/* it signs as soon as every node knows it, or the one that waits does */
	SIGNING_AT_ONCE,
	SIGNING_COMPROMISED, /* every key there was is dead now, and all that they signed */
	SIGNING_REPLACED,    /* the same, for another reason: a restore */
};

struct signing_wish {
	struct str purpose; /* STR_NONE: all */
	enum rotation_kind kind;
	struct actor actor;
};

/*
 * A new key for each purpose, in one transaction with an event each, and loaded. ERR_NOT_FOUND: no
 * keys of that purpose. ERR_CONFLICT: the last new key does not sign yet.
 */
MUST_CHECK enum err signing_rotate(struct task *task, const struct authority *authority,
				   const struct signing_wish *wish);
/* For the jobs: rotates what is old enough, destroys the private parts of dead keys. */
MUST_CHECK enum err signing_tend(struct task *task, const struct authority *authority);

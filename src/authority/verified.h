/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tokens say whose signatures were checked less than a second ago, by SHA-256: checking
 * and reading a token costs more than all else that is asked about it. Whether it stands is looked
 * at for every call. Shared; a mutex per shard, no I/O under it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "crypto/digest.h"

struct arena;
struct verified;

/* A token's claims as they are in it. What is absent is STR_NONE, or 0. */
struct token_claims {
	struct str jti;
	struct str client_id;
	struct str sub;
	struct str audience;
	struct str grant_id;
	struct str family_id;
	struct str acr;
	struct str scope;
	struct str jkt;	    /* cnf: good only with a proof of that key (RFC 9449 6.1) */
	struct str details; /* authorization_details as JSON; STR_NONE: none */
	struct str act;	    /* as model/delegation.h spells it; "": nobody acts through another */
	int64_t issued_at;  /* wall ms, as the other three */
	int64_t expires_at;
	int64_t not_before;
	int64_t auth_time;
};

struct verified *verified_new(void);
void verified_free(struct verified **verified);
/*
 * The claims of a token whose signature was checked less than a second ago, in the arena's memory.
 */
bool verified_find(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now,
		   struct arena *arena, struct token_claims *ret_claims);
/*
 * Copies the claims. Too long ones are not kept, nor those of an earlier round than now's: what was
 * checked against keys that have been replaced meanwhile.
 */
void verified_add(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now,
		  const struct token_claims *claims, uint64_t round);
/* To be asked before a signature is checked. */
uint64_t verified_round(struct verified *verified);
/* Begins the next round: nothing that was checked before is found again. */
void verified_forget(struct verified *verified);

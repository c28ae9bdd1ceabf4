/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators want counted and no row of the database says: how many, not who. The names are
 * these and no others, so nothing that a client sends can become one. Each thread counts in memory
 * of its own; grantd/metrics.c sums and words them.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct task;
struct tally;

enum tally_name {
	TALLY_TOKENS_FOR_CODE,
	TALLY_TOKENS_FOR_REFRESH,
	TALLY_TOKENS_FOR_CLIENT,
	TALLY_TOKENS_FOR_EXCHANGE,
	TALLY_TOKENS_FOR_DEVICE,
	TALLY_REUSED_REFRESH_TOKEN, /* possible theft: the family ended */
	TALLY_REUSED_LOST,	    /* probably a lost answer: the family ended */
	TALLY_REUSED_CODE,	    /* the family ended */
	TALLY_REUSED_CODE_LOST,	    /* probably a lost answer to a device: the family ended */
	TALLY_RESTORED,		    /* a token newer than its row: the grant is paused */
	TALLY_REVOKED_BY_AGENT,
	TALLY_REVOKED_BY_PERSON,
	TALLY_REVOKED_BY_OPERATOR,
	TALLY_SIGN_IN,
	TALLY_SIGN_IN_WRONG,
	TALLY_SIGN_IN_THROTTLED,
	TALLY_COUNT
};

/* For that many threads; task->thread is below it where tally_add is called. */
struct tally *tally_new(unsigned threads);
void tally_free(struct tally **tally);
/*
 * Counts one. Where the owner of the task is known: not in a closure of the store, which may run
 * twice. Does nothing for a task without a tally.
 */
void tally_add(const struct task *task, enum tally_name name);
/* Counts one refusal of an OAuth endpoint. */
void tally_refusal(const struct task *task, enum err err);
/* 0 for no tally. */
uint64_t tally_sum(const struct tally *tally, enum tally_name name);
uint64_t tally_refusals(const struct tally *tally, enum err err);

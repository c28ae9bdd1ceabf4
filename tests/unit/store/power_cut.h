/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk as a power cut would have left it at a recorded moment. What is certain: what was
 * written to a file before that file was last synced, and a name that was made or removed before
 * its directory was last synced. Everything since then may be there or not.
 */
#pragma once

#include <stdbool.h>

#include "recorder.h"

/* What becomes of what was not synced. */
enum cut {
	CUT_DROPPED,  /* none is there */
	CUT_KEPT,     /* all is, as after kill -9 */
	CUT_BEGUN,    /* the first writes are */
	CUT_SHUFFLED, /* any of them */
	CUT_TORN,     /* any sectors of any of them */
	CUT_GARBLED,  /* the same, and where a file grew and was not written is noise */
	CUTS
};

extern const char *const cut_names[CUTS];

/* Random numbers that are the same for the same seed on every machine. */
struct dice {
	uint64_t state;
};

uint64_t dice_below(struct dice *dice, uint64_t limit);

/* True if the last thing before this moment was a sync. */
bool cut_is_at_sync(size_t moment);
/* Makes the directory hold what is left after a cut at that moment. */
void cut_restore(size_t moment, enum cut cut, struct dice *dice, const char *directory);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names for requests, for the log and for error pages: unique, not secret. A loop draws 128 random
 * bits once and mixes a counter into them, so that naming a request costs no system call.
 */
#pragma once

#include <stdint.h>

#define REQUEST_ID_LEN 26

struct request_ids {
	uint64_t seed[2];
	uint64_t count;
};

/* Writes 26 characters of lower-case base32. */
void request_id_next(struct request_ids *ids, char id[REQUEST_ID_LEN]);

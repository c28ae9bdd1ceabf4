/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked transfer coding (RFC 9112 7.1), strictly, as a state machine over whatever pieces
 * come. Extensions and trailer fields are checked for form and dropped. It keeps no bytes of its
 * own.
 */
#pragma once

#include "base/str.h"

enum chunk_step {
	CHUNK_MORE,	 /* all bytes are taken, the body is not at its end */
	CHUNK_DATA,	 /* *ret_data is the next piece of the body */
	CHUNK_DONE,	 /* the body ended; *rest is what follows it */
	CHUNK_BAD,	 /* 400, and the connection ends */
	CHUNK_TOO_LARGE, /* 413 before the bytes came */
};

struct chunks {
	unsigned state;	   /* all zero is the start of a body */
	unsigned digits;   /* of the current size */
	uint64_t left;	   /* of the current chunk */
	uint64_t total;	   /* of the body so far, with the current chunk's announced size */
	unsigned overhead; /* bytes of extensions and trailer fields, bounded for the whole body */
};

/* Takes bytes off *rest; call again with the same rest while it answers CHUNK_DATA. */
enum chunk_step chunks_next(struct chunks *chunks, uint64_t max, struct str *rest,
			    struct str *ret_data);

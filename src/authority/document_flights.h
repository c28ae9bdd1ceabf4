/* SPDX-License-Identifier: Apache-2.0 */
/* Which documents are being read at the moment, and who waits for each. Private to documents. */
#pragma once

#include "authority/documents.h"

/* Before a client's id: what is read are its keys (key_sets.h). No URL begins so. */
#define KEY_FLIGHT "keys "

/*
 * OK: the caller reads it, and must end that. ERR_PARKED: somebody does already, and the task goes
 * on by then when that one ends. ERR_BUSY: too many wait.
 */
MUST_CHECK enum err document_flight_begin(struct task *task, struct documents *documents,
					  struct str url, then_fn *then, void *arg);
/*
 * All who wait go on with that result and reason; after ERR_THROTTLED, of the one who reads, with
 * OK: they find nothing and ask again.
 */
void document_flight_end(struct documents *documents, struct str url, enum err result,
			 struct str reason);
struct outgoing *documents_outgoing(const struct documents *documents);

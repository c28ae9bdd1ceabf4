/* SPDX-License-Identifier: Apache-2.0 */
/*
 * documents: what client metadata documents said when they were last read; the client that each
 * makes is a row of clients, of the kind DOCUMENT_KIND. Rows that no grant and no request needs any
 * more go after a while: the table is a bounded cache, but for what the operator pinned.
 */
#pragma once

#include "base/err.h"
#include "model/client.h"

struct task;
struct db;

struct document_row {
	struct str client_id; /* the URL */
	struct str host;      /* of the URL, with its port */
	struct str hash;      /* SHA-256 of the document's bytes */
	struct str identity;  /* SHA-256 of what people know it by: name and redirect URIs */
	struct str keys;      /* SHA-256 of its keys; STR_NONE: none */
	int64_t fetched_at;   /* when that began */
	int64_t fresh_until;
	int64_t pinned_at; /* by the operator: never fetched; 0: not pinned */
};

/* ERR_NOT_FOUND. */
MUST_CHECK enum err document_find(struct task *task, struct db *db, struct str client_id,
				  struct document_row *ret_row);
/*
 * Makes or replaces row and client (its status, not_before and what the operator set stay). A row
 * that is not pinned does not replace one that is, or that was fetched later: *ret_kept is false
 * then.
 * ERR_CONFLICT for the id of a client of another kind.
 */
MUST_CHECK enum err document_put(struct task *task, struct db *db, const struct document_row *row,
				 const struct client *client, bool *ret_kept);
/* From now on it is fetched again. ERR_NOT_FOUND: none, or not pinned. */
MUST_CHECK enum err document_unpin(struct task *task, struct db *db, struct str client_id);
/* Has any document of that host been read before? */
MUST_CHECK enum err document_knows_host(struct task *task, struct db *db, struct str host,
					bool *ret_knows);
/* Rows, with their clients, that were read before then and that nothing needs; at most limit. */
MUST_CHECK enum err document_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
				   int64_t *ret_deleted);

/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a new installation. Each function makes what is missing and leaves alone what is
 * there. */
#pragma once

#include "grantd/program.h"

/* Counts what was made, for the last sentence of init. */
struct init_progress {
	unsigned made;
};

/*
 * A PostgreSQL database that belongs to an installation already: then this is to be a further node,
 * and *program has its issuer. ERR_CONFIG, ERR_CRYPTO: the wrong root key or issuer, or no key.
 */
MUST_CHECK enum err init_look_at_database(struct task *task, struct program *program);
/* What was asked for makes sense: before anything is made or written down. ERR_CONFIG. */
MUST_CHECK enum err init_check_wish(struct task *task, struct program *program);
/* DIR (0700) and what is in it: tls, resources, providers with its README. *ret_dir is absolute. */
MUST_CHECK enum err init_folders(struct task *task, struct str dir, struct init_progress *progress,
				 struct str *ret_dir);
/* grantd.conf for that issuer and database. */
MUST_CHECK enum err init_config(struct task *task, const struct program *program,
				struct init_progress *progress);
/*
 * A private certificate, unless the configuration names files elsewhere. ERR_CONFIG when one of
 * certificate and key is there without the other.
 */
MUST_CHECK enum err init_certificate(struct task *task, const struct config *config,
				     struct init_progress *progress);

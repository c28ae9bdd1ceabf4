/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From where an installation came first and last, for its person: addresses, sealed under the
 * person's key. Beside the last one stands its alias (authority_alias), so that who comes from the
 * same place again costs no seal.
 */
#pragma once

#include "authority/authority.h"
#include "model/family.h"
#include "model/user.h"

/* Where a new family comes from first: its mark, and what is to be sealed as its sealed_first. */
MUST_CHECK enum err seen_first(struct task *task, const struct authority *authority,
			       struct str source, struct family *family,
			       struct seal_order *ret_order);
/*
 * What family_set_seen is to write for one that is there; ret_seen->mark absent when it comes from
 * where it came before.
 */
MUST_CHECK enum err seen_again(struct task *task, const struct authority *authority,
			       struct str source, const struct family *family,
			       struct family_seen *ret_seen);
/* Both addresses, "" for one that is not known. */
MUST_CHECK enum err seen_read(struct task *task, const struct authority *authority,
			      const struct user *user, const struct family_about *about,
			      struct str *ret_first, struct str *ret_last);

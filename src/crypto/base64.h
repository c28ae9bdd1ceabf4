/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url without padding (RFC 4648 5, RFC 7515 2) and plain base64 for Basic (RFC 7617); one
 * spelling only.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct task;

struct str base64url_encode(struct arena *arena, struct str bytes);
/* As base64url_encode, behind what buf holds. */
void base64url_add(struct buf *buf, struct str bytes);
/*
 * ERR_SYNTAX for padding, white space, other characters, or tail bits that are not zero. Task
 * memory.
 */
MUST_CHECK enum err base64url_decode(struct task *task, struct str text, struct str *ret_bytes);
struct str base64_encode(struct arena *arena, struct str bytes);
/* Standard alphabet, padding required where it belongs, canonical. ERR_SYNTAX otherwise. */
MUST_CHECK enum err base64_decode(struct task *task, struct str text, struct str *ret_bytes);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a JWT from outside (RFC 7519 4). Each is absent, sound, or ERR_TOKEN with its name:
 * nothing of another type or beyond its size is taken for absent.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct task;

/* 1 to max bytes in task memory; STR_NONE when absent. */
MUST_CHECK enum err claim_text(struct task *task, const json_t *claims, const char *name,
			       size_t max, struct str *ret_value);
/* A NumericDate, with a fraction or without, as wall ms; -1 when absent. */
MUST_CHECK enum err claim_time(struct task *task, const json_t *claims, const char *name,
			       int64_t *ret_ms);

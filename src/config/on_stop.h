/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member on_stop of a resource file: a command as a list of arguments, never a text for a
 * shell, or one https:// URL. Running it is grantd/stop_work's affair.
 */
#pragma once

#include "base/json.h"
#include "config/resource.h"

/* Fills in resource->on_stop; value may be NULL. ERR_CONFIG with what is allowed. */
MUST_CHECK enum err on_stop_parse(struct task *task, const json_t *value,
				  struct resource *resource);

/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP and the admin API's reload, which has no app in its hands. */
#pragma once

#include "base/err.h"

struct task;

/* context is the app. */
MUST_CHECK enum err reload_for_admin(struct task *task, void *context);

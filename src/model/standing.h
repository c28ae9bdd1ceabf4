/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a decision looks at, read together: the family, its grant with permissions, its user and
 * client.
 */
#pragma once

#include "model/client.h"
#include "model/family.h"
#include "model/grant.h"
#include "model/user.h"

struct standing {
	struct user user; /* without its data key, which no decision needs */
	struct client client;
	struct grant grant;
	struct family family; /* id absent when asked by grant */
};

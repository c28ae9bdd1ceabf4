/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for the store's tests: a person, an agent, a grant, a family, a code. */
#pragma once

#include "store/clients.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/requests.h"
#include "store/users.h"
#include "world.h"

extern const struct user alice, bob;
extern const struct client mail_agent;
extern const struct grant alice_grant; /* mail.read for a day, mail.send until revoked */
extern const struct family alice_family;
extern const struct auth_request alice_request;

/* Inserts alice, bob, the agent, the grant and the family. */
void nouns_insert(struct world *world);

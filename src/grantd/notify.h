/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3) as the one datagram it is: tells the supervisor what state we are in. */
#pragma once

#include "base/str.h"

/* Nothing happens without a socket, and a supervisor that does not listen stops nothing. */
void notify(struct str socket, struct str state);

/* SPDX-License-Identifier: Apache-2.0 */
/* One step of an exchange, for the loop and the lanes. Where it runs is their affair. */
#pragma once

#include "http/exchange.h"

/* OK: the reply stands, refused or not. ERR_PARKED: it was given away and must not be touched any
 * more. */
MUST_CHECK enum err exchange_step(struct exchange *exchange);
/* Lets the door word a refusal; the reply stands afterwards in any case. */
void exchange_refuse(struct exchange *exchange, enum err err);

/* SPDX-License-Identifier: Apache-2.0 */
/* How this door words refusals: the one table from error to page. */
#pragma once

#include "http/exchange.h"

void web_refuse(struct exchange *exchange, enum err err);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from elsewhere that a person reads on a terminal or decides by. Not printable: control
 * characters (C0, DEL, C1), which move a terminal's cursor or set its title, and characters that
 * nobody sees but that turn the order of writing, break a line or have no width, which make a name
 * look like another one. The joiners stay, for emoji and some scripts need them. What look-alike
 * letters do is not judged here.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* False also for what is not UTF-8. */
bool str_is_printable(struct str text);
/* A copy in which each such character, and each byte that is no UTF-8, is '?'. */
struct str str_printable(struct arena *arena, struct str text);

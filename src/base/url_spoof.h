/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are made to be taken for others (Unicode UTS 39, by ICU, which is loaded when first
 * used). Nothing is refused for its looks: people are told. Beside url, for the same is done to
 * names of hosts; characters that nobody sees are base/printable's.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct arena;

/*
 * True if letters of several scripts stand in one word that does not need them (Latin beside Han,
 * Kana or Hangul does). Without ICU: for any word that is not ASCII.
 */
bool name_mixes_scripts(struct str name);
/*
 * What a name looks like: equal for two names that are easily taken for one another, whatever their
 * letters, capitals, spaces and punctuation. To be compared, never shown.
 */
struct str name_skeleton(struct arena *arena, struct str name);

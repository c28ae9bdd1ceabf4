/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of DIR/ended.log: ENDED_HEADER, a mark, a blank, and since when the file is
 * complete. The mark is changed in place, which a full disk has room for.
 */
#pragma once

#define ENDED_HEADER "grantd-ended 1 "
#define ENDED_WHOLE  '+'
#define ENDED_UNKEPT "unkept" /* the verb of a line: the commit of those before it failed */
#define ENDED_LOST   '-' /* lines are missing behind what is there, and no "lost" says so yet */

/* SPDX-License-Identifier: Apache-2.0 */
/* The backup that is being made, or the last one. Private to admin. */
#pragma once

struct authority;
struct backup;

struct backup *backup_new(const struct authority *authority);
/* One that is being made is given up. */
void backup_free(struct backup **backup);

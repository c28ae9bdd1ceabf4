/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stylesheet, script and icons: read once, served from memory, named by their content so that
 * browsers keep them.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct arena;

#define ASSETS_MAX     16
#define ASSET_FILE_MAX (64 * 1024)

struct asset {
	struct str name;
	struct str text;
	struct str type;    /* Content-Type */
	struct str version; /* of the content: base64url characters */
	struct str etag;    /* strong, quoted */
};

struct assets {
	struct asset list[ASSETS_MAX];
	size_t count;
};

/* ERR_CONFIG: a file that is missing, too large, or of no type we serve. */
MUST_CHECK enum err assets_load(struct task *task, struct arena *arena, struct str dir,
				struct assets *ret_assets);
/* NULL when there is none of that name. */
const struct asset *assets_find(const struct assets *assets, struct str name);

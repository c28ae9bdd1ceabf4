/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts through an installation, as a tree on its agent's page. */
#pragma once

#include "model/family.h"
#include "web/page.h"

struct db;

/* Adds "sub_agents" to the installation's item where there are some, or all are stopped. */
MUST_CHECK enum err sub_agents_add(const struct page *page, struct db *db,
				   const struct family *family, struct data *item);

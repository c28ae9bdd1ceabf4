/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema/schema.h"

const struct schema_step schema_steps[] = {
	{ "people, clients, grants, families, events", schema_step_1 },
};

const size_t schema_step_count = sizeof(schema_steps) / sizeof(schema_steps[0]);

/* SPDX-License-Identifier: Apache-2.0 */
/* A key from outside, from JSON text to a public key with its thumbprint. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/task.h"
#include "crypto/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct task *task, struct str text)
{
	CLEANUP(json_unref) json_t *jwk = NULL;
	CLEANUP(public_key_free) struct public_key *key = NULL;

	if (json_parse(task, text, 16384, &jwk) != OK || jwk_parse(task, jwk, &key) != OK)
		return;
	if (public_key_thumbprint(&task->arena, key).len != 43 || json_object_get(jwk, "d") != NULL)
		abort();
	if (public_key_allows(key, ALG_ES256) && public_key_allows(key, ALG_RS256))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	parse(&task, (struct str){ (const char *)data, size });
	task_end(&task);
	return 0;
}

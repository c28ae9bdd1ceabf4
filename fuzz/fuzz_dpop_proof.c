/* SPDX-License-Identifier: Apache-2.0 */
/* A DPoP header from outside: what is accepted has all that the rules look at. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "crypto/dpop_proof.h"
#include "crypto/key_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_cache *cache = key_cache_new();
	struct clock clock = { 0 };
	struct dpop_proof proof;
	struct task task;

	task_begin(&task, &clock, NULL);
	if (dpop_proof_read(&task, cache, (struct str){ (const char *)data, size }, &proof) == OK &&
	    (proof.jkt.len != 43 || proof.jti.len == 0 || proof.jti.len > DPOP_JTI_MAX ||
	     proof.htm.len == 0 || proof.htu.len == 0 || proof.issued_at < 0))
		abort();
	task_end(&task);
	key_cache_free(&cache);
	return 0;
}

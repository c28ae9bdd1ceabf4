/* SPDX-License-Identifier: Apache-2.0 */
/* Both decoders: what they accept has exactly one spelling, the one that the encoder gives. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "crypto/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct clock clock = { 0 };
	struct task task;
	struct str bytes;

	task_begin(&task, &clock, NULL);
	if (base64url_decode(&task, text, &bytes) == OK &&
	    !str_equals(base64url_encode(&task.arena, bytes), text))
		abort();
	if (base64_decode(&task, text, &bytes) == OK &&
	    !str_equals(base64_encode(&task.arena, bytes), text))
		abort();
	task_end(&task);
	return 0;
}

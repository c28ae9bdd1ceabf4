/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client assertion from outside, and in the lines below it the client's key set, as it is given
 * to us and as we find it published: what is signed by one of the keys was parsed from the same
 * bytes, and what is taken of a published set could have been given to us as it is.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "crypto/assertion.h"
#include "crypto/jwk_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_taken(struct task *task, struct str keys)
{
	struct str taken = STR_NONE, again = STR_NONE;

	if (jwk_set_take(task, keys, &taken) != OK) {
		if (task->reason.len == 0)
			abort();
		return task_forgive(task);
	}
	if (taken.len > JWK_SET_MAX || jwk_set_check(task, taken, &again) != OK ||
	    !str_equals(taken, again))
		abort();
}

static void check(struct task *task, struct str text, struct str keys)
{
	CLEANUP(assertion_free) struct assertion assertion = { 0 };
	struct str set = STR_NONE;
	bool has_set = jwk_set_check(task, keys, &set) == OK;

	task_forgive(task);
	if (assertion_parse(task, text, &assertion) != OK)
		return;
	if (assertion.jws.signature.len == 0 || assertion.issued_at < -1 ||
	    assertion.expires_at < -1 || assertion.not_before < -1)
		abort();
	/* what was accepted at registration is never the reason of a failure of ours */
	if (has_set && jwk_set_verify(task, set, &assertion.jws) == ERR_SYNTAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text, rest = { (const char *)data, size };
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	(void)str_next(&rest, '\n', &text);
	check(&task, text, rest);
	check_taken(&task, rest);
	task_end(&task);
	return 0;
}

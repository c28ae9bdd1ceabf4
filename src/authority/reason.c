/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/reason.h"

#include "base/compiler.h"

const char *const reasons[] = {
	"expired",
	"idle",
	"revoked",
	"revoked_by_user",
	"revoked_by_operator",
	"revoked_by_client",
	"reused",
	"repeated_too_often",
	"proof_missing",
	"other_key",
	"code_reused",
	"scope",
	"resource",
	"paused",
	"user_disabled",
	"client_disabled",
};

const size_t reason_count = COUNT_OF(reasons);

bool reason_is_known(struct str text)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (str_equals(text, str_from_c(reasons[i])))
			return true;
	return false;
}

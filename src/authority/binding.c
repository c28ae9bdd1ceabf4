/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/binding.h"

enum err binding_choose(struct task *task, const struct token_wish *wish,
			const struct resource *resource, struct str *ret_jkt)
{
	bool must_bind = wish->client.dpop_bound_at != 0;

	if (must_bind && wish->jkt.at == NULL)
		return fail(task, ERR_DPOP, "this client gets no token without a DPoP proof");
	if (must_bind && !resource->takes_dpop)
		return fail(task, ERR_TARGET,
			    "the resource cannot check DPoP, which this client must use");
	*ret_jkt = resource->takes_dpop ? wish->jkt : STR_NONE;
	return OK;
}

bool binding_fits(const struct token_wish *wish, const struct family *family)
{
	if (family->key_thumbprint.at == NULL)
		return true;
	if (!client_is_public(&wish->client))
		return wish->jkt.at != NULL;
	return str_equals(family->key_thumbprint, wish->jkt);
}

bool binding_is_stolen(const struct token_wish *wish, const struct family *family,
		       int64_t generation, int64_t now)
{
	if (!str_equals(family->client_id, wish->client.id))
		return true;
	if (family->revoked_at != 0 || generation >= family->generation ||
	    binding_fits(wish, family))
		return false;
	return wish->jkt.at != NULL || rotation_is_reuse(rotation_judge(family, generation, now));
}

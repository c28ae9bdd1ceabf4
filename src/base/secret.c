/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void secret_set(struct secret *secret, const void *bytes, size_t len)
{
	uint8_t *at = malloc(len == 0 ? 1 : len);

	if (at == NULL)
		abort();
	if (len > 0)
		memcpy(at, bytes, len);
	secret_wipe(secret);
	secret->at = at;
	secret->len = len;
}

void secret_wipe(struct secret *secret)
{
	if (secret->at == NULL)
		return;
	explicit_bzero(secret->at, secret->len);
	free(secret->at);
	*secret = (struct secret){ 0 };
}

struct str secret_reveal(const struct secret *secret)
{
	return (struct str){ (const char *)secret->at, secret->len };
}

bool secret_equals(struct str a, struct str b)
{
	volatile unsigned char difference = 0;

	if (a.len != b.len || a.len == 0)
		return false;
	for (size_t i = 0; i < a.len; i++)
		difference |= (unsigned char)(a.at[i] ^ b.at[i]);
	return difference == 0;
}

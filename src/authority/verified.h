/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tokens' signatures were checked less than a second ago, by SHA-256. Only the signature:
 * whether the token stands is looked at for every call. Shared; a mutex per shard, no I/O under it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/digest.h"

struct verified;

struct verified *verified_new(void);
void verified_free(struct verified **verified);
bool verified_has(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now);
void verified_add(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now);

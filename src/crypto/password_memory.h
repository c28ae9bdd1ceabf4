/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for argon2id, kept from one run to the next: to map 19 MiB and give it back each time
 * holds up every thread of the process. It comes back cleared. Safe from all threads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As libargon2 calls them: 0, or not when there is no memory. All of one length. */
int password_memory_take(uint8_t **ret_memory, size_t len);
void password_memory_give(uint8_t *memory, size_t len);
/* Gives back what nobody has used for a minute. To be called now and then; now: monotonic. */
void password_memory_rest(int64_t now);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsodium must choose its implementations once before it is used by several threads. Private to
 * crypto.
 */
#pragma once

/* Cheap after the first call. A libsodium that cannot start ends the process. */
void sodium_ready(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's memory is base/memory.h's: without any the process ends. */
#pragma once

/* Before anything else of crypto or http/tls is used; later it changes nothing. */
void openssl_memory_start(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's memory is base/memory.h's: without any the process ends. */
#pragma once

/* Before anything else of crypto or http/tls is used; later it changes nothing. */
void openssl_memory_start(void);
/*
 * From here on what it gives back is wiped, which it does not do with all that it read a private
 * key from. For the process of keys, before its threads: elsewhere it would wipe ciphertext.
 */
void openssl_memory_wipe(void);

/*
 * OpenSSL without what it reads and lists when it is first used: its configuration file, which may
 * load code, the texts of errors, and algorithms by the names of old. Nothing of that is of use to
 * the process of the keys, and all of it takes four fifths of its start. Before the first use.
 */
void openssl_start_bare(void);

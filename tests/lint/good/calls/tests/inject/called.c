/* SPDX-License-Identifier: Apache-2.0 */
#include "inject.h"

SYSTEM(int, fstat64, (int fd, struct stat64 *ret), (fd, ret), EIO)
OPENSSL(long, SSL_CTX_ctrl, (SSL_CTX * context, int what, long number, void *at),
	(context, what, number, at), 0)

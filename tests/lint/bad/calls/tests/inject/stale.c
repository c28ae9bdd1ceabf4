/* SPDX-License-Identifier: Apache-2.0 */
/* lint: uncalled */
#include "inject.h"

OPENSSL(int, SSL_CTX_use_PrivateKey_file, (SSL_CTX * context, const char *file, int type),
	(context, file, type), 0)

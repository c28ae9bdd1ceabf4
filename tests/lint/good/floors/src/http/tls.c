/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls.h"

#include <openssl/ssl.h>
#include <sys/epoll.h>

#include "base/task.h"

/* time(NULL) and rand() may be spoken of */
static const char words[] = "getenv(\"HOME\") time(NULL)";

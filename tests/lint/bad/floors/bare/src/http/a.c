/* SPDX-License-Identifier: Apache-2.0 */
/* lint: include-folder */
#include "server.h"

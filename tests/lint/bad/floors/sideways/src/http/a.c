/* SPDX-License-Identifier: Apache-2.0 */
/* lint: include-floor */
#include "crypto/digest.h"

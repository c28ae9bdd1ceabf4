/* SPDX-License-Identifier: Apache-2.0 */
/* lint: include-floor */
#include "authority/decide.h"

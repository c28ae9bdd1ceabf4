/* SPDX-License-Identifier: Apache-2.0 */
/* lint: library-room */
#include <microhttpd.h>

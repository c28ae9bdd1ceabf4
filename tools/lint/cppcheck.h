/* SPDX-License-Identifier: Apache-2.0 */
/* Before each file that cppcheck reads: its parser stops at __VA_OPT__, and with it at the file. */
#pragma once

#include "base/log.h"

#undef log_at
#undef log_debug
#undef log_info
#undef log_warning
#undef log_error
#define log_at(...)	 ((void)0)
#define log_debug(...)	 ((void)0)
#define log_info(...)	 ((void)0)
#define log_warning(...) ((void)0)
#define log_error(...)	 ((void)0)

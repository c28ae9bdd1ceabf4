/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that measure from outside share: nothing of it is grantd's. */
#pragma once

#include <stdint.h>

#define NS_PER_SEC INT64_C(1000000000)

int64_t now_ns(void);
/* Ends the program with its name and the reason: nothing that went wrong is a figure. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Digits, up to the first character that is none; ends the program when there is no digit. */
int64_t number_of(const char *digits);
/* A number with a fraction: "0.5" seconds in nanoseconds. */
int64_t seconds_of(const char *text);
/* A TCP connection to 127.0.0.1; -1 when nobody listens. */
int connect_to(int port);
/* What this process has used of the processors, in seconds. */
double own_cpu(void);
/* Says "go" on stdout and waits for a line: whoever measures is ready. */
void wait_for_word(void);

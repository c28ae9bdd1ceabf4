/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the time of a comparison tells where two secrets differ: in the first byte, in the last
 * or nowhere. Each sample is of one of the three, drawn at random, so that what the machine does
 * meanwhile meets all alike. Prints the greatest difference of their medians in percent of the
 * least, for secret_equals and for memcmp, which is to be told apart: else nothing here is seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "crypto/digest.h"

#define SAMPLES 30000 /* of all three together */
#define LONG	4096
#define PLACES	3 /* where the other one differs: first, last, nowhere */

typedef bool compare_fn(const char *a, const char *b, size_t len);

/* What the compiler cannot look through, so that each call is made. */
static compare_fn *volatile compare;

static bool by_secret_equals(const char *a, const char *b, size_t len)
{
	return secret_equals((struct str){ a, len }, (struct str){ b, len });
}

static bool by_memcmp(const char *a, const char *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

static double now_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* ns of one comparison of the two. */
static double sample(const char *a, const char *b, size_t len, bool is_equal)
{
	unsigned calls = len == LONG ? 4 : 64, equal = 0;
	double begin = now_ns();

	for (unsigned i = 0; i < calls; i++)
		equal += compare(a, b, len);
	if (equal != (is_equal ? calls : 0)) {
		(void)fprintf(stderr, "secret_bench: the comparison is wrong\n");
		exit(1);
	}
	return (now_ns() - begin) / calls;
}

static void measure(const char *name, compare_fn *function, size_t len)
{
	static double times[PLACES][SAMPLES];
	static char secret[LONG], others[PLACES][LONG];
	size_t counts[PLACES] = { 0 };
	double medians[PLACES], sorted[PLACES];

	for (size_t i = 0; i < len; i++)
		secret[i] = (char)random();
	for (size_t place = 0; place < PLACES; place++)
		memcpy(others[place], secret, len);
	others[0][0] ^= 1;
	others[1][len - 1] ^= 1;
	compare = function;
	for (int i = 0; i < SAMPLES; i++) {
		size_t place = (size_t)random() % PLACES;

		times[place][counts[place]++] = sample(secret, others[place], len, place == 2);
	}
	for (size_t place = 0; place < PLACES; place++) {
		qsort(times[place], counts[place], sizeof(double), by_size);
		sorted[place] = medians[place] = times[place][counts[place] / 2];
	}
	qsort(sorted, PLACES, sizeof(double), by_size);
	(void)printf("%s, %zu bytes: first %.2f ns, last %.2f ns, equal %.2f ns: %.2f %%\n", name,
		     len, medians[0], medians[1], medians[2],
		     (sorted[PLACES - 1] - sorted[0]) / sorted[0] * 100);
}

int main(void)
{
	srandom((unsigned)time(NULL));
	measure("secret_equals", by_secret_equals, SHA256_LEN);
	measure("secret_equals", by_secret_equals, LONG);
	measure("memcmp", by_memcmp, SHA256_LEN);
	measure("memcmp", by_memcmp, LONG);
	return 0;
}

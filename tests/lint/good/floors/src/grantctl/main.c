/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"
#include "http/client.h"

int main(int argc, char **argv)
{
	return argc > 1 && argv[1] != NULL && getenv("HOME") != NULL;
}

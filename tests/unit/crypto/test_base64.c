/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base64.h"

#include "check.h"

/* RFC 4648 10 */
static const struct {
	struct str bytes, plain, url;
} vectors[] = {
	{ STR_INIT(""), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("f"), STR_INIT("Zg=="), STR_INIT("Zg") },
	{ STR_INIT("fo"), STR_INIT("Zm8="), STR_INIT("Zm8") },
	{ STR_INIT("foo"), STR_INIT("Zm9v"), STR_INIT("Zm9v") },
	{ STR_INIT("foob"), STR_INIT("Zm9vYg=="), STR_INIT("Zm9vYg") },
	{ STR_INIT("fooba"), STR_INIT("Zm9vYmE="), STR_INIT("Zm9vYmE") },
	{ STR_INIT("foobar"), STR_INIT("Zm9vYmFy"), STR_INIT("Zm9vYmFy") },
	{ STR_INIT("\xfb\xff\xfe"), STR_INIT("+//+"), STR_INIT("-__-") },
	{ STR_INIT("\0\0"), STR_INIT("AAA="), STR_INIT("AAA") },
};

static void the_vectors_of_rfc_4648_go_both_ways(void **state)
{
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct str bytes;

		CHECK_STR(base64_encode(&task->arena, vectors[i].bytes), vectors[i].plain);
		CHECK_STR(base64url_encode(&task->arena, vectors[i].bytes), vectors[i].url);
		CHECK_ERR(base64_decode(task, vectors[i].plain, &bytes), OK);
		CHECK_STR(bytes, vectors[i].bytes);
		CHECK_ERR(base64url_decode(task, vectors[i].url, &bytes), OK);
		CHECK_STR(bytes, vectors[i].bytes);
	}
}

static void all_lengths_and_bytes_come_back(void **state)
{
	struct task *task = *state;
	char bytes[2000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	for (size_t len = 0; len <= sizeof(bytes); len += len < 10 ? 1 : 97) {
		struct str given = { bytes, len }, text, added, back;
		struct buf buf = buf_in(&task->arena, 4000);

		text = base64url_encode(&task->arena, given);
		CHECK_ERR(base64url_decode(task, text, &back), OK);
		CHECK_STR(back, given);
		base64url_add(&buf, given);
		CHECK_ERR(buf_finish(&buf, &added), OK);
		CHECK_STR(added, text);
	}
}

static void base64url_refuses_every_other_spelling(void **state)
{
	static const struct str bad[] = {
		STR_INIT("Zg=="),    STR_INIT("Zm8="),	STR_INIT("Zh"),	    STR_INIT("Zm9"),
		STR_INIT("Z"),	     STR_INIT("Zm9vY"), STR_INIT("Zm 9v"),  STR_INIT("Zm9v\n"),
		STR_INIT(" Zm9v"),   STR_INIT("+//+"),	STR_INIT("Zm9v.."), STR_INIT("Zm9\0"),
		STR_INIT("Zm9\xc3"),
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct str bytes;

		CHECK_ERR(base64url_decode(*state, bad[i], &bytes), ERR_SYNTAX);
	}
}

static void base64_refuses_every_other_spelling(void **state)
{
	static const struct str bad[] = {
		STR_INIT("Zg"),	      STR_INIT("Zg="),	STR_INIT("Zm8"),      STR_INIT("Zh=="),
		STR_INIT("Zm9="),     STR_INIT("===="), STR_INIT("Z==="),     STR_INIT("=Zm9"),
		STR_INIT("Zg==Zg=="), STR_INIT("-__-"), STR_INIT("Zm9v\r\n"), STR_INIT("Zm9v===="),
		STR_INIT("="),
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct str bytes;

		CHECK_ERR(base64_decode(*state, bad[i], &bytes), ERR_SYNTAX);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(the_vectors_of_rfc_4648_go_both_ways),
		   CASE(all_lengths_and_bytes_come_back),
		   CASE(base64url_refuses_every_other_spelling),
		   CASE(base64_refuses_every_other_spelling));
}

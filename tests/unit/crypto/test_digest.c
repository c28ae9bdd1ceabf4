/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <string.h>

#include "check.h"

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The bytes that hex spells. */
static struct str unhex(struct arena *arena, const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return (struct str){ (const char *)bytes, len };
}

static struct str repeat(struct arena *arena, char c, size_t count)
{
	char *at = arena_alloc(arena, count + 1);

	memset(at, c, count);
	return (struct str){ at, count };
}

static struct str early(struct arena *arena, struct str data)
{
	uint8_t *digest = arena_alloc(arena, SHA256_LEN);

	sha256_early(data, digest);
	return (struct str){ (const char *)digest, SHA256_LEN };
}

static void sha256_gives_the_published_digests(void **state)
{
	static const struct {
		const char *data;
		const char *digest;
	} vectors[] = {
		/* FIPS 180-4 examples */
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct str data = str_from_c(vectors[i].data);

		CHECK_STR(sha256_str(&arena, data), unhex(&arena, vectors[i].digest));
		CHECK_STR(early(&arena, data), unhex(&arena, vectors[i].digest));
	}
	CHECK_STR(sha256_str(&arena, STR_NONE), unhex(&arena, vectors[0].digest));
	CHECK_STR(early(&arena, STR_NONE), unhex(&arena, vectors[0].digest));
	arena_free(&arena);
}

static void sha256_of_a_million_letters_is_the_published_one(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	CHECK_STR(
		sha256_str(&arena, repeat(&arena, 'a', 1000000)),
		unhex(&arena, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
	arena_free(&arena);
}

/* RFC 4231 4.2, 4.3, 4.4, 4.5, 4.7, 4.8; a length of 0 says that the text is given as it is. */
static const struct hmac_vector {
	uint8_t key_byte;
	size_t key_len;
	const char *key;
	uint8_t data_byte;
	size_t data_len;
	const char *data;
	const char *tag;
} hmac_vectors[] = {
	{ 0x0b, 20, NULL, 0, 0, "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ 0, 0, "Jefe", 0, 0, "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ 0xaa, 20, NULL, 0xdd, 50, NULL,
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ 0xaa, 131, NULL, 0, 0, "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ 0xaa, 131, NULL, 0, 0,
	  "This is a test using a larger than block-size key and a larger than block-size data. "
	  "The key needs to be hashed before being used by the HMAC algorithm.",
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
};

static void hmac_gives_the_tags_of_rfc_4231(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hmac_vectors); i++) {
		const struct hmac_vector *v = &hmac_vectors[i];
		uint8_t tag[SHA256_LEN];

		hmac_sha256(v->key_len > 0 ? repeat(&arena, (char)v->key_byte, v->key_len)
					   : str_from_c(v->key),
			    v->data_len > 0 ? repeat(&arena, (char)v->data_byte, v->data_len)
					    : str_from_c(v->data),
			    tag);
		CHECK_STR(((struct str){ (const char *)tag, sizeof(tag) }), unhex(&arena, v->tag));
	}
	arena_free(&arena);
}

static void hmac_depends_on_every_part_of_key_and_data(void **state)
{
	uint8_t a[SHA256_LEN], b[SHA256_LEN];

	(void)state;
	hmac_sha256(STR("key"), STR("data"), a);
	hmac_sha256(STR("kez"), STR("data"), b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	hmac_sha256(STR("key"), STR("datb"), b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	hmac_sha256(STR("keyd"), STR("ata"), b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
}

/* RFC 5869 A.1, A.2, A.3 */
static const struct hkdf_vector {
	const char *secret, *salt, *info, *key;
} hkdf_vectors[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
	  "f0f1f2f3f4f5f6f7f8f9",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
	  "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
	  "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
	  "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac78272"
	  "71cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f"
	  "1d87" },
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
};

static void hkdf_gives_the_keys_of_rfc_5869(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hkdf_vectors); i++) {
		const struct hkdf_vector *v = &hkdf_vectors[i];
		struct str expected = unhex(&arena, v->key);
		uint8_t *key = arena_alloc(&arena, expected.len);

		hkdf_sha256(unhex(&arena, v->secret), unhex(&arena, v->salt),
			    unhex(&arena, v->info), key, expected.len);
		CHECK_STR(((struct str){ (const char *)key, expected.len }), expected);
	}
	arena_free(&arena);
}

static void crc32_is_the_one_of_zlib(void **state)
{
	(void)state;
	CHECK(crc32_of(STR("123456789")) == 0xcbf43926);
	CHECK(crc32_of(STR("")) == 0);
	CHECK(crc32_of(STR("The quick brown fox jumps over the lazy dog")) == 0x414fa339);
	CHECK(crc32_of(STR("123456798")) != 0xcbf43926);
}

int main(void)
{
	return RUN(cmocka_unit_test(sha256_gives_the_published_digests),
		   cmocka_unit_test(sha256_of_a_million_letters_is_the_published_one),
		   cmocka_unit_test(hmac_gives_the_tags_of_rfc_4231),
		   cmocka_unit_test(hmac_depends_on_every_part_of_key_and_data),
		   cmocka_unit_test(hkdf_gives_the_keys_of_rfc_5869),
		   cmocka_unit_test(crc32_is_the_one_of_zlib));
}

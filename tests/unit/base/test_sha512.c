/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha512.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void hex(const void *data, size_t n, char ret[2 * SHA512_BYTES + 1])
{
	uint8_t sum[SHA512_BYTES];

	sha512(data, n, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

/* Values of the standard (FIPS 180-4 examples), and the names that the reference plugins' tests know. */
static void test_sha512_known(void **state)
{
	static const struct {
		const char *text, *want; /* want: the beginning */
	} rows[] = {
		{"", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
		     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
		{"abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
		 "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		 "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
		 "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
		{"test1234", "2bbe0c48b91a7d1b8a6753a8"},
		{"cbr0cid1", "4c7c118642e0d78610143dd0"},
		{"unit-test", "6fd94d501e58f0aa"},
		{"eth0:one", "287fc69eff0574a2"},
	};

	char got[2 * SHA512_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		hex(rows[i].text, strlen(rows[i].text), got);
		got[strlen(rows[i].want)] = '\0';
		assert_string_equal(got, rows[i].want);
	}
}

/* Lengths around which the padding takes one block more. */
static void test_sha512_lengths(void **state)
{
	static const struct {
		size_t n;
		const char *want;
	} rows[] = {
		{111, "fa9121c7b32b9e01733d034cfc78cbf67f926c7ed83e82200ef8681819692176"},
		{112, "c01d080efd492776a1c43bd23dd99d0a2e626d481e16782e75d54c2503b5dc32"},
		{127, "828613968b501dc00a97e08c73b118aa8876c26b8aac93df128502ab360f91ba"},
		{128, "b73d1929aa615934e61a871596b3f3b33359f42b8175602e89f7e06e5f658a24"},
		{1000, "67ba5535a46e3f86dbfbed8cbbaf0125c76ed549ff8b0b9e03e0c88cf90fa634"},
	};

	char text[1000], got[2 * SHA512_BYTES + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		hex(text, rows[i].n, got);
		got[64] = '\0';
		assert_string_equal(got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha512_known),
		cmocka_unit_test(test_sha512_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_nodes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MANY 3000

/* Ids that crowd around few homes, the last slot's among them, so that what is moved goes round the end. */
static uint64_t id_of(unsigned i)
{
	return (uint64_t)(i / 7) << 32 | (i % 3 ? 1 : 0xffffffff - i % 2) | 1ull << 60;
}

static void test_beside_a_plain_map(void **state)
{
	bool there[MANY] = {false};
	struct kube_nodes t = {0};
	uint64_t random = 7;
	size_t n = 0;

	(void)state;
	assert_null(kube_nodes_find(&t, 1));
	kube_nodes_remove(&t, 1);
	for (unsigned turn = 0; turn < 40000; turn++) {
		unsigned i, same = 0;
		uint64_t id;

		random = random * 6364136223846793005u + 1442695040888963407u;
		i = (unsigned)(random >> 33) % MANY;
		id = id_of(i);
		for (unsigned j = 0; j < i && !same; j++)
			same = id_of(j) == id; /* only the first of the same ids is used */
		if (same)
			continue;
		if (random >> 63) {
			kube_nodes_add(&t, id)->subnet.len = (uint8_t)(i % 33);
			n += !there[i];
			there[i] = true;
		} else {
			kube_nodes_remove(&t, id);
			n -= there[i];
			there[i] = false;
		}
		assert_int_equal(t.n, n);
	}
	for (unsigned i = 0; i < MANY; i++) {
		struct kube_known *k = kube_nodes_find(&t, id_of(i));

		if (there[i]) {
			assert_non_null(k);
			assert_int_equal(k->subnet.len, i % 33);
		}
	}
	assert_true(n > 100);
	kube_nodes_fini(&t);
}

static void test_sweep(void **state)
{
	struct kube_nodes t = {0};

	(void)state;
	for (uint64_t id = 1; id <= 1000; id++)
		kube_nodes_add(&t, id)->listed = id % 2 ? (uint32_t)id : 0;
	kube_nodes_sweep(&t);
	assert_int_equal(t.n, 500);
	assert_null(kube_nodes_find(&t, 2));
	assert_non_null(kube_nodes_find(&t, 999));
	assert_int_equal(kube_nodes_find(&t, 999)->listed, 0);
	kube_nodes_sweep(&t);
	assert_int_equal(t.n, 0);
	assert_null(kube_nodes_find(&t, 999));
	kube_nodes_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beside_a_plain_map),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

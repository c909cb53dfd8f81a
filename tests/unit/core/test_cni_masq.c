/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cni_masq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The key is the one that the reference plugins' own test knows. */
static void test_cni_masq_texts(void **state)
{
	struct cni_plan_owner o = {
		.network = "unit-test",
		.container_id = "one",
		.ifname = "eth0",
	};
	char key[CNI_MASQ_KEY_SIZE], comment[CNI_MASQ_COMMENT_SIZE], id[200] = "";

	(void)state;
	cni_masq_key(&o, key);
	assert_string_equal(key, "6fd94d501e58f0aa-287fc69eff0574a2");
	cni_masq_comment(&o, comment);
	assert_string_equal(comment, "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, "
				     "id: one");
	o.ifname = "a\"b";
	cni_masq_comment(&o, comment);
	assert_string_equal(strchr(comment, ','), ", net: unit-test, if: ab, id: one");
	memset(id, 'x', sizeof(id) - 1);
	o.container_id = id;
	o.ifname = "eth0";
	cni_masq_comment(&o, comment);
	assert_int_equal(strlen(comment), CNI_MASQ_COMMENT_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cni_masq_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

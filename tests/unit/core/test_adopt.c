/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adopt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_accepts_in_foreign_chains(void **state)
{
	static const struct {
		const char *what;
		struct fw_chain have;
		bool may_delete;
	} rows[] = {
		{"none of ours", {.owner = FW_OWNER_IPTABLES}, false},
		{"ours in iptables' chain", {.owner = FW_OWNER_IPTABLES, .n_ours = 2}, true},
		{"too many of ours", {.owner = FW_OWNER_IPTABLES, .ours_extra = true}, true},
		{"we may not write there",
		 {.owner = FW_OWNER_IPTABLES, .n_ours = 2, .table_owned = true},
		 false},
		{"put into a native chain by hand, as the status advised",
		 {.owner = FW_OWNER_NATIVE, .n_ours = 2},
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct object o = {.kind = OBJECT_FW_CHAIN, .fw_chain = &rows[i].have};

		for (int uninstall = 0; uninstall < 2; uninstall++) {
			struct adopt rule = {.uninstall = uninstall};

			if (adopt_may_delete(&rule, &o) != rows[i].may_delete)
				fail_msg("%s, uninstall %d", rows[i].what, uninstall);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts_in_foreign_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

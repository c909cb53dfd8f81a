/* SPDX-License-Identifier: Apache-2.0 */
#include "model/uplink.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_eq_sees_every_field(void **state)
{
	const struct uplink base = {.ifindex = 2, .name = "eth0", .mtu_bytes = 1500, .up = true};
	struct uplink other[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = base;
	assert_true(uplink_eq(&base, &other[0]));
	other[0].ifindex = 3;
	other[1].name[0] = 'x';
	other[2].mtu_bytes = 9000;
	other[3].up = false;
	other[4].ip = ip_from_v4(1);
	other[5].ip6.b[0] = 0xfd;
	other[6].public_ip = ip_from_v4(1);
	other[7].public_ip6.b[0] = 0xfd;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (uplink_eq(&base, &other[i]))
			fail_msg("difference %zu is not seen", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eq_sees_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

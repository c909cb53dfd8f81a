/* SPDX-License-Identifier: Apache-2.0 */
#include "model/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct link base = {
	.dev = DEV_VXLAN,
	.kind = LINK_VXLAN,
	.name = "flannel.1",
	.mac = {{2, 0, 0, 0, 0, 1}},
	.mtu_bytes = 1450,
	.up = true,
	.alias = "loden",
	.vxlan = {.vni = 1, .port = 8472, .lower = DEV_UPLINK},
};

static void assert_change(const struct link *want, const struct link *have, enum link_change change,
			  const char *why)
{
	char buf[200] = "";
	struct text t = TEXT(buf);

	assert_int_equal(link_compare(want, have, &t), change);
	assert_string_equal(buf, why);
	assert_int_equal(link_compare(want, have, NULL), change);
}

#define ASSERT_CHANGE(field, value, change, why) \
 do {                                            \
  struct link have_ = base;                      \
  have_.field = value;                           \
  assert_change(&base, &have_, change, why);     \
 } while (0)

static void test_each_field_has_its_class(void **state)
{
	(void)state;
	assert_change(&base, &base, LINK_SAME, "");
	ASSERT_CHANGE(mtu_bytes, 1500, LINK_SET, "mtu 1500 -> 1450");
	ASSERT_CHANGE(mac.b[5], 9, LINK_SET, "mac 02:00:00:00:00:09 -> 02:00:00:00:00:01");
	ASSERT_CHANGE(up, false, LINK_SET, "state down -> up");
	ASSERT_CHANGE(alias[0], 0, LINK_SET, "alias none -> loden");
	ASSERT_CHANGE(name[0], 'x', LINK_SET, "name xlannel.1 -> flannel.1");
	ASSERT_CHANGE(alias[1], '\n', LINK_SET, "alias l\\x0aden -> loden");
	ASSERT_CHANGE(vxlan.learning, true, LINK_SET, "learning on -> off");
	ASSERT_CHANGE(vxlan.vni, 2, LINK_RECREATE, "vni 2 -> 1");
	ASSERT_CHANGE(vxlan.port, 4789, LINK_RECREATE, "port 4789 -> 8472");
	ASSERT_CHANGE(vxlan.local, ip_from_v4(0x0a000001), LINK_RECREATE, "local 10.0.0.1 -> -");
	ASSERT_CHANGE(vxlan.lower, DEV_NONE, LINK_RECREATE, "lower none -> uplink");
	ASSERT_CHANGE(vxlan.gbp, true, LINK_RECREATE, "gbp on -> off");
	ASSERT_CHANGE(vxlan.l2miss, true, LINK_RECREATE, "l2miss on -> off");
	ASSERT_CHANGE(vxlan.l3miss, true, LINK_RECREATE, "l3miss on -> off");
	ASSERT_CHANGE(vxlan.proxy, true, LINK_RECREATE, "proxy on -> off");
	ASSERT_CHANGE(vxlan.rsc, true, LINK_RECREATE, "rsc on -> off");
	ASSERT_CHANGE(vxlan.external, true, LINK_RECREATE, "external on -> off");
	ASSERT_CHANGE(vxlan.group, true, LINK_RECREATE, "group on -> off");
	ASSERT_CHANGE(kind, LINK_OTHER, LINK_RECREATE, "kind other -> vxlan");
}

static void test_the_worst_class_wins_and_all_is_named(void **state)
{
	struct link have = base;

	(void)state;
	have.vxlan.vni = 7;
	have.mtu_bytes = 1500;
	assert_change(&base, &have, LINK_RECREATE, "vni 7 -> 1, mtu 1500 -> 1450");
}

static void test_what_is_not_asked_for_may_be_anything(void **state)
{
	struct link want = {.kind = LINK_BRIDGE, .up = true};
	struct link have = {.kind = LINK_BRIDGE, .up = true, .mtu_bytes = 1400, .mac = {{2}}};

	(void)state;
	have.vxlan.vni = 4; /* means nothing on a bridge */
	assert_change(&want, &have, LINK_SAME, "");
}

static void test_devmap(void **state)
{
	struct devmap m = {0};

	(void)state;
	m.dev[DEV_UPLINK].ifindex = 2;
	m.dev[DEV_VXLAN].ifindex = 5;
	text_copy(m.dev[DEV_VXLAN].name, sizeof(m.dev[DEV_VXLAN].name), "flannel.1");
	assert_int_equal(devmap_find(&m, 0), DEV_NONE); /* not the first absent link */
	assert_int_equal(devmap_find(&m, 2), DEV_UPLINK);
	assert_int_equal(devmap_find(&m, 5), DEV_VXLAN);
	assert_int_equal(devmap_find(&m, 6), DEV_NONE);
	assert_string_equal(devmap_name(&m, DEV_VXLAN), "flannel.1");
	assert_string_equal(devmap_name(&m, DEV_UPLINK), "uplink");
	assert_string_equal(devmap_name(NULL, DEV_BRIDGE), "bridge");
}

static void test_names(void **state)
{
	(void)state;
	for (enum dev i = 0; i < DEV__COUNT; i++)
		assert_non_null(dev_names[i]);
	for (enum link_kind i = 0; i < LINK__COUNT; i++)
		assert_non_null(link_kind_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_field_has_its_class),
		cmocka_unit_test(test_the_worst_class_wins_and_all_is_named),
		cmocka_unit_test(test_what_is_not_asked_for_may_be_anything),
		cmocka_unit_test(test_devmap),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

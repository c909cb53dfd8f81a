/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wire/nl_link.h"

static const struct devmap map = {.dev = {[DEV_UPLINK] = {2, "eth0"}}};

static struct link vxlan(void)
{
	struct link l = {
		.kind = LINK_VXLAN,
		.name = "flannel.1",
		.mac = {{2, 0, 0, 0, 0, 1}},
		.mtu_bytes = 1450,
		.up = true,
		.alias = "loden",
		.vxlan = {.vni = 1, .port = 8472, .lower = DEV_UPLINK, .gbp = true},
	};

	assert_true(ip_parse("192.168.0.1", &l.vxlan.local));
	return l;
}

static struct nl_msg message(const struct nl_buf *b)
{
	struct nl_bytes rest = {b->bytes, b->len};
	struct nl_msg m;

	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(rest.n, 0);
	return m;
}

/* The attributes of a link message, and its header. */
static struct nl_bytes attrs_of(const struct nl_buf *b, struct ifinfomsg *ret_head)
{
	struct nl_msg m = message(b);
	struct nl_bytes attrs;

	assert_true(nl_header(&m, ret_head, sizeof(*ret_head), &attrs));
	return attrs;
}

static bool has(struct nl_bytes attrs, uint16_t type)
{
	struct nl_attr a;

	return nl_attr_find(attrs, type, &a);
}

static void test_created_link_reads_back(void **state)
{
	static const char *const locals[] = {"192.168.0.1", "fd00::1"};
	uint8_t bytes[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(locals); i++) {
		struct link want = vxlan();
		struct nl_buf b = NL_BUF(bytes);
		struct nl_msg m;
		struct nl_link l;

		assert_true(ip_parse(locals[i], &want.vxlan.local));
		assert_int_equal(nl_link_create(&b, &want, &map, 7), 0);
		m = message(&b);
		assert_int_equal(m.flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
		assert_int_equal(nl_link_decode(&m, &map, &l), 0);
		assert_false(l.link.up);
		assert_string_equal(l.link.alias, "");
		l.link.up = true;
		strcpy(l.link.alias, "loden");
		assert_int_equal(link_compare(&want, &l.link, NULL), LINK_SAME);
	}
}

static void test_lower_link_must_exist(void **state)
{
	struct link l = vxlan();
	struct devmap none = {0};
	uint8_t bytes[512];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	assert_int_equal(nl_link_create(&b, &l, &none, 7), -ENODEV);
	l.vxlan.lower = DEV_NONE;
	assert_int_equal(nl_link_create(&b, &l, &none, 7), 0);
	b.size_bytes = 100;
	b.len = 0;
	assert_int_equal(nl_link_create(&b, &l, &none, 7), -ENOBUFS);
}

static void test_only_differences_are_written(void **state)
{
	static const struct {
		uint16_t type; /* the only attribute */
		uint32_t mtu;
		uint8_t mac;
		const char *alias;
		bool learning, down;
		const char *name;
	} cases[] = {
		{IFLA_MTU, 1400, 1, "loden", false, false, NULL},
		{IFLA_ADDRESS, 1450, 9, "loden", false, false, NULL},
		{IFLA_IFALIAS, 1450, 1, "", false, false, NULL},
		{IFLA_LINKINFO, 1450, 1, "loden", true, false, NULL},
		{0, 1450, 1, "loden", false, true, NULL},
		{IFLA_IFNAME, 1450, 1, "loden", false, false, "flannel.2"},
	};

	static const uint16_t types[] = {IFLA_MTU, IFLA_ADDRESS, IFLA_IFALIAS, IFLA_LINKINFO,
					 IFLA_IFNAME};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link old = vxlan(), l = old;
		struct ifinfomsg head;
		struct nl_bytes attrs;
		uint8_t bytes[512];
		struct nl_buf b = NL_BUF(bytes);

		l.mtu_bytes = cases[i].mtu;
		l.mac.b[5] = cases[i].mac;
		strcpy(l.alias, cases[i].alias);
		l.vxlan.learning = cases[i].learning;
		l.up = !cases[i].down;
		if (cases[i].name)
			strcpy(l.name, cases[i].name);
		assert_int_equal(nl_link_set(&b, &l, &old, 5, 1), 0);
		attrs = attrs_of(&b, &head);
		assert_int_equal(head.ifi_index, 5);
		for (size_t t = 0; t < ARRAY_SIZE(types); t++)
			assert_int_equal(has(attrs, types[t]), types[t] == cases[i].type);
		assert_int_equal(head.ifi_change, cases[i].down ? IFF_UP : 0);
		assert_int_equal(head.ifi_flags, 0);
	}
}

/* What a new link still needs: alias and up; a bridge its MTU too, or its ports would choose it. */
static void test_created_link_is_finished_by_set(void **state)
{
	uint8_t bytes[512];

	(void)state;
	for (enum link_kind kind = LINK_VXLAN; kind <= LINK_BRIDGE; kind++) {
		struct nl_buf b = NL_BUF(bytes);
		struct link l = vxlan();
		struct ifinfomsg head;
		struct nl_bytes attrs;

		l.kind = kind;
		assert_int_equal(nl_link_create(&b, &l, &map, 1), 0);
		assert_int_equal(has(attrs_of(&b, &head), IFLA_MTU), kind == LINK_VXLAN);
		b.len = 0;
		assert_int_equal(nl_link_set(&b, &l, NULL, 5, 1), 0);
		attrs = attrs_of(&b, &head);
		assert_int_equal(head.ifi_flags, IFF_UP);
		assert_true(has(attrs, IFLA_IFALIAS));
		assert_int_equal(has(attrs, IFLA_MTU), kind == LINK_BRIDGE);
		assert_false(has(attrs, IFLA_ADDRESS));
	}
}

static void test_kinds_are_told_apart(void **state)
{
	static const struct {
		const char *kind;
		enum link_kind want;
	} cases[] = {
		{"vxlan", LINK_VXLAN}, {"bridge", LINK_BRIDGE},
		{"veth", LINK_OTHER},  {"a-kind-longer-than-any-of-ours", LINK_OTHER},
		{NULL, LINK_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ifinfomsg head = {.ifi_index = 3, .ifi_flags = IFF_RUNNING};
		uint8_t bytes[256];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_link l;
		struct nl_msg m;

		nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
		nl_put_str(&b, IFLA_IFNAME, "x");
		if (cases[i].kind) {
			size_t info = nl_nest(&b, IFLA_LINKINFO);

			nl_put_str(&b, IFLA_INFO_KIND, cases[i].kind);
			nl_nest_end(&b, info);
		}
		assert_true(nl_end(&b));
		m = message(&b);
		assert_int_equal(nl_link_decode(&m, &map, &l), 0);
		assert_int_equal(l.link.kind, cases[i].want);
		assert_int_equal(l.ifindex, 3);
		assert_true(l.running && !l.link.up && !l.port);
	}
}

static void test_bridge_ports_are_no_links(void **state)
{
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = 3};
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_link l;
	struct nl_msg m;

	(void)state;
	nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
	nl_put_str(&b, IFLA_IFNAME, "cni0");
	assert_true(nl_end(&b));
	m = message(&b);
	assert_int_equal(nl_link_decode(&m, &map, &l), 0);
	assert_true(l.port);
	assert_string_equal(l.link.name, "");
	m.body.n = 15;
	assert_int_equal(nl_link_decode(&m, &map, &l), -EBADMSG);
}

/* A link message with raw attributes behind it. */
static int decode_with(const uint8_t *attrs, size_t n, struct nl_link *ret)
{
	struct ifinfomsg head = {.ifi_index = 3};
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	nl_begin(&b, RTM_NEWLINK, 0, 0, &head, sizeof(head));
	memcpy(b.bytes + b.len, attrs, n);
	b.len += n;
	assert_true(nl_end(&b));
	m = message(&b);
	return nl_link_decode(&m, &map, ret);
}

/* Wherever the lengths lie: among the link's attributes, its kind's, a VXLAN's. */
static void test_lengths_that_lie(void **state)
{
	static const uint8_t link[] = {4, 0, 99, 0, 200, 0, IFLA_MTU, 0};
	static const uint8_t info[] = {12, 0, IFLA_LINKINFO,  0, 4, 0, 99, 0,
				       9,  0, IFLA_INFO_KIND, 0};
	static const uint8_t vxlan[] = {
		28, 0, IFLA_LINKINFO,  0, /* of 28 bytes */
		10, 0, IFLA_INFO_KIND, 0, 'v', 'x', 'l', 'a', 'n', 0, 0,
		0, /* and padding */
		12, 0, IFLA_INFO_DATA, 0, 4,   0,   99,	 0,   7,   0, IFLA_VXLAN_ID,
		0,
	};
	struct nl_link l = {.ifindex = 77};

	(void)state;
	assert_int_equal(decode_with(link, sizeof(link), &l), -EBADMSG);
	assert_int_equal(decode_with(info, sizeof(info), &l), -EBADMSG);
	assert_int_equal(decode_with(vxlan, sizeof(vxlan), &l), -EBADMSG);
	assert_int_equal(l.ifindex, 77); /* untouched */
	assert_int_equal(decode_with(vxlan, 4, &l), -EBADMSG);
}

/* One without an address: the kernel chooses, and the link sends from any. */
static void test_vxlan_without_a_choice(void **state)
{
	struct link l = {
		.kind = LINK_VXLAN, .name = "flannel.1", .vxlan = {.vni = 1, .port = 8472}};
	struct ifinfomsg head;
	struct nl_bytes attrs;
	uint8_t bytes[512];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_link back;
	struct nl_attr info;
	struct nl_msg m;

	(void)state;
	assert_int_equal(nl_link_create(&b, &l, &map, 1), 0);
	attrs = attrs_of(&b, &head);
	assert_false(has(attrs, IFLA_ADDRESS) || has(attrs, IFLA_MTU));
	assert_true(nl_attr_find(attrs, IFLA_LINKINFO, &info));
	assert_true(nl_attr_find(info.value, IFLA_INFO_DATA, &info));
	assert_false(has(info.value, IFLA_VXLAN_LINK) || has(info.value, IFLA_VXLAN_LOCAL) ||
		     has(info.value, IFLA_VXLAN_LOCAL6) || has(info.value, IFLA_VXLAN_GBP));
	m = message(&b);
	assert_int_equal(nl_link_decode(&m, &map, &back), 0);
	assert_int_equal(back.link.vxlan.port, 8472);
	/* Nor is a MAC or an MTU written that nobody wants. */
	b.len = 0;
	back.link.mtu_bytes = 1450;
	back.link.mac.b[0] = 2;
	assert_int_equal(nl_link_set(&b, &l, &back.link, 5, 1), 0);
	assert_int_equal(attrs_of(&b, &head).n, 0);
}

static void test_link_goes(void **state)
{
	struct ifinfomsg head;
	uint8_t bytes[64];
	struct nl_buf b = NL_BUF(bytes);

	(void)state;
	assert_int_equal(nl_link_del(&b, 5, 9), 0);
	assert_int_equal(attrs_of(&b, &head).n, 0);
	assert_int_equal(message(&b).type, RTM_DELLINK);
	assert_int_equal(message(&b).seq, 9);
	assert_int_equal(head.ifi_index, 5);
	b = (struct nl_buf){.bytes = bytes, .size_bytes = 31};
	assert_int_equal(nl_link_del(&b, 5, 9), -ENOBUFS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_created_link_reads_back),
		cmocka_unit_test(test_lower_link_must_exist),
		cmocka_unit_test(test_only_differences_are_written),
		cmocka_unit_test(test_created_link_is_finished_by_set),
		cmocka_unit_test(test_kinds_are_told_apart),
		cmocka_unit_test(test_bridge_ports_are_no_links),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_vxlan_without_a_choice),
		cmocka_unit_test(test_link_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "core/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/adopt.h"

static const struct devmap devs = {
	.dev = {[DEV_UPLINK] = {2, "eth0"}, [DEV_VXLAN] = {3, "vx"}, [DEV_BRIDGE] = {4, "br"}}};
static const struct adopt rule;

#define V4(a, b, c, d)                   \
 {                                       \
  {                                      \
   [10] = 0xff, 0xff, (a), (b), (c), (d) \
  }                                      \
 }

static const struct link link_want = {.dev = DEV_VXLAN,
				      .kind = LINK_VXLAN,
				      .name = "vx",
				      .up = true,
				      .vxlan = {.vni = 1, .port = 8472, .lower = DEV_UPLINK}};
static const struct route route_a = {.dst = {V4(10, 1, 0, 0), 24},
				     .proto = ROUTE_PROTO_LODEN,
				     .dev = DEV_VXLAN,
				     .via = V4(10, 1, 0, 0),
				     .onlink = true};
static const struct route route_b = {.dst = {V4(10, 2, 0, 0), 24},
				     .proto = ROUTE_PROTO_LODEN,
				     .dev = DEV_VXLAN,
				     .via = V4(10, 2, 0, 0),
				     .onlink = true};
static const struct neigh neigh = {
	.dev = DEV_VXLAN, .ip = V4(10, 1, 0, 0), .mac = {{2, 0, 0, 0, 0, 1}}, .permanent = true};
static const struct sysctl sysctl = {.path = "net/ipv4/ip_forward", .value = "1"};
static const struct fw_chain chain = {.family = FW_IP, .table = "filter", .chain = "FORWARD"};
static const struct envfile envfile = {.text = "A=1\n"};

static struct netstate some_want(void)
{
	static struct route routes[2];
	struct netstate s = {0};

	routes[0] = route_a;
	routes[1] = route_b;
#define ONE(kind, value)               \
 do {                                  \
  s.of[kind].items = (void *)&(value); \
  s.of[kind].n = 1;                    \
 } while (0)
	ONE(OBJECT_LINK, link_want);
	ONE(OBJECT_NEIGH, neigh);
	ONE(OBJECT_SYSCTL, sysctl);
	ONE(OBJECT_FW_CHAIN, chain);
	ONE(OBJECT_ENVFILE, envfile);
#undef ONE
	s.of[OBJECT_ROUTE].items = routes;
	s.of[OBJECT_ROUTE].n = 2;
	return s;
}

/* The plan as text, taken in slices of `room`. */
static void assert_plan(const struct object *have, size_t n, unsigned kinds,
			const struct adopt *sweep, size_t room, const char *lines)
{
	struct netstate want = some_want();
	struct op ops[16];
	char buf[4000] = "";
	struct text t = TEXT(buf);
	struct arena a;
	struct diff d;
	size_t n_ops;

	arena_init(&a, 0);
	diff_begin(&d, &want, kinds, sweep, &a);
	for (size_t i = 0; i < n; i++)
		diff_feed(&d, &have[i]);
	for (int round = 0; round < 2; round++) {
		t = TEXT(buf);
		buf[0] = '\0';
		do {
			n_ops = diff_next(&d, ops, room);
			for (size_t i = 0; i < n_ops; i++) {
				op_format(&ops[i], &devs, &t);
				text_add(&t, "\n");
			}
		} while (n_ops == room);
		assert_string_equal(buf, lines);
		diff_rewind(&d);
	}
	arena_fini(&a);
}

#define LINK(l)                     \
 {                                  \
  .kind = OBJECT_LINK, .link = &(l) \
 }
#define ROUTE(r)                      \
 {                                    \
  .kind = OBJECT_ROUTE, .route = &(r) \
 }
#define NEIGH(x)                      \
 {                                    \
  .kind = OBJECT_NEIGH, .neigh = &(x) \
 }
#define SYSCTL(s)                       \
 {                                      \
  .kind = OBJECT_SYSCTL, .sysctl = &(s) \
 }
#define CHAIN(c)                            \
 {                                          \
  .kind = OBJECT_FW_CHAIN, .fw_chain = &(c) \
 }
#define ENVFILE(e)                        \
 {                                        \
  .kind = OBJECT_ENVFILE, .envfile = &(e) \
 }
#define ALL_RIGHT   LINK(link_want), ROUTE(route_a), ROUTE(route_b), NEIGH(neigh), ENVFILE(envfile)
#define ROUTES_ONLY OBJECT_BIT(OBJECT_ROUTE)

static void test_nothing_there(void **state)
{
	(void)state;
	for (size_t room = 1; room < 10; room++)
		assert_plan(NULL, 0, OBJECT_ALL, &rule, room,
			    "link.add vx vxlan vni 1 port 8472 lower eth0 up\n"
			    "neigh.add 10.1.0.0 dev vx mac 02:00:00:00:00:01\n"
			    "route.add 10.1.0.0/24 via 10.1.0.0 dev vx onlink\n"
			    "route.add 10.2.0.0/24 via 10.2.0.0 dev vx onlink\n"
			    "envfile.add subnet.env A=1\n");
}

static void test_all_right_and_what_is_not_ours_to_judge(void **state)
{
	const struct sysctl unreadable = {.path = "net/ipv4/ip_forward"};
	const struct fw_chain harmless = chain;
	const struct object have[] = {ALL_RIGHT, SYSCTL(unreadable), CHAIN(harmless)};

	(void)state;
	assert_plan(have, ARRAY_SIZE(have), OBJECT_ALL, &rule, 4, "");
	assert_plan(NULL, 0, 0, &rule, 4, "");
}

static void test_changed(void **state)
{
	struct route a = route_a;
	struct sysctl s = {.path = "net/ipv4/ip_forward", .value = "0"};
	struct envfile e = {.text = "B=2\n"};
	const struct object have[] = {LINK(link_want), ROUTE(a),  ROUTE(route_b),
				      NEIGH(neigh),    SYSCTL(s), ENVFILE(e)};

	(void)state;
	a.proto = 3;
	assert_plan(
		have, ARRAY_SIZE(have), OBJECT_ALL, NULL, 4,
		"sysctl.set net/ipv4/ip_forward = 1 (was = 0)\n"
		"route.set 10.1.0.0/24 via 10.1.0.0 dev vx onlink (was via 10.1.0.0 dev vx onlink "
		"proto 3)\n"
		"envfile.set subnet.env A=1 (was B=2)\n");
	assert_plan(have, ARRAY_SIZE(have), OBJECT_BIT(OBJECT_SYSCTL), NULL, 4,
		    "sysctl.set net/ipv4/ip_forward = 1 (was = 0)\n");
}

static void test_too_much_goes_only_with_a_sweep(void **state)
{
	struct route stale = route_a;
	struct neigh old = neigh;
	const struct object have[] = {ALL_RIGHT, NEIGH(old), ROUTE(stale)};

	(void)state;
	stale.dst.ip.b[15] = 128;
	old.ip.b[15] = 9;
	assert_plan(have, ARRAY_SIZE(have), OBJECT_ALL, &rule, 4,
		    "route.del 10.1.0.128/24 via 10.1.0.0 dev vx onlink\n"
		    "neigh.del 10.1.0.9 dev vx mac 02:00:00:00:00:01\n");
	assert_plan(have, ARRAY_SIZE(have), OBJECT_ALL, NULL, 4, "");
}

static void test_several_in_one_slot(void **state)
{
	struct route x = route_a, y = route_a;
	const struct object ours_first[] = {ROUTE(route_a), ROUTE(x), ROUTE(route_b)};
	const struct object ours_last[] = {ROUTE(x), ROUTE(route_a), ROUTE(route_b)};
	const struct object ours_gone[] = {ROUTE(x), ROUTE(y), ROUTE(route_b)};
	const struct object twice[] = {ROUTE(x), ROUTE(x), ROUTE(route_a), ROUTE(route_a),
				       ROUTE(route_b)};

	(void)state;
	x.proto = 4;
	y.proto = 5;
	assert_plan(ours_first, 3, ROUTES_ONLY, NULL, 4,
		    "route.del 10.1.0.0/24 via 10.1.0.0 dev vx onlink proto 4\n");
	assert_plan(ours_last, 3, ROUTES_ONLY, NULL, 4,
		    "route.del 10.1.0.0/24 via 10.1.0.0 dev vx onlink proto 4\n");
	assert_plan(
		ours_gone, 3, ROUTES_ONLY, NULL, 4,
		"route.del 10.1.0.0/24 via 10.1.0.0 dev vx onlink proto 5\n"
		"route.set 10.1.0.0/24 via 10.1.0.0 dev vx onlink (was via 10.1.0.0 dev vx onlink "
		"proto 4)\n");
	/* A dump that was interrupted is fed again: the same object is no second one. */
	assert_plan(twice, 5, ROUTES_ONLY, NULL, 4,
		    "route.del 10.1.0.0/24 via 10.1.0.0 dev vx onlink proto 4\n");
}

/* Whoever's they are, in the order in which they stand: each removal takes the first that it fits. */
static void test_routes_of_others_in_a_wanted_slot(void **state)
{
	struct route first = route_a, second = route_a, aside = route_a, other_metric = route_a;
	const struct object have[] = {ROUTE(first),	   ROUTE(second), ROUTE(route_a),
				      ROUTE(other_metric), ROUTE(aside),  ROUTE(route_b)};

	(void)state;
	first.dev = DEV_UPLINK;
	first.onlink = false;
	first.proto = 3;
	second = first;
	second.dev = DEV_NONE;
	second.oif = 9;
	aside = other_metric = second;
	aside.dst.len = 25;
	other_metric.metric = 77;
	assert_plan(have, ARRAY_SIZE(have), ROUTES_ONLY, &rule, 4,
		    "route.del 10.1.0.0/24 via 10.1.0.0 dev eth0 proto 3\n"
		    "route.del 10.1.0.0/24 via 10.1.0.0 ifindex 9 proto 3\n");
}

static void test_of_a_dump_fed_again_the_last_counts(void **state)
{
	struct neigh wrong = neigh;
	const struct object have[] = {NEIGH(neigh), NEIGH(wrong)};
	const struct object back[] = {NEIGH(wrong), NEIGH(neigh)};

	(void)state;
	wrong.mac.b[5] = 7;
	assert_plan(
		have, 2, OBJECT_BIT(OBJECT_NEIGH), NULL, 4,
		"neigh.set 10.1.0.0 dev vx mac 02:00:00:00:00:01 (was mac 02:00:00:00:00:07)\n");
	assert_plan(back, 2, OBJECT_BIT(OBJECT_NEIGH), NULL, 4, "");
}

/* So many that they are searched by packed keys; in no order, some wrong, some too much. */
static void test_many_in_any_order(void **state)
{
	enum {
		N = 1000
	};
	static struct neigh neighs[N];
	static struct fdb fdbs[N];
	struct netstate want = {0};
	size_t n_set = 0, n_add = 0, n_del = 0;
	struct arena a;
	struct diff d;
	struct op op;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		uint8_t high = (uint8_t)(i >> 8), low = (uint8_t)i;

		neighs[i] = (struct neigh){
			.dev = DEV_VXLAN, .ip = V4(10, high, low, 0), .permanent = true};
		fdbs[i] = (struct fdb){
			.dev = DEV_VXLAN, .mac = {{2, 0, high, low, 0, 0}}, .permanent = true};
	}
	want.of[OBJECT_NEIGH].items = neighs;
	want.of[OBJECT_FDB].items = fdbs;
	want.of[OBJECT_NEIGH].n = want.of[OBJECT_FDB].n = N;
	arena_init(&a, 0);
	diff_begin(&d, &want, OBJECT_ALL, &rule, &a);
	for (uint32_t i = 0; i < N; i++) {
		struct neigh n = neighs[i * 7 % N];
		struct fdb f = fdbs[i * 13 % N];
		struct object on = NEIGH(n), of = {.kind = OBJECT_FDB, .fdb = &f};

		if (i % 100 == 3)
			n.ip.b[15] = 1; /* one too much, one missing */
		if (i % 100 == 5)
			n.mac.b[0] = 2;
		if (i % 100 == 7)
			f.mac.b[5] = 1;
		diff_feed(&d, &on);
		diff_feed(&d, &of);
	}
	while (diff_next(&d, &op, 1)) {
		n_set += op.verb == OP_SET;
		n_add += op.verb == OP_ADD;
		n_del += op.verb == OP_DEL;
	}
	assert_int_equal(n_set, 10);
	assert_int_equal(n_add, 20);
	assert_int_equal(n_del, 20);
	arena_fini(&a);
}

/* Whatever the order of the dump: what was on the link goes with it and is made again. */
static void test_recreated_link_takes_all_along(void **state)
{
	struct link wrong = link_want;
	struct neigh stale = neigh, bridge = neigh;
	const struct object have[] = {ROUTE(route_a),  NEIGH(stale), LINK(wrong),
				      ROUTE(route_b),  NEIGH(neigh), NEIGH(bridge),
				      ENVFILE(envfile)};

	(void)state;
	wrong.vxlan.vni = 9;
	stale.ip.b[15] = 9;
	bridge.dev = DEV_BRIDGE;
	assert_plan(have, ARRAY_SIZE(have), OBJECT_ALL, &rule, 3,
		    "link.recreate vx vxlan vni 1 port 8472 lower eth0 up (vni 9 -> 1)\n"
		    "neigh.add 10.1.0.0 dev vx mac 02:00:00:00:00:01\n"
		    "route.add 10.1.0.0/24 via 10.1.0.0 dev vx onlink\n"
		    "route.add 10.2.0.0/24 via 10.2.0.0 dev vx onlink\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_all_right_and_what_is_not_ours_to_judge),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_too_much_goes_only_with_a_sweep),
		cmocka_unit_test(test_several_in_one_slot),
		cmocka_unit_test(test_routes_of_others_in_a_wanted_slot),
		cmocka_unit_test(test_of_a_dump_fed_again_the_last_counts),
		cmocka_unit_test(test_many_in_any_order),
		cmocka_unit_test(test_recreated_link_takes_all_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

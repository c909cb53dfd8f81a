/* SPDX-License-Identifier: Apache-2.0 */
#include "core/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The stories of tests/trace tell what the brain does; here is what they cannot say. */

struct node {
	struct brain *b;
	struct netconf net;
	struct uplink uplink;
	struct update u; /* the last one */
	uint64_t now_ms;
};

static const struct devmap devs = {.dev = {[DEV_UPLINK] = {2, "eth0"}}};

/* What the event points to is gone after the call. */
static void feed(struct node *n, struct event ev)
{
	struct netconf net = n->net;
	struct uplink uplink = n->uplink;

	ev.now_ms = n->now_ms;
	if (ev.type == EVENT_CONFIG)
		ev.config.conf = &net;
	if (ev.type == EVENT_UPLINK)
		ev.uplink.uplink = &uplink;
	step(n->b, &ev, &n->u);
	memset(&net, 0xa5, sizeof(net));
	memset(&uplink, 0xa5, sizeof(uplink));
}

static void dump_end(struct node *n, int code)
{
	feed(n, (struct event){.type = EVENT_DUMP_END,
			       .dump_end = {.code = code, .problem = "no buffer", .devs = &devs}});
}

static void dump(struct node *n)
{
	feed(n, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {n->u.dump_kinds}});
	dump_end(n, 0);
}

static void feed_leases(struct node *n, uint32_t n_leases)
{
	struct lease leases[1000] = {0};

	for (uint32_t i = 0; i < n_leases; i++) {
		leases[i] = (struct lease){
			.subnet = {ip_from_v4(0x0a010000 + (i << 8)), 24},
			.public_ip = ip_from_v4(0xc0a80100 + i),
			.type = BACKEND_VXLAN,
			.vtep_mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
		};
	}
	feed(n, (struct event){.type = EVENT_LEASES, .leases = {leases, n_leases, 0}});
	memset(leases, 0xa5, sizeof(leases));
}

static void feed_own(struct node *n)
{
	struct lease own = {.subnet = {ip_from_v4(0x0a000000), 24}, .type = BACKEND_VXLAN};

	feed(n, (struct event){.type = EVENT_OWN,
			       .own = {.state = OWN_HELD, .lease = &own, .expires_s = 60}});
}

static void node_init(struct node *n)
{
	const struct brain_conf conf = {.seed = 0, .spread_threshold = 256, .audit_ms = 30000};
	char complaints[200];
	struct text t = TEXT(complaints);

	*n = (struct node){
		.b = brain_new(&conf),
		.net = netconf_defaults(),
		.uplink = {.ifindex = 2, .name = "eth0", .mtu_bytes = 1500, .up = true},
		.now_ms = 1000,
	};
	n->net.backend = BACKEND_VXLAN;
	cidr_parse("10.0.0.0/8", &n->net.network);
	assert_int_equal(netconf_derive(&n->net, &t), 0);
	ip_parse("192.168.0.1", &n->uplink.ip);
	n->uplink.public_ip = n->uplink.ip;
}

/* As far as the first dump for everything. */
static void node_begin(struct node *n, uint32_t n_leases)
{
	node_init(n);
	feed(n, (struct event){.type = EVENT_CONFIG});
	assert_int_equal(n->u.flags & UPDATE_UPLINK, UPDATE_UPLINK);
	feed(n, (struct event){.type = EVENT_UPLINK});
	feed_own(n);
	assert_int_equal(n->u.flags & UPDATE_DUMP, 0);
	feed_leases(n, n_leases);
	assert_int_equal(n->u.flags & UPDATE_DUMP, UPDATE_DUMP);
	assert_int_equal(n->u.dump_kinds, OBJECT_ALL);
}

static void test_a_long_plan_comes_in_slices(void **state)
{
	struct node n;
	size_t n_ops = 0, n_slices = 0;

	(void)state;
	node_begin(&n, 1000);
	dump(&n);
	while (n.u.flags & UPDATE_PLAN) {
		for (size_t i = 0; i < n.u.plan.n; i++)
			assert_non_null(n.u.plan.ops[i].object.any);
		n_ops += n.u.plan.n;
		n_slices++;
		feed(&n, (struct event){.type = EVENT_APPLIED});
	}
	/* Link, address, file; neighbour, FDB entry and route for each peer. */
	assert_int_equal(n_ops, 3 + 3 * 1000);
	assert_in_range(n_slices, 5, 20);
	assert_int_equal(n.u.flags & UPDATE_DUMP, UPDATE_DUMP);
	brain_free(n.b);
}

static void test_without_its_link_the_rest_of_a_plan_is_not_tried(void **state)
{
	const struct op_failure busy = {.op = 0, .code = -EADDRINUSE, .text = "Address in use"};
	struct status st;
	struct node n;

	(void)state;
	node_begin(&n, 1000);
	dump(&n);
	assert_int_equal(n.u.plan.ops[0].object.kind, OBJECT_LINK);
	feed(&n, (struct event){.type = EVENT_APPLIED, .applied = {&busy, 1}});
	assert_int_equal(n.u.flags & (UPDATE_PLAN | UPDATE_DUMP), UPDATE_DUMP);
	dump(&n); /* still nothing there */
	for (size_t i = 0; i < n.u.plan.n; i++)
		assert_int_not_equal(n.u.plan.ops[i].object.kind, OBJECT_ROUTE);
	brain_status(n.b, n.now_ms, &st);
	assert_non_null(strstr(st.problem, "link.add flannel.1"));
	assert_non_null(strstr(st.problem, "Address in use"));
	brain_free(n.b);
}

static void test_one_dump_at_a_time(void **state)
{
	struct node n;

	(void)state;
	node_begin(&n, 3);
	feed(&n, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {OBJECT_ALL}});
	feed_leases(&n, 5); /* in the middle of it */
	assert_int_equal(n.u.flags & (UPDATE_DUMP | UPDATE_PLAN), 0);
	feed(&n, (struct event){.type = EVENT_NOTICE, .notice = {.kinds = OBJECT_ALL}});
	n.now_ms += 100;
	feed(&n, (struct event){.type = EVENT_TIMER});
	assert_int_equal(n.u.flags & (UPDATE_DUMP | UPDATE_PLAN), 0);
	dump_end(&n, 0);
	assert_int_equal(n.u.flags & (UPDATE_DUMP | UPDATE_PLAN), UPDATE_PLAN);
	feed(&n, (struct event){.type = EVENT_APPLIED});
	assert_int_equal(n.u.flags & UPDATE_DUMP, UPDATE_DUMP);
	assert_int_equal(brain_want(n.b)->of[OBJECT_NEIGH].n, 5);
	brain_free(n.b);
}

static void test_a_dump_that_failed_changes_nothing(void **state)
{
	struct status st;
	struct node n;
	uint64_t wait = 0;

	(void)state;
	node_begin(&n, 3);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(n.u.flags & UPDATE_DUMP, UPDATE_DUMP);
		feed(&n, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {OBJECT_ALL}});
		dump_end(&n, -ENOBUFS);
		assert_int_equal(n.u.flags & (UPDATE_PLAN | UPDATE_DUMP), 0);
		assert_true(n.u.wake_ms > n.now_ms + wait);
		wait = n.u.wake_ms - n.now_ms;
		n.now_ms = n.u.wake_ms;
		feed(&n, (struct event){.type = EVENT_TIMER});
	}
	brain_status(n.b, n.now_ms, &st);
	assert_int_equal(st.ready, READY_NO);
	assert_string_equal(st.problem, "cannot read the kernel's state: no buffer");
	dump(&n);
	assert_int_equal(n.u.flags & UPDATE_PLAN, UPDATE_PLAN);
	brain_free(n.b);
}

/* Compared with a kernel without uplink our own device would look wrong. */
static void test_a_dump_without_the_uplink_is_none(void **state)
{
	static const struct devmap none;
	struct node n;

	(void)state;
	node_begin(&n, 3);
	feed(&n, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {OBJECT_ALL}});
	feed(&n, (struct event){.type = EVENT_DUMP_END, .dump_end = {.devs = &none}});
	assert_int_equal(n.u.flags & (UPDATE_PLAN | UPDATE_DUMP), 0);
	assert_int_equal(n.u.flags & UPDATE_UPLINK, UPDATE_UPLINK);
	assert_true(n.u.wake_ms > n.now_ms);
	brain_free(n.b);
}

/* Phases go back in the middle of the circle: then it ends, and nothing is touched. */
static void test_the_uplink_goes_while_we_look(void **state)
{
	struct node n;

	(void)state;
	for (int when = 0; when < 2; when++) {
		struct event lost = {.type = EVENT_UPLINK};

		node_begin(&n, 3);
		lost.now_ms = n.now_ms;
		feed(&n, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {OBJECT_ALL}});
		if (when == 0)
			step(n.b, &lost, &n.u);
		dump_end(&n, 0);
		if (when == 1) {
			assert_int_equal(n.u.flags & UPDATE_PLAN, UPDATE_PLAN);
			step(n.b, &lost, &n.u);
			feed(&n, (struct event){.type = EVENT_APPLIED});
			assert_int_equal(n.u.dump_kinds, 0);
			dump(&n);
		}
		assert_int_equal(n.u.flags & (UPDATE_PLAN | UPDATE_DUMP), 0);
		assert_int_equal(brain_phase(n.b), PHASE_WAIT_UPLINK);
		brain_free(n.b);
	}
}

static void test_events_out_of_turn_are_ignored(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	for (int type = 0; type < EVENT__COUNT; type++) {
		struct addr addr = {.dev = DEV_VXLAN};
		struct event ev = {.type = (enum event_type)type};

		if (type == EVENT_CONFIG || type == EVENT_UPLINK || type == EVENT_LEASE_PUT ||
		    type == EVENT_OWN)
			continue;
		if (type == EVENT_OBJECT)
			ev.object.object = (struct object){.kind = OBJECT_ADDR, .addr = &addr};
		if (type == EVENT_DUMP_END)
			ev.dump_end.devs = &devs;
		feed(&n, ev);
		assert_int_equal(n.u.flags & (UPDATE_PLAN | UPDATE_DUMP), 0);
	}
	assert_int_equal(brain_phase(n.b), PHASE_WAIT_CONFIG);
	brain_free(n.b);
	brain_free(NULL);
}

static void test_audits_are_spread(void **state)
{
	uint64_t low = UINT64_MAX, high = 0;

	(void)state;
	for (uint64_t seed = 1; seed < 200; seed++) {
		const struct brain_conf conf = {.seed = seed * 0x9e3779b97f4a7c15u,
						.audit_ms = 30000};
		struct brain *b = brain_new(&conf);
		struct update u;

		step(b, &(struct event){.now_ms = 1000, .type = EVENT_TIMER}, &u);
		low = MIN(low, u.wake_ms - 1000);
		high = MAX(high, u.wake_ms - 1000);
		brain_free(b);
	}
	assert_in_range(low, 24000, 25000);
	assert_in_range(high, 35000, 36000);
}

static void test_names_are_known_before_anything_is_wanted(void **state)
{
	char names[DEV__COUNT][LINK_NAME_SIZE];
	struct node n;

	(void)state;
	node_init(&n);
	brain_names(n.b, names);
	for (int dev = 0; dev < DEV__COUNT; dev++)
		assert_string_equal(names[dev], "");
	feed(&n, (struct event){.type = EVENT_CONFIG});
	feed(&n, (struct event){.type = EVENT_UPLINK});
	brain_names(n.b, names);
	assert_string_equal(names[DEV_VXLAN], "flannel.1");
	assert_string_equal(names[DEV_UPLINK], "eth0");
	assert_string_equal(names[DEV_BRIDGE], "");
	assert_null(brain_sweep(n.b));
	brain_free(n.b);
}

static void test_status_says_what_is_known(void **state)
{
	struct status st;
	struct node n;

	(void)state;
	node_begin(&n, 3);
	n.now_ms += 10000;
	brain_status(n.b, n.now_ms, &st);
	assert_int_equal(st.ready, READY_NO);
	assert_string_equal(st.problem, "setting up");
	assert_int_equal(st.lease_expires_s, 50);
	assert_int_equal(st.n_peers, 3);
	assert_int_equal(st.n_verified, 0);
	assert_int_equal(st.overlay_mtu_bytes, 1450);
	assert_int_equal(st.verified_at_ms, 0);
	n.now_ms += 60000;
	brain_status(n.b, n.now_ms, &st);
	assert_int_equal(st.lease_expires_s, 0);
	brain_free(n.b);
}

/* Whom peers' packets reach, and which networks are ours: what firewalls are read by. */
static void test_networks_and_arrival_are_known_once_learnt(void **state)
{
	struct cidr networks[2];
	struct fw_arrival arrival;
	struct node n;

	(void)state;
	node_init(&n);
	ip_parse("2001:db8::1", &n.uplink.ip6);
	n.net.vxlan.port = 4789;
	brain_networks(n.b, networks);
	brain_arrival(n.b, &arrival);
	assert_false(cidr_is_set(&networks[0]) || cidr_is_set(&networks[1]));
	assert_int_equal(arrival.port, 0);
	feed(&n, (struct event){.type = EVENT_CONFIG});
	brain_networks(n.b, networks);
	brain_arrival(n.b, &arrival);
	assert_true(cidr_eq(&networks[0], &n.net.network));
	assert_false(cidr_is_set(&networks[1]));
	assert_int_equal(arrival.port, 0); /* without the uplink it is not known where */
	feed(&n, (struct event){.type = EVENT_UPLINK});
	brain_arrival(n.b, &arrival);
	assert_int_equal(arrival.port, 4789);
	assert_true(ip_eq(&arrival.local[0], &n.uplink.ip));
	assert_true(ip_eq(&arrival.local[1], &n.uplink.ip6));
	assert_string_equal(arrival.iif, "eth0");
	brain_free(n.b);
}

/* What happened to the uplink is learnt first, a moment later: notices come in bursts. */
static void test_a_notice_of_the_uplink_asks_for_facts(void **state)
{
	struct node n;
	uint64_t wake_ms;

	(void)state;
	node_begin(&n, 3);
	dump_end(&n, -ENOBUFS); /* nothing is under way */
	feed(&n, (struct event){.type = EVENT_NOTICE, .notice = {.uplink = true}});
	assert_int_equal(n.u.flags & UPDATE_UPLINK, 0);
	wake_ms = n.u.wake_ms;
	assert_true(wake_ms > n.now_ms && wake_ms <= n.now_ms + 1000);
	n.now_ms = wake_ms;
	feed(&n, (struct event){.type = EVENT_TIMER});
	assert_int_equal(n.u.flags & UPDATE_UPLINK, UPDATE_UPLINK);
	feed(&n, (struct event){.type = EVENT_UPLINK});
	assert_int_equal(n.u.flags & UPDATE_UPLINK, 0);
	brain_free(n.b);
}

/* A look that is due waits for the facts: what lies on the uplink is judged by how it is now. */
static void test_facts_come_before_a_look_that_is_due(void **state)
{
	struct node n;
	uint64_t wake_ms;

	(void)state;
	node_begin(&n, 3);
	dump_end(&n, -ENOBUFS); /* nothing is under way */
	feed(&n,
	     (struct event){.type = EVENT_NOTICE, .notice = {.kinds = OBJECT_BIT(OBJECT_ROUTE)}});
	wake_ms = n.u.wake_ms;
	assert_true(wake_ms > n.now_ms);
	n.now_ms = wake_ms - 1;
	feed(&n, (struct event){.type = EVENT_NOTICE, .notice = {.uplink = true}});
	assert_int_equal(n.u.flags & (UPDATE_UPLINK | UPDATE_DUMP), 0);
	n.now_ms = wake_ms;
	feed(&n, (struct event){.type = EVENT_TIMER});
	assert_int_equal(n.u.flags & (UPDATE_UPLINK | UPDATE_DUMP), UPDATE_UPLINK);
	feed(&n, (struct event){.type = EVENT_UPLINK});
	assert_int_equal(n.u.flags & (UPDATE_UPLINK | UPDATE_DUMP), UPDATE_DUMP);
	brain_free(n.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_long_plan_comes_in_slices),
		cmocka_unit_test(test_without_its_link_the_rest_of_a_plan_is_not_tried),
		cmocka_unit_test(test_one_dump_at_a_time),
		cmocka_unit_test(test_a_dump_that_failed_changes_nothing),
		cmocka_unit_test(test_a_dump_without_the_uplink_is_none),
		cmocka_unit_test(test_the_uplink_goes_while_we_look),
		cmocka_unit_test(test_events_out_of_turn_are_ignored),
		cmocka_unit_test(test_audits_are_spread),
		cmocka_unit_test(test_names_are_known_before_anything_is_wanted),
		cmocka_unit_test(test_status_says_what_is_known),
		cmocka_unit_test(test_networks_and_arrival_are_known_once_learnt),
		cmocka_unit_test(test_a_notice_of_the_uplink_asks_for_facts),
		cmocka_unit_test(test_facts_come_before_a_look_that_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

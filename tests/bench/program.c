/* SPDX-License-Identifier: Apache-2.0 */
/* How long our part takes, without etcd: the brain and the kernel side of the agent, in the current network
 * namespace, which has an uplink eth0 and nothing of ours.
 *
 *	program PEERS [noguard]
 *
 * First a cluster without peers is settled; then PEERS leases arrive at once. Prints one JSON object:
 * microseconds a peer from their arrival to the last object in the kernel (looking first, and all
 * that core does, included), and the milliseconds of a full verification that finds nothing wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/step.h"
#include "core/uplink.h"
#include "core/want.h"
#include "os/kernel.h"

#define VERIFICATIONS 50

struct bench {
	struct brain *brain;
	struct brain_conf conf;
	struct os *os;
	struct arena arena;
	uint64_t now_ms;
	struct sysctl sysctls[16];
	char envfile[64];
	struct update last;
	unsigned n_plans;
	bool publish;
	double applied_us; /* when the last plan was done */
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "program: %s: %s\n", what, why);
	exit(1);
}

static struct update tell(struct bench *b, struct event ev)
{
	struct update u;

	ev.now_ms = b->now_ms;
	step(b->brain, &ev, &u);
	b->publish = b->publish || (u.flags & UPDATE_PUBLISH);
	return u;
}

static void names(struct bench *b)
{
	const struct netstate *want = brain_want(b->brain);
	struct os_names n = {.nexthop_base = 0x66000000,
			     .envfile_path = b->envfile,
			     .sysctls = b->sysctls,
			     .n_sysctls = MIN(want->of[OBJECT_SYSCTL].n, ARRAY_SIZE(b->sysctls))};

	brain_names(b->brain, n.dev);
	brain_networks(b->brain, n.networks);
	want_table_name(&b->conf, n.fw_table);
	want_guard_name(&b->conf, n.guard_table);
	want_comment(&b->conf, n.fw_comment);
	for (size_t i = 0; i < n.n_sysctls; i++)
		b->sysctls[i] = *netstate_at(want, OBJECT_SYSCTL, i).sysctl;
	os_ops_kernel.set_names(b->os, &n);
}

static void on_object(void *arg, const struct object *o)
{
	tell(arg, (struct event){.type = EVENT_OBJECT, .object = {*o}});
}

static struct update dump(struct bench *b, unsigned kinds)
{
	const struct os_dump what = {kinds, on_object, b};
	struct event end = {.type = EVENT_DUMP_END};
	struct os_taken taken = {0};
	struct err err = {0};

	names(b);
	tell(b, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {kinds}});
	if (os_ops_kernel.dump(b->os, &what, &taken, &err) < 0)
		die("dump", err.text);
	end.dump_end.devs = os_ops_kernel.devmap(b->os);
	return tell(b, end);
}

static struct update apply(struct bench *b, const struct update *u)
{
	const struct op_failure *failures = NULL;
	size_t n = 0;
	struct err err = {0};
	struct update next;

	names(b);
	if (os_ops_kernel.apply(b->os, &u->plan, &b->arena, &failures, &n, &err) < 0)
		die("apply", err.text);
	if (n > 0)
		die("an op failed", failures[0].text);
	b->n_plans++;
	next = tell(b, (struct event){.type = EVENT_APPLIED});
	b->applied_us = now_us();
	return next;
}

static void feed_uplink(struct bench *b);

/* The circle, until nothing is left to do now. */
static void feed(struct bench *b, struct event ev)
{
	struct update u = tell(b, ev);
	unsigned kinds = u.dump_kinds, flags = u.flags;

	while (u.flags & (UPDATE_PLAN | UPDATE_DUMP)) {
		u = u.flags & UPDATE_PLAN ? apply(b, &u) : dump(b, kinds);
		kinds = u.dump_kinds;
		flags |= u.flags;
	}
	b->last = u;
	arena_reset(&b->arena);
	if (flags & UPDATE_UPLINK) /* asked for before what lies on it is looked at */
		feed_uplink(b);
}

static void feed_uplink(struct bench *b)
{
	static const char *const ifaces[] = {"eth0"};
	const struct uplink_policy policy = {.ifaces = ifaces, .n_ifaces = 1, .ipv4 = true};
	const struct ip nowhere = {0};
	struct iface_facts facts;
	struct uplink uplink;
	struct err err = {0};

	if (os_ops_kernel.facts(b->os, &nowhere, &b->arena, &facts, &err) < 0 ||
	    uplink_choose(&policy, &facts, &uplink, &err) != 0)
		die("uplink", err.text);
	feed(b, (struct event){.type = EVENT_UPLINK, .uplink.uplink = &uplink});
}

/* Peer i as tests/peers/netlink programs it. */
static struct lease peer(unsigned i)
{
	return (struct lease){
		.subnet = {ip_from_v4(10u << 24 | (64 + (i >> 8)) << 16 | (i & 255) << 8), 24},
		.public_ip = ip_from_v4(192u << 24 | 168u << 16 | i),
		.type = BACKEND_VXLAN,
		.vtep_mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
	};
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void expect_ready(struct bench *b, size_t peers)
{
	static struct status s;

	brain_status(b->brain, b->now_ms, &s);
	if (s.ready != READY_YES || s.n_verified != peers) {
		fprintf(stderr, "program: %zu of %zu peers verified: %s\n", s.n_verified, peers,
			s.problem);
		exit(1);
	}
}

static void settle(struct bench *b)
{
	struct netconf net = netconf_defaults();
	struct lease own = {.subnet = {ip_from_v4(10u << 24 | 1u << 16), 24},
			    .public_ip = ip_from_v4(192u << 24 | 168u << 16 | 255u << 8 | 1),
			    .type = BACKEND_VXLAN};
	char text[400];

	net.backend = BACKEND_VXLAN;
	cidr_parse("10.0.0.0/8", &net.network);
	net.subnet_len = 24;
	if (netconf_derive(&net, &TEXT(text)) != 0)
		die("net-conf", text);
	feed(b, (struct event){.type = EVENT_CONFIG, .config.conf = &net});
	feed_uplink(b);
	feed(b, (struct event){.type = EVENT_LEASES});
	if (!b->publish)
		expect_ready(b, 0);
	own.vtep_mac = (struct mac){{2, 0, 0, 0, 0xff, 0xff}};
	feed(b, (struct event){.type = EVENT_OWN, .own = {OWN_HELD, &own, 86400, NULL}});
	b->now_ms += 1000;
	feed(b, (struct event){.type = EVENT_TIMER});
}

int main(int argc, char **argv)
{
	unsigned n = argc >= 2 ? (unsigned)atoi(argv[1]) : 0;
	struct bench b = {.conf = {.seed = 1,
				   .ip_masq = true,
				   .forward_rules = true,
				   .bridge = true,
				   .bridge_name = "cni0",
				   .vxlan_guard = argc == 2,
				   .spread_threshold = 256,
				   .audit_ms = 30000},
			  .now_ms = 1000};
	struct lease *leases = calloc(n, sizeof(*leases));
	double verify_ms[VERIFICATIONS], start;
	struct err err = {0};

	if (n == 0 || !leases)
		die("usage", "program PEERS [noguard]");
	snprintf(b.envfile, sizeof(b.envfile), "/tmp/loden-bench-%d.env", getpid());
	arena_init(&b.arena, 0);
	if (kernel_open(&b.os, &err) < 0)
		die("kernel", err.text);
	b.brain = brain_new(&b.conf);
	settle(&b);
	for (unsigned i = 0; i < n; i++)
		leases[i] = peer(i + 1);

	start = now_us();
	feed(&b, (struct event){.type = EVENT_LEASES, .leases = {leases, n, 0}});
	printf("{\"peers\":%u,\"us_per_peer\":%.2f", n, (b.applied_us - start) / n);
	expect_ready(&b, n);

	for (int i = 0; i < VERIFICATIONS; i++) {
		unsigned plans = b.n_plans;

		b.now_ms += 40000;
		start = now_us();
		feed(&b, (struct event){.type = EVENT_TIMER});
		verify_ms[i] = (now_us() - start) / 1e3;
		if (b.n_plans != plans)
			die("verification", "found something to repair");
	}
	expect_ready(&b, n);
	qsort(verify_ms, VERIFICATIONS, sizeof(*verify_ms), cmp_double);
	printf(",\"verify_p50_ms\":%.2f,\"verify_max_ms\":%.2f}\n", verify_ms[VERIFICATIONS / 2],
	       verify_ms[VERIFICATIONS - 1]);
	unlink(b.envfile);
	brain_free(b.brain);
	kernel_close(b.os);
	arena_fini(&b.arena);
	free(leases);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the core costs with many peers: no kernel, only its own work. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "world.h"

void bench(void);

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct update feed(struct brain *b, struct event ev)
{
	struct update u;

	ev.now_ms = 1000;
	step(b, &ev, &u);
	return u;
}

/* One dump that shows `have`, and what follows from it; the ops are dropped but counted. */
static size_t dump(struct brain *b, unsigned kinds, const struct netstate *have)
{
	const struct devmap devs = {
		.dev = {[DEV_UPLINK] = {2, "eth0"}, [DEV_VXLAN] = {3, "flannel.1"}}};
	struct update u;
	size_t n = 0;

	feed(b, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {kinds}});
	for (int kind = 0; have && kind < OBJECT__COUNT; kind++) {
		for (size_t i = 0; (kinds & OBJECT_BIT(kind)) && i < have->of[kind].n; i++) {
			/* As the kernel does: these from a hash table, the others from a tree. 7919 is
			 * prime and divides no size used here. */
			bool hashed = kind == OBJECT_NEIGH || kind == OBJECT_FDB;
			size_t at = hashed ? i * 7919 % have->of[kind].n : i;
			struct event ev = {
				.type = EVENT_OBJECT,
				.object = {netstate_at(have, (enum object_kind)kind, at)}};

			feed(b, ev);
		}
	}
	u = feed(b, (struct event){.type = EVENT_DUMP_END, .dump_end = {.devs = &devs}});
	while (u.flags & UPDATE_PLAN) {
		n += u.plan.n;
		u = feed(b, (struct event){.type = EVENT_APPLIED});
	}
	return n;
}

static void run(unsigned n_peers)
{
	uint64_t random = 1;
	struct world w;
	struct brain *b;
	struct lease *leases = calloc(n_peers, sizeof(*leases)), own;
	struct lease changed;
	struct update u;
	double t0, t1, t2, t3;
	size_t n_ops, before;

	world_init(&w, &random);
	w.net.ipv6 = false;
	w.uplink.ip6 = w.uplink.public_ip6 = (struct ip){0};
	w.net.network = (struct cidr){ip_from_v4(0x0a000000), 8};
	w.conf.spread_threshold = 256;
	for (unsigned i = 0; i < n_peers; i++) {
		leases[i] = world_lease(i + 1, 0);
		leases[i].subnet.ip = ip_from_v4(0x0a000000 + ((i + 1) << 8));
	}
	own = world_lease(0, 0);
	own.subnet.ip = ip_from_v4(0x0a000000);
	before = mallinfo2().uordblks + mallinfo2().hblkhd - n_peers * sizeof(*leases);
	b = brain_new(&w.conf);
	feed(b, (struct event){.type = EVENT_CONFIG, .config = {&w.net, NULL}});
	feed(b, (struct event){.type = EVENT_UPLINK, .uplink = {&w.uplink, NULL}});
	u = feed(b, (struct event){.type = EVENT_LEASES, .leases = {leases, n_peers, 0}});
	free(leases);
	dump(b, u.dump_kinds, NULL);
	dump(b, OBJECT_BIT(OBJECT_LINK), brain_want(b));
	t0 = now_us();
	u = feed(b, (struct event){.type = EVENT_OWN, .own = {OWN_HELD, &own, -1, NULL}});
	t1 = now_us();
	n_ops = dump(b, u.dump_kinds, NULL);
	t2 = now_us();
	dump(b, OBJECT_ALL, brain_want(b));
	t3 = now_us();
	printf("%u peers: want %.0f us (%.0f ns a peer), first plan of %zu ops %.0f us, "
	       "verify %.0f us; ",
	       n_peers, t1 - t0, (t1 - t0) * 1e3 / n_peers, n_ops, t2 - t1, t3 - t2);
	printf("memory %zu kB; ", (mallinfo2().uordblks + mallinfo2().hblkhd - before) / 1024);
	t0 = now_us();
	for (unsigned i = 0; i < n_peers; i++) {
		changed = world_lease(i + 1, 1);
		changed.subnet.ip = ip_from_v4(0x0a000000 + ((i + 1) << 8));
		feed(b, (struct event){.type = EVENT_LEASE_PUT, .put = {&changed}});
	}
	t1 = now_us();
	printf("%u changed leases %.0f ns each\n", n_peers, (t1 - t0) * 1e3 / n_peers);
	brain_free(b);
	world_fini(&w);
}

void bench(void)
{
	run(100);
	run(1000);
	run(5000);
	run(20000);
}

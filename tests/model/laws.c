/* SPDX-License-Identifier: Apache-2.0 */
/* Laws that hold for every state, shown on random ones. `model LAW [SEED]`: one law, from one seed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/diff.h"
#include "core/leases.h"
#include "world.h"

#define WORLDS	   300
/* A plan may lose again what the kernel takes along (a new MAC flushes the neighbours). */
#define PASSES_MAX 3

static uint64_t seed;
static const char *law;

#define CHECK(cond, ...)                                                   \
 do {                                                                      \
  if (!(cond)) {                                                           \
   fprintf(stderr, "%s:%d: not so: %s\n  ", __FILE__, __LINE__, #cond);    \
   fprintf(stderr, __VA_ARGS__);                                           \
   fprintf(stderr, "\n  again: model %s %lu\n", law, (unsigned long)seed); \
   exit(1);                                                                \
  }                                                                        \
 } while (0)

static void show_plan(const struct plan *p, const struct sim *k)
{
	char line[OP_STRLEN];

	for (size_t i = 0; i < p->n && i < 20; i++) {
		struct text t = TEXT(line);

		op_format(&p->ops[i], &k->devs, &t);
		fprintf(stderr, "  %s\n", line);
	}
}

/* Nothing differs, and nothing of ours is too much. */
static void check_is(const struct netstate *want, const struct adopt *rule, const struct sim *k)
{
	struct arena a;
	struct plan p;

	arena_init(&a, 0);
	p = world_plan(want, rule, k, &a);
	if (p.n)
		show_plan(&p, k);
	CHECK(p.n == 0, "%zu differences are left", p.n);
	arena_fini(&a);
}

/* diff(x, x) is empty. */
static void law_same(uint64_t random)
{
	struct world w;
	struct arena a;
	struct diff d;
	struct op op;

	world_init(&w, &random);
	arena_init(&a, 0);
	diff_begin(&d, &w.want, OBJECT_ALL, &w.rule, &a);
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		for (size_t i = 0; i < w.want.of[kind].n; i++) {
			struct object o = netstate_at(&w.want, (enum object_kind)kind, i);

			diff_feed(&d, &o);
		}
	}
	CHECK(diff_next(&d, &op, 1) == 0, "a state differs from itself");
	arena_fini(&a);
	world_fini(&w);
}

/* apply(diff(w, h), h) = w, whatever h. */
static void law_apply(uint64_t random)
{
	struct world w;
	struct sim k;
	size_t n;

	world_init(&w, &random);
	world_kernel(&k, &random);
	n = world_settle(&w.want, &w.rule, &k);
	CHECK(n <= PASSES_MAX, "it took %zu passes", n);
	check_is(&w.want, &w.rule, &k);
	sim_fini(&k);
	world_fini(&w);
}

/* Dying after any op k of a plan leaves a state from which the next agent gets there too. */
static void law_crash(uint64_t random)
{
	struct op_failure *failures;
	struct world w;
	struct arena a;
	struct plan p;
	struct sim k;

	world_init(&w, &random);
	world_kernel(&k, &random);
	arena_init(&a, 0);
	p = world_plan(&w.want, &w.rule, &k, &a);
	failures = calloc(p.n + 1, sizeof(*failures));
	for (size_t i = 0; i <= p.n; i++) {
		struct sim crashed;
		size_t n_failures, n;

		sim_copy(&crashed, &k);
		crashed.ops_to_live = i;
		sim_apply(&crashed, &p, failures, &n_failures);
		crashed.ops_to_live = SIM_NEVER;
		n = world_settle(&w.want, &w.rule, &crashed);
		CHECK(n <= PASSES_MAX, "after a crash at op %zu it took %zu passes", i, n);
		sim_fini(&crashed);
	}
	free(failures);
	arena_fini(&a);
	sim_fini(&k);
	world_fini(&w);
}

/* What is not ours is there afterwards as it was, also after uninstall. */
static void law_strangers(uint64_t random)
{
	static const struct netstate nothing;
	struct adopt uninstall;
	struct world w;
	struct sim k;

	world_init(&w, &random);
	uninstall = w.rule;
	uninstall.uninstall = true;
	w.conf.bridge = true;
	world_kernel(&k, &random);
	sim_put(&k, &(struct object){.kind = OBJECT_LINK,
				     .link = &(struct link){.dev = DEV_BRIDGE,
							    .kind = LINK_BRIDGE,
							    .name = "cni0",
							    .up = true}});
	world_strangers(&k);
	world_settle(&w.want, &w.rule, &k);
	CHECK(world_has_strangers(&k), "while running");
	world_settle(&nothing, &uninstall, &k);
	CHECK(world_has_strangers(&k), "at uninstall");
	CHECK(k.of[OBJECT_FDB].n + k.of[OBJECT_NEXTHOP].n + k.of[OBJECT_FW_TABLE].n +
			      k.of[OBJECT_ENVFILE].n ==
		      0,
	      "uninstall left something of ours");
	CHECK(k.of[OBJECT_LINK].n == 1, "uninstall takes the VXLAN link and leaves the bridge");
	sim_fini(&k);
	world_fini(&w);
}

/* ---- the whole agent ---- */

static void begin(struct rig *r, struct sim *k, const struct world *w, bool initialised)
{
	if (!initialised) {
		sim_init(k);
		sim_uplink(k, "eth0", w->uplink.mtu_bytes);
	}
	rig_init(r, &w->conf, k);
	r->uplink = w->uplink;
	r->subnet = w->own.subnet;
	r->subnet6 = w->net.ipv6 ? w->own.subnet6 : (struct cidr){0};
	r->now_ms = 1000;
	rig_feed(r, (struct event){.type = EVENT_CONFIG, .config = {&w->net, NULL}});
	if (!r->dead)
		rig_feed(r,
			 (struct event){.type = EVENT_LEASES, .leases = {w->peers, w->n_peers, 0}});
}

/* Some dumps from the first-th on fail. */
static void begin_failing(struct rig *r, struct sim *k, const struct world *w, size_t first,
			  uint64_t *random)
{
	rig_init(r, &w->conf, k);
	r->uplink = w->uplink;
	r->subnet = w->own.subnet;
	r->subnet6 = w->net.ipv6 ? w->own.subnet6 : (struct cidr){0};
	r->now_ms = 1000;
	r->fail_at = first;
	r->fail_n = 1 + world_below(random, 6);
	r->fail_code = world_below(random, 2) ? -EAGAIN : -ENOBUFS;
	rig_feed(r, (struct event){.type = EVENT_CONFIG, .config = {&w->net, NULL}});
	rig_feed(r, (struct event){.type = EVENT_LEASES, .leases = {w->peers, w->n_peers, 0}});
}

static void check_ready(const struct rig *r, const char *when)
{
	struct status st;

	brain_status(r->brain, r->now_ms, &st);
	CHECK(st.ready == READY_YES, "not ready %s: %s", when, st.problem);
	CHECK(st.families[FAMILY_V6].works == st.families[FAMILY_V6].enabled,
	      "IPv6 does not work %s: %s", when, st.families[FAMILY_V6].problem);
	CHECK(st.n_verified == st.n_peers, "%zu of %zu peers %s", st.n_verified, st.n_peers, when);
	check_is(brain_want(r->brain), brain_sweep(r->brain), r->kernel);
}

/* An agent that dies after any op of its life; the next one takes over. */
static void law_lives(uint64_t random)
{
	struct world w;
	struct sim k;
	struct rig r;
	size_t n_ops;

	world_init(&w, &random);
	begin(&r, &k, &w, false);
	check_ready(&r, "at the start");
	n_ops = k.n_ops;
	rig_fini(&r);
	sim_fini(&k);
	for (size_t i = 0; i < n_ops; i += 1 + world_below(&random, 5)) {
		sim_init(&k);
		sim_uplink(&k, "eth0", w.uplink.mtu_bytes);
		k.ops_to_live = i;
		begin(&r, &k, &w, true);
		CHECK(r.dead, "it should have died at op %zu", i);
		rig_fini(&r);
		k.ops_to_live = SIM_NEVER;
		begin(&r, &k, &w, true);
		check_ready(&r, "after another's crash");
		rig_fini(&r);
		sim_fini(&k);
	}
	world_fini(&w);
}

/* Leases, notices and silent damage in any order: at the latest after an audit all is well. */
static void law_faults(uint64_t random)
{
	struct world w;
	struct sim k;
	struct rig r;

	world_init(&w, &random);
	begin(&r, &k, &w, false);
	for (int i = 0; i < 60; i++) {
		unsigned n = 1 + (unsigned)world_below(&random, WORLD_PEERS_MAX);
		struct lease l = world_lease(n, (unsigned)world_below(&random, 2));
		unsigned kinds;

		switch (world_below(&random, 4)) {
		case 0:
			rig_feed(&r, (struct event){.type = EVENT_LEASE_PUT, .put = {&l}});
			break;
		case 1:
			rig_feed(&r, (struct event){.type = EVENT_LEASE_GONE, .gone = {&l}});
			break;
		default:
			kinds = world_meddle(&k, &random);
			if (kinds && world_below(&random, 3))
				rig_feed(&r, (struct event){.type = EVENT_NOTICE,
							    .notice = {.kinds = kinds}});
		}
		rig_run(&r, r.now_ms + world_below(&random, 30) * world_below(&random, 60));
	}
	/* Contested objects are waited for as well. */
	rig_run(&r, r.now_ms + 60000);
	check_ready(&r, "after the storm");
	rig_fini(&r);
	sim_fini(&k);
	world_fini(&w);
}

/* ---- no busy loops ---- */

/* A minute in which nothing happens costs next to nothing. */
static void law_idle(uint64_t random)
{
	struct world w;
	struct sim k;
	struct rig r;
	size_t n_dumps;

	world_init(&w, &random);
	begin(&r, &k, &w, false);
	n_dumps = r.n_dumps;
	rig_run(&r, r.now_ms + 60000);
	CHECK(r.n_wakes <= 4, "%zu wake-ups in an idle minute", r.n_wakes);
	CHECK(r.n_dumps - n_dumps <= 4, "%zu dumps in an idle minute", r.n_dumps - n_dumps);
	rig_fini(&r);
	sim_fini(&k);
	world_fini(&w);
}

/* Refused for ever, or undone at once: a bounded number of tries, and the rest is as it should be. */
static void law_stubborn(uint64_t random)
{
	static const char *const needles[] = {"link.add",  "addr.add",	   "route.add",
					      "neigh.add", "fw_table.add", ".set"};
	struct world w;
	struct sim k;
	struct rig r;

	world_init(&w, &random);
	sim_init(&k);
	sim_uplink(&k, "eth0", w.uplink.mtu_bytes);
	k.n_faults = 1;
	k.faults[0].code = -1;
	text_copy(k.faults[0].text, sizeof(k.faults[0].text), "Operation not permitted");
	text_copy(k.faults[0].needle, sizeof(k.faults[0].needle),
		  needles[world_below(&random, ARRAY_SIZE(needles))]);
	begin(&r, &k, &w, true);
	rig_run(&r, r.now_ms + 60000);
	CHECK(r.n_dumps < 100, "%zu dumps in a minute of refusals of %s", r.n_dumps,
	      k.faults[0].needle);
	k.n_faults = 0;
	rig_run(&r, r.now_ms + 60000);
	check_ready(&r, "after the refusals");
	rig_fini(&r);
	sim_fini(&k);
	world_fini(&w);
}

static const int refusals[] = {-EBUSY, -ENOMEM, -ENOBUFS, -EPERM,  -EINTR, -EAGAIN,
			       -EIO,   -EEXIST, -EINVAL,  -ENODEV, -ENOENT};

static int any_refusal(uint64_t *random)
{
	return refusals[world_below(random, ARRAY_SIZE(refusals))];
}

/* Any op of the agent's life, or several from there on, fails in any way: a minute later all is as if
 * nothing had been, and nobody ran hot meanwhile. */
static void law_refused(uint64_t random)
{
	struct world w;
	struct sim k;
	struct rig r;
	size_t n_ops;

	world_init(&w, &random);
	begin(&r, &k, &w, false);
	n_ops = k.n_ops;
	rig_fini(&r);
	sim_fini(&k);
	for (size_t i = 1; i <= n_ops; i++) {
		sim_init(&k);
		sim_uplink(&k, "eth0", w.uplink.mtu_bytes);
		k.fail_at = i;
		k.fail_n = world_below(&random, 2) ? 1 : 1 + world_below(&random, 100);
		k.fail_code = any_refusal(&random);
		begin(&r, &k, &w, true);
		rig_run(&r, r.now_ms + 10000);
		k.fail_n = 0;
		rig_run(&r, r.now_ms + 60000);
		CHECK(r.n_dumps < 200, "%zu dumps after op %zu failed with %d", r.n_dumps, i,
		      k.fail_code);
		check_ready(&r, "after a refusal");
		rig_fini(&r);
		sim_fini(&k);
	}
	world_fini(&w);
}

/* The same of any dump: what it showed is not believed. */
static void law_unread(uint64_t random)
{
	struct world w;
	struct sim k;
	struct rig r;

	world_init(&w, &random);
	for (size_t i = 1; i <= 8; i++) {
		sim_init(&k);
		sim_uplink(&k, "eth0", w.uplink.mtu_bytes);
		begin_failing(&r, &k, &w, i, &random);
		rig_run(&r, r.now_ms + 20000);
		sim_flush(&k, OBJECT_ROUTE);
		rig_feed(&r, (struct event){.type = EVENT_NOTICE,
					    .notice = {.kinds = OBJECT_BIT(OBJECT_ROUTE)}});
		rig_run(&r, r.now_ms + 120000);
		CHECK(r.n_dumps < 100, "%zu dumps after dump %zu failed", r.n_dumps, i);
		check_ready(&r, "after unreadable dumps");
		rig_fini(&r);
		sim_fini(&k);
	}
	world_fini(&w);
}

/* Undoes what the agent did, at once. */
static void undo(void *arg, const struct plan *plan, const struct repair *repair)
{
	struct rig *r = arg;

	(void)repair;
	r->n_undo = 0;
	for (size_t i = 0; i < plan->n && r->n_undo < ARRAY_SIZE(r->undo); i++) {
		if (plan->ops[i].object.kind == OBJECT_ROUTE && plan->ops[i].verb == OP_ADD)
			r->undo[r->n_undo++] = *plan->ops[i].object.route;
	}
}

static void law_war(uint64_t random)
{
	struct world w;
	struct sim k;
	struct rig r;

	world_init(&w, &random);
	w.peers[0] = world_lease(1, 0);
	w.n_peers = MAX(w.n_peers, 1);
	begin(&r, &k, &w, false);
	r.hooks.arg = &r;
	r.hooks.plan = undo;
	sim_flush(&k, OBJECT_ROUTE);
	r.n_dumps = 0;
	rig_feed(&r, (struct event){.type = EVENT_NOTICE,
				    .notice = {.kinds = OBJECT_BIT(OBJECT_ROUTE)}});
	for (int ms = 0; ms < 60000; ms++) {
		rig_run(&r, r.now_ms + 1);
		while (r.n_undo) {
			r.n_undo--;
			sim_del(&k,
				&(struct object){.kind = OBJECT_ROUTE, .route = &r.undo[r.n_undo]});
			rig_feed(&r, (struct event){.type = EVENT_NOTICE,
						    .notice = {.kinds = OBJECT_BIT(OBJECT_ROUTE)}});
		}
	}
	CHECK(r.n_dumps < 100, "%zu dumps in a minute of war", r.n_dumps);
	r.hooks.plan = NULL;
	rig_run(&r, r.now_ms + 60000);
	check_ready(&r, "after the war");
	rig_fini(&r);
	sim_fini(&k);
	world_fini(&w);
}

/* The lease table against the simplest one there is. */
static void law_leases(uint64_t random)
{
	bool have[64] = {0};
	struct lease value[64];
	struct leases t;
	size_t n = 0;

	leases_init(&t);
	for (int i = 0; i < 600; i++) {
		unsigned at = (unsigned)world_below(&random, 64);
		struct lease l = world_lease(at, (unsigned)world_below(&random, 3));
		bool same = have[at] && lease_eq(&value[at], &l);

		if (world_below(&random, 3)) {
			CHECK(leases_put(&t, &l) == !same, "put tells whether it changes");
			have[at] = true;
			value[at] = l;
		} else {
			CHECK(leases_gone(&t, &l) == have[at], "so does gone");
			have[at] = false;
		}
		if (world_below(&random, 50) == 0)
			leases_settle(&t);
	}
	leases_settle(&t);
	for (size_t i = 0; i < 64; i++) {
		if (have[i]) {
			CHECK(n < t.n && lease_eq(&t.peers[n].lease, &value[i]), "lease %zu", i);
			n++;
		}
	}
	CHECK(n == t.n, "%zu leases, not %zu", t.n, n);
	leases_fini(&t);
}

static const struct {
	const char *name;
	void (*holds)(uint64_t random);
	int worlds;
} laws[] = {
	{"same", law_same, WORLDS},
	{"apply", law_apply, WORLDS},
	{"crash", law_crash, WORLDS / 3},
	{"strangers", law_strangers, WORLDS},
	{"lives", law_lives, WORLDS / 10},
	{"faults", law_faults, WORLDS},
	{"idle", law_idle, 20},
	{"refused", law_refused, WORLDS / 3},
	{"unread", law_unread, WORLDS / 3},
	{"stubborn", law_stubborn, WORLDS / 3},
	{"war", law_war, 20},
	{"leases", law_leases, WORLDS},
};

void bench(void);

int main(int argc, char **argv)
{
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
		bench();
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(laws); i++) {
		if (strcmp(argv[1], laws[i].name) != 0)
			continue;
		law = laws[i].name;
		for (seed = first; seed < first + (argc > 2 ? 1 : (uint64_t)laws[i].worlds); seed++)
			laws[i].holds(seed * 0x9e3779b97f4a7c15u | 1);
		return 0;
	}
	fprintf(stderr, "usage: model LAW [SEED], model --bench; laws:");
	for (size_t i = 0; i < ARRAY_SIZE(laws); i++)
		fprintf(stderr, " %s", laws[i].name);
	fprintf(stderr, "\n");
	return 2;
}
